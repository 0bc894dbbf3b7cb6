// For a build under AddressSanitizer, whose leak check runs at the end of each process.
#pragma once

#include "ngx.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace sallyport::ngx {

// nginx forgets the arrays of its connections when a worker exits. (A list of suppressions would cost every worker a
// tenth of a second: it wants the names of the functions that allocated them.)
inline void expect_leaks_of_nginx([[maybe_unused]] const ngx_cycle_t& cycle) {
#if defined(__SANITIZE_ADDRESS__)
  for (const void* array : {static_cast<const void*>(cycle.connections), static_cast<const void*>(cycle.read_events),
                            static_cast<const void*>(cycle.write_events)}) {
    if (array != nullptr) __lsan_ignore_object(array);
  }
#endif
}

}  // namespace sallyport::ngx
