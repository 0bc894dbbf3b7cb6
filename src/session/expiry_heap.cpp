#include "session/expiry_heap.h"

#include <utility>

namespace sallyport::session {

bool ExpiryHeap::later(Unit a, Unit b) const noexcept {
  return load(block_.entry(a).expires_at) > load(block_.entry(b).expires_at);
}

// The length of the path along the right children.
unsigned ExpiryHeap::rank(Unit at) const noexcept {
  return at == 0 ? 0 : load(block_.entry(at).rank);
}

void ExpiryHeap::set_parent(Unit at, Unit parent) noexcept {
  if (at != 0) store(block_.entry(at).parent, parent);
}

void ExpiryHeap::replace_child(Unit parent, Unit from, Unit to) noexcept {
  if (parent == 0) {
    store(root_, to);
  } else if (load(block_.entry(parent).left) == from) {
    store(block_.entry(parent).left, to);
  } else {
    store(block_.entry(parent).right, to);
  }
}

// Puts the child of the higher rank to the left and computes the rank; whether that changed it.
bool ExpiryHeap::settle(Unit at) noexcept {
  Entry& entry = block_.entry(at);
  Unit left = load(entry.left);
  Unit right = load(entry.right);
  if (rank(left) < rank(right)) {
    std::swap(left, right);
    store(entry.left, left);
    store(entry.right, right);
  }
  const auto now = static_cast<std::uint16_t>(rank(right) + 1);
  const bool changed = now != load(entry.rank);
  store(entry.rank, now);
  return changed;
}

// Merges along the right paths, which are short, then settles the ranks on the way back.
Unit ExpiryHeap::merge(Unit a, Unit b) noexcept {
  if (a == 0) return b;
  if (b == 0) return a;
  if (later(a, b)) std::swap(a, b);
  const Unit top = a;
  Unit at = a;
  Unit other = b;
  while (other != 0) {
    Unit right = load(block_.entry(at).right);
    if (right == 0 || later(right, other)) {
      store(block_.entry(at).right, other);
      set_parent(other, at);
      std::swap(right, other);
    }
    at = right;
  }
  while (at != top) {
    settle(at);
    at = load(block_.entry(at).parent);
  }
  settle(top);
  return top;
}

void ExpiryHeap::insert(Unit at) noexcept {
  Entry& entry = block_.entry(at);
  store(entry.left, 0);
  store(entry.right, 0);
  store(entry.rank, 1);
  const Unit root = merge(load(root_), at);
  set_parent(root, 0);
  store(root_, root);
}

void ExpiryHeap::remove(Unit at) noexcept {
  const Entry& entry = block_.entry(at);
  const Unit parent = load(entry.parent);
  const Unit rest = merge(load(entry.left), load(entry.right));
  set_parent(rest, parent);
  replace_child(parent, at, rest);
  for (Unit up = parent; up != 0 && settle(up);) up = load(block_.entry(up).parent);
}

void ExpiryHeap::repoint(Unit from, Unit to) noexcept {
  const Entry& entry = block_.entry(to);
  replace_child(load(entry.parent), from, to);
  set_parent(load(entry.left), to);
  set_parent(load(entry.right), to);
}

bool ExpiryHeap::holds(Unit at) const noexcept {
  const Entry& entry = block_.entry(at);
  const Unit parent = load(entry.parent);
  if (parent == 0 && top() != at) return false;
  if (parent != 0) {
    const Entry& above = block_.entry(parent);
    if (load(above.left) != at && load(above.right) != at) return false;
    if (later(parent, at)) return false;
  }
  for (const Unit child : {load(entry.left), load(entry.right)}) {
    if (child != 0 && load(block_.entry(child).parent) != at) return false;
  }
  return rank(load(entry.left)) >= rank(load(entry.right)) &&
         rank(at) == rank(load(entry.right)) + 1;
}

}  // namespace sallyport::session
