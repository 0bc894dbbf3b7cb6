// For a build under AddressSanitizer, whose leak check runs at the end of each process: what nginx itself leaves behind.
// (A list of suppressions would cost each process a tenth of a second, for the names of the functions that allocated it.)
#pragma once

#include "ngx.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace sallyport::ngx {

#if defined(__SANITIZE_ADDRESS__)

// A worker that exits forgets the arrays of its connections.
inline void expect_leaks_of_worker(const ngx_cycle_t& cycle) {
  for (const void* array : {static_cast<const void*>(cycle.connections), static_cast<const void*>(cycle.read_events),
                            static_cast<const void*>(cycle.write_events)}) {
    if (array != nullptr) __lsan_ignore_object(array);
  }
}

// `nginx -t` forgets the configuration that it read.
inline ngx_int_t expect_leaks_of_test(ngx_cycle_t* cycle) {
  if (ngx_test_config) __lsan_ignore_object(cycle->pool);
  return NGX_OK;
}
constexpr auto* kExpectLeaksOfTest = &expect_leaks_of_test;

#else

inline void expect_leaks_of_worker(const ngx_cycle_t&) {}
constexpr ngx_int_t (*kExpectLeaksOfTest)(ngx_cycle_t*) = nullptr;

#endif

}  // namespace sallyport::ngx
