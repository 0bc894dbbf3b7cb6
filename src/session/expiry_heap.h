// Sessions (or marks) in the order in which they expire.
#pragma once

#include "session/table_layout.h"

namespace sallyport::session {

// A leftist heap: its links lie in the entries themselves, so it needs no memory and no limit, and
// every call takes a logarithmic number of steps at most.
class ExpiryHeap {
 public:
  // `root` lies in the block's header.
  ExpiryHeap(const Block& block, Unit& root) noexcept : block_(block), root_(root) {}

  // The entry that expires first, or 0.
  Unit top() const noexcept { return load(root_); }

  // Whether there is a top and it has expired.
  bool expired(Milliseconds now) const noexcept {
    return top() != 0 && load(block_.entry(top()).expires_at) <= now;
  }

  void insert(Unit at) noexcept;
  void remove(Unit at) noexcept;

  // The entry at `from`, with its links, was copied to `to`, which takes its place.
  void repoint(Unit from, Unit to) noexcept;

  // Whether the entry's links and order fit its neighbours.
  bool holds(Unit at) const noexcept;

 private:
  bool later(Unit a, Unit b) const noexcept;
  unsigned rank(Unit at) const noexcept;
  bool settle(Unit at) noexcept;
  void set_parent(Unit at, Unit parent) noexcept;
  void replace_child(Unit parent, Unit from, Unit to) noexcept;
  Unit merge(Unit a, Unit b) noexcept;

  const Block& block_;
  Unit& root_;
};

}  // namespace sallyport::session
