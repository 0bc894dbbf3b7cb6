#include "session/mark_index.h"

#include "session/bucket_table.h"

namespace sallyport::session {

std::uint32_t MarkIndex::most() const noexcept {
  const Geometry& geometry = block_.geometry();
  constexpr std::uint32_t kUnits = sizeof(Mark) / kUnit;
  return (geometry.arena_end - geometry.arena_begin) / 2 / kUnits;
}

bool MarkIndex::has_room(std::uint64_t idp) const noexcept {
  return load(header_.marks) < most() && counts_.of(idp) < most_of_idp();
}

Unit MarkIndex::locate(const Key& answer) const noexcept {
  Unit at = load(block_.mark_head(answer));
  while (at != 0 && !has_key(block_.entry(at), answer)) at = load(block_.mark(at).chain.next);
  return at;
}

void MarkIndex::count(std::uint64_t idp, int change) noexcept {
  counts_.change(idp, change);
  add(header_.marks, static_cast<std::uint32_t>(change));
}

Unit& MarkIndex::link_to(Unit at) const noexcept {
  const Unit previous = load(block_.mark(at).chain.previous);
  return previous != 0 ? block_.mark(previous).chain.next
                       : block_.mark_head(key_of(block_.entry(at)));
}

void MarkIndex::link(Unit at) noexcept {
  Mark& mark = block_.mark(at);
  store(mark.chain.previous, 0);
  const Unit next = load(link_to(at));
  store(mark.chain.next, next);
  if (next != 0) store(block_.mark(next).chain.previous, at);
  store(link_to(at), at);
  heap_.insert(at);
  count(load(mark.idp), 1);
}

void MarkIndex::unlink(Unit at) noexcept {
  const Mark& mark = block_.mark(at);
  const Unit next = load(mark.chain.next);
  store(link_to(at), next);
  if (next != 0) store(block_.mark(next).chain.previous, load(mark.chain.previous));
  heap_.remove(at);
  count(load(mark.idp), -1);
}

void MarkIndex::repoint(Unit from, Unit to) noexcept {
  const Unit next = load(block_.mark(to).chain.next);
  store(link_to(to), to);
  if (next != 0) store(block_.mark(next).chain.previous, to);
  heap_.repoint(from, to);
}

bool MarkIndex::holds(Unit at) const noexcept {
  const Unit next = load(block_.mark(at).chain.next);
  return locate(key_of(block_.entry(at))) == at && load(link_to(at)) == at &&
         (next == 0 || load(block_.mark(next).chain.previous) == at) && heap_.holds(at);
}

}  // namespace sallyport::session
