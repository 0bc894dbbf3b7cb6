// Memory that will be read soon.
#pragma once

namespace sallyport::session {

// Asks the CPU for the cache line of `address`, which need not be valid. The empty statement of assembly is for GCC: it
// takes a function that does nothing but prefetch for one without effects, and leaves its calls out.
inline void prefetch_line(const void* address) noexcept {
  __builtin_prefetch(address);
  __asm__ __volatile__("" : : "r"(address));
}

}  // namespace sallyport::session
