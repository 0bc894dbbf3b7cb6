// xmlsec1 1.2 loses its output buffer when a canonicalization fails: no finding of ours.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SALLYPORT_LEAKS_ARE_FOUND
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SALLYPORT_LEAKS_ARE_FOUND
#endif

#ifdef SALLYPORT_LEAKS_ARE_FOUND
#include <sanitizer/lsan_interface.h>
#endif

namespace sallyport::fuzz {

// Inside the scope, what is allocated and lost is not reported.
class LeaksOfOthers {
 public:
#ifdef SALLYPORT_LEAKS_ARE_FOUND
  LeaksOfOthers() { __lsan_disable(); }
  ~LeaksOfOthers() { __lsan_enable(); }
#else
  LeaksOfOthers() {}
  ~LeaksOfOthers() {}
#endif
  LeaksOfOthers(const LeaksOfOthers&) = delete;
  LeaksOfOthers& operator=(const LeaksOfOthers&) = delete;
};

}  // namespace sallyport::fuzz
