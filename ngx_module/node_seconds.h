// The clock that orders what the processes of one node know: nobody sets it, and it means nothing to another node.
#pragma once

#include <chrono>
#include <cstdint>

namespace sallyport::ngx {

inline std::uint32_t node_seconds() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  // Never 0, which says that nothing is known.
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(time).count() + 1);
}

}  // namespace sallyport::ngx
