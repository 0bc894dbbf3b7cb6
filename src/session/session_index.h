// The sessions' lists: order of use, by user, by IdP session, order of expiry; and their buckets.
#pragma once

#include <algorithm>

#include "session/bucket_table.h"
#include "session/expiry_heap.h"
#include "session/idp_counts.h"
#include "session/table_layout.h"

namespace sallyport::session {

// For writers, under the table's mutex.
class SessionIndex {
 public:
  explicit SessionIndex(const Block& block) noexcept
      : block_(block), header_(block.header()), buckets_(block),
        heap_(block, block.header().session_heap), units_(block, Counted::kUnits) {}

  // The session's place, or 0.
  Unit locate(const Key& key) const noexcept { return buckets_.locate(key); }

  // Enters a session, as the one used last, into everything.
  void link(Unit at) noexcept;

  // While all buckets are closed to readers: enters a session into the buckets, or puts it in the
  // place of `from` there; and then, from the oldest to the newest, into all else.
  void restore_in_bucket(Unit from, Unit at) noexcept { buckets_.restore(from, at); }
  void restore_in_lists(Unit at) noexcept;

  // Takes a session out of everything; its memory may be used for something else afterwards.
  void unlink(Unit at) noexcept;

  // Puts a session that is in no list in the place of another with the same key. It becomes the
  // one used last. A reader finds one or the other at any moment.
  void exchange(Unit from, Unit to) noexcept;

  // All of the session at `from` was copied to `to`, which takes its place.
  void repoint(Unit from, Unit to) noexcept;

  // Makes the session the one used last.
  void move_to_front(Unit at) noexcept;

  // The least recently used session, or 0.
  Unit oldest() const noexcept { return load(header_.oldest_use); }

  // The session used last, or 0.
  Unit newest() const noexcept { return load(header_.newest_use); }

  // Towards the newest; 0 ends it.
  Unit used_after(Unit at) const noexcept { return load(block_.session(at).use.next); }
  // How many sessions were entered since this one was the one used last.
  std::uint32_t age(Unit at) const noexcept { return load(header_.insertions) - load(block_.session(at).moved); }
  // Calls `visit(Unit)` for sessions in no order, for other ones after each insertion, until it returns false or about
  // 128 buckets (some 350 sessions) are seen.
  template <class Visit>
  void for_some(Visit visit) const noexcept {
    const std::uint32_t buckets = block_.geometry().buckets;
    const std::uint32_t first = load(header_.insertions) * 0x9E3779B1u % buckets;
    bool goes_on = true;
    for (std::uint32_t i = 0; goes_on && i < std::min(buckets, 128u); ++i) {
      buckets_.for_each(block_.bucket((first + i) % buckets), [&](Unit at) { goes_on = goes_on && visit(at); });
    }
  }

  // How much the users of this one's IdP hold together.
  Unit units_of_idp(Owner owner) const noexcept { return units_.of(idp_of(owner)); }

  // The session that expires first, or 0.
  Unit first_to_expire() const noexcept { return heap_.top(); }
  bool any_expired(Milliseconds now) const noexcept { return heap_.expired(now); }

  // The list that may hold a hash, among others; 0 ends it. A hash of 0 is in no list.
  Unit first(IndexKind kind, std::uint64_t hash) const noexcept;
  Unit next(IndexKind kind, Unit at) const noexcept { return load(links(kind, at).next); }
  std::uint64_t hash_of(IndexKind kind, Unit at) const noexcept;

  // Whether the session is found, and its neighbours in all lists know it.
  bool holds(Unit at) const noexcept;

 private:
  Links& links(IndexKind kind, Unit at) const noexcept;
  Unit& link_to(IndexKind kind, Unit at) const noexcept;
  Unit& use_link_to(Unit at) const noexcept;
  Unit& use_link_back_to(Unit at) const noexcept;
  void link_lists(Unit at) noexcept;
  void unlink_lists(Unit at) noexcept;
  void count(Unit at, int sign) noexcept;
  void link_use(Unit at) noexcept;
  void unlink_use(Unit at) noexcept;
  void link_by(IndexKind kind, Unit at) noexcept;
  void unlink_by(IndexKind kind, Unit at) noexcept;
  void repoint_by(IndexKind kind, Unit to) noexcept;
  bool holds_by(IndexKind kind, Unit at) const noexcept;

  const Block& block_;
  Header& header_;
  BucketTable buckets_;
  ExpiryHeap heap_;
  IdpCounts units_;
};

}  // namespace sallyport::session
