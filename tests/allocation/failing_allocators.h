// The three allocators that the core's memory comes from, each with a switch that lets the n-th call fail, and
// with a count of what is not freed yet.
#pragma once

#include <cstddef>

namespace sallyport::testing {

enum class Allocator { kNew, kLibxml2, kOpenSsl };
constexpr Allocator kAllocators[] = {Allocator::kNew, Allocator::kLibxml2, Allocator::kOpenSsl};
const char* name_of(Allocator allocator);

// Puts ours into libxml2 and OpenSSL: before anything of theirs is called. Ends the process where that
// is not possible.
void install_failing_allocators();

// Blocks that are allocated and not freed.
std::size_t live_blocks(Allocator allocator);

// While it lives, calls of one allocator are counted, and the n-th (from 1) fails; with `all_later` those behind
// it too. 0: none fails. Only one at a time, in one thread.
class FailAllocation {
 public:
  FailAllocation(Allocator allocator, std::size_t nth, bool all_later);
  ~FailAllocation();
  FailAllocation(const FailAllocation&) = delete;
  FailAllocation& operator=(const FailAllocation&) = delete;

  std::size_t calls() const;
  bool has_failed() const;
  // Bytes that the first one that failed was asked for.
  std::size_t failed_size() const;
};

}  // namespace sallyport::testing
