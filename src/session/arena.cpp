#include "session/arena.h"

namespace sallyport::session {
namespace {

// How many chunks of the wanted size's own class are tried before a larger class is taken.
constexpr int kTries = 4;

unsigned highest_bit(Unit size) noexcept {
  return 31u - static_cast<unsigned>(__builtin_clz(size));
}

bool known(ChunkState state) noexcept {
  return state == ChunkState::kFree || state == ChunkState::kReserved ||
         state == ChunkState::kSession || state == ChunkState::kMark;
}

bool unused(ChunkState state) noexcept {
  return state == ChunkState::kFree || state == ChunkState::kReserved;
}

}  // namespace

// Sizes below 16 units have a class each in level 0, so that level 1 holds 16 to 31 units.
Arena::Class Arena::class_of(Unit size) noexcept {
  if (size < kClasses) return {0, size};
  const unsigned bit = highest_bit(size);
  return {bit - kClassBits + 1, (size >> (bit - kClassBits)) & (kClasses - 1)};
}

void Arena::format() noexcept {
  store(block_.chunk(begin_).previous_size, 0);
  block_.chunk(begin_).set(units(), ChunkState::kFree);
  rebuild();
}

Unit Arena::first_above(Class c) const noexcept {
  const std::uint32_t rest = load(state_.classes[c.level]) & ~((2u << c.index) - 1);
  if (rest != 0) return head({c.level, static_cast<unsigned>(__builtin_ctz(rest))});
  const std::uint32_t levels = load(state_.levels) & ~((2u << c.level) - 1);
  if (levels == 0) return 0;
  const auto level = static_cast<unsigned>(__builtin_ctz(levels));
  return head({level, static_cast<unsigned>(__builtin_ctz(load(state_.classes[level])))});
}

Unit Arena::find(Unit size) const noexcept {
  const Class own = class_of(size);
  Unit at = load(head(own));
  for (int i = 0; at != 0 && i < kTries; ++i, at = load(block_.free_chunk(at).links.next)) {
    if (block_.chunk(at).size() >= size) return at;
  }
  return first_above(own);
}

void Arena::link(Unit at) noexcept {
  const Unit size = block_.chunk(at).size();
  const Class c = class_of(size);
  const Unit next = load(head(c));
  store(block_.free_chunk(at).links.previous, 0);
  store(block_.free_chunk(at).links.next, next);
  if (next != 0) store(block_.free_chunk(next).links.previous, at);
  store(head(c), at);
  store(state_.classes[c.level], load(state_.classes[c.level]) | (1u << c.index));
  store(state_.levels, load(state_.levels) | (1u << c.level));
  add(state_.free_units, size);
}

void Arena::unlink(Unit at) noexcept {
  const Unit size = block_.chunk(at).size();
  const Class c = class_of(size);
  const Unit previous = load(block_.free_chunk(at).links.previous);
  const Unit next = load(block_.free_chunk(at).links.next);
  store(previous != 0 ? block_.free_chunk(previous).links.next : head(c), next);
  if (next != 0) store(block_.free_chunk(next).links.previous, previous);
  store(state_.free_units, load(state_.free_units) - size);
  if (load(head(c)) != 0) return;
  const std::uint32_t classes = load(state_.classes[c.level]) & ~(1u << c.index);
  store(state_.classes[c.level], classes);
  if (classes == 0) store(state_.levels, load(state_.levels) & ~(1u << c.level));
}

void Arena::set_previous_size_behind(Unit at) noexcept {
  const Unit behind = next(at);
  if (behind != end_) store(block_.chunk(behind).previous_size, block_.chunk(at).size());
}

void Arena::make_free(Unit at, Unit size) noexcept {
  block_.chunk(at).set(size, ChunkState::kFree);
  set_previous_size_behind(at);
  link(at);
}

Unit Arena::allocate(Unit size) noexcept {
  const Unit at = find(size);
  if (at == 0) return 0;
  claim(at);
  trim(at, size);
  return at;
}

void Arena::claim(Unit at) noexcept {
  unlink(at);
  block_.chunk(at).set_state(ChunkState::kReserved);
}

void Arena::trim(Unit at, Unit size) noexcept {
  const Unit whole = block_.chunk(at).size();
  if (whole == size) return;
  // The rest gets its size while no walk can see it yet.
  const Unit rest = at + size;
  store(block_.chunk(rest).previous_size, size);
  block_.chunk(rest).set(whole - size, ChunkState::kReserved);
  block_.chunk(at).set(size, ChunkState::kReserved);
  set_previous_size_behind(rest);
  free(rest);
}

void Arena::free(Unit at) noexcept {
  Unit size = block_.chunk(at).size();
  const Unit behind = at + size;
  if (behind != end_ && block_.chunk(behind).state() == ChunkState::kFree) {
    unlink(behind);
    size += block_.chunk(behind).size();
  }
  const Unit before = at - load(block_.chunk(at).previous_size);
  if (before != at && block_.chunk(before).state() == ChunkState::kFree) {
    unlink(before);
    size += block_.chunk(before).size();
    at = before;
  }
  make_free(at, size);
}

void Arena::join(Unit first, Unit second) noexcept {
  block_.chunk(first).set(block_.chunk(first).size() + block_.chunk(second).size(),
                          ChunkState::kReserved);
  set_previous_size_behind(first);
}

bool Arena::walkable() const noexcept {
  Unit at = begin_;
  while (at != end_) {
    const Chunk& chunk = block_.chunk(at);
    if (chunk.size() == 0 || chunk.size() > end_ - at || !known(chunk.state())) return false;
    const bool entry = !unused(chunk.state());
    if (entry && chunk.size() < sizeof(Session) / kUnit) return false;
    at += chunk.size();
  }
  return true;
}

void Arena::rebuild() noexcept {
  store(state_.levels, 0);
  store(state_.free_units, 0);
  for (unsigned level = 0; level < kLevels; ++level) {
    store(state_.classes[level], 0);
    for (Unit& chunk_head : state_.heads[level]) store(chunk_head, 0);
  }
  Unit previous_size = 0;
  for (Unit at = begin_; at != end_; at = next(at)) {
    Chunk& chunk = block_.chunk(at);
    store(chunk.previous_size, previous_size);
    if (unused(chunk.state())) {
      Unit size = chunk.size();
      while (at + size != end_ && unused(block_.chunk(at + size).state())) {
        size += block_.chunk(at + size).size();
      }
      make_free(at, size);
    }
    previous_size = chunk.size();
  }
}

const char* Arena::check_list(Class c, Unit* units) const noexcept {
  const bool marked = (load(state_.classes[c.level]) & (1u << c.index)) != 0;
  if (marked != (load(head(c)) != 0)) return "arena: a class is marked wrongly";
  Unit previous = 0;
  for (Unit at = load(head(c)); at != 0; at = load(block_.free_chunk(at).links.next)) {
    const Class found = class_of(block_.chunk(at).size());
    if (block_.chunk(at).state() != ChunkState::kFree) return "arena: a listed chunk is not free";
    if (found.level != c.level || found.index != c.index) return "arena: a chunk's class is wrong";
    if (load(block_.free_chunk(at).links.previous) != previous) return "arena: a list is broken";
    previous = at;
    *units += block_.chunk(at).size();
    if (*units > this->units()) return "arena: a list has a loop";
  }
  return nullptr;
}

const char* Arena::check() const noexcept {
  if (!walkable()) return "arena: not walkable";
  Unit listed = 0;
  for (unsigned level = 0; level < kLevels; ++level) {
    const bool marked = (load(state_.levels) & (1u << level)) != 0;
    if (marked != (load(state_.classes[level]) != 0)) return "arena: a level is marked wrongly";
    for (unsigned index = 0; index < kClasses; ++index) {
      if (const char* error = check_list({level, index}, &listed)) return error;
    }
  }
  Unit free_units = 0;
  Unit previous_size = 0;
  bool previous_free = false;
  for (Unit at = begin_; at != end_; at = next(at)) {
    const Chunk& chunk = block_.chunk(at);
    const bool is_free = chunk.state() == ChunkState::kFree;
    if (load(chunk.previous_size) != previous_size) return "arena: a previous size is wrong";
    if (is_free && previous_free) return "arena: free neighbours were not merged";
    if (is_free) free_units += chunk.size();
    previous_size = chunk.size();
    previous_free = is_free;
  }
  if (listed != free_units) return "arena: the lists do not hold what is free";
  if (load(state_.free_units) != free_units) return "arena: the free units are miscounted";
  return nullptr;
}

}  // namespace sallyport::session
