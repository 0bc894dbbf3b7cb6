// How much of the block is each IdP's: its marks by number, its users' sessions by size.
#pragma once

#include <algorithm>

#include "session/table_layout.h"

namespace sallyport::session {

// For writers, under the table's mutex. Each IdP is counted in two places that it may share with others; the lower
// count is taken, so that none is counted too low, and hardly ever too high.
class IdpCounts {
 public:
  IdpCounts(const Block& block, Counted what) noexcept : block_(block), what_(what) {}

  std::uint32_t of(std::uint64_t idp) const noexcept {
    return std::min(load(block_.idp_count(what_, 0, idp)), load(block_.idp_count(what_, 1, idp)));
  }

  void change(std::uint64_t idp, std::int64_t by) noexcept {
    for (unsigned row = 0; row < 2; ++row) add(block_.idp_count(what_, row, idp), static_cast<std::uint32_t>(by));
  }

 private:
  const Block& block_;
  Counted what_;
};

}  // namespace sallyport::session
