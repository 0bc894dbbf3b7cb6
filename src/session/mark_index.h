// The replay marks' hash chains, order of expiry, and number by IdP.
#pragma once

#include "session/expiry_heap.h"
#include "session/idp_counts.h"
#include "session/table_layout.h"

namespace sallyport::session {

// For writers, under the table's mutex. Marks have no other readers.
class MarkIndex {
 public:
  explicit MarkIndex(const Block& block) noexcept
      : block_(block), header_(block.header()), heap_(block, block.header().mark_heap),
        counts_(block, Counted::kMarks) {}

  // The mark's place, or 0.
  Unit locate(const Key& answer) const noexcept;

  void link(Unit at) noexcept;
  void unlink(Unit at) noexcept;

  // All of the mark at `from` was copied to `to`, which takes its place.
  void repoint(Unit from, Unit to) noexcept;

  // The mark that expires first, or 0.
  Unit first_to_expire() const noexcept { return heap_.top(); }
  bool any_expired(Milliseconds now) const noexcept { return heap_.expired(now); }

  // How many there may be in all and of one IdP.
  std::uint32_t most() const noexcept;
  std::uint32_t most_of_idp() const noexcept { return most() / 4; }

  // Whether an IdP may have one more.
  bool has_room(std::uint64_t idp) const noexcept;

  // Whether the mark is found, and its neighbours know it.
  bool holds(Unit at) const noexcept;

 private:
  Unit& link_to(Unit at) const noexcept;
  void count(std::uint64_t idp, int change) noexcept;

  const Block& block_;
  Header& header_;
  ExpiryHeap heap_;
  IdpCounts counts_;
};

}  // namespace sallyport::session
