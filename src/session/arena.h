// Memory for sessions and marks inside the block: a segregated-fit allocator.
#pragma once

#include "session/table_layout.h"

namespace sallyport::session {

// Chunks of whole units. Free ones hang on lists by size (exact below 32 units, in steps of a
// sixteenth above) and are merged with free neighbours at once. Constant time per call.
//
// All calls are made under the table's mutex. A process may be killed in any of them: the chunks'
// sizes stay walkable, and rebuild() makes the lists anew.
class Arena {
 public:
  explicit Arena(const Block& block) noexcept
      : block_(block), state_(block.header().arena), begin_(block.geometry().arena_begin),
        end_(block.geometry().arena_end) {}

  // Makes everything one free chunk.
  void format() noexcept;

  // A reserved chunk of exactly `size` units (at least 1), or 0.
  Unit allocate(Unit size) noexcept;

  // Frees a chunk of any other state.
  void free(Unit at) noexcept;

  // Makes a free chunk a reserved one.
  void claim(Unit at) noexcept;

  // Makes two reserved chunks, `second` right behind `first`, one.
  void join(Unit first, Unit second) noexcept;

  // Cuts a reserved chunk to `size` units and frees the rest.
  void trim(Unit at, Unit size) noexcept;

  // The walk over all chunks; next() of the last one is end().
  Unit begin() const noexcept { return begin_; }
  Unit end() const noexcept { return end_; }
  Unit next(Unit at) const noexcept { return at + block_.chunk(at).size(); }

  Unit units() const noexcept { return end_ - begin_; }
  Unit free_units() const noexcept { return load(state_.free_units); }

  // Whether the sizes lead from the first chunk to the end, and all states are known ones.
  bool walkable() const noexcept;

  // Makes the lists anew from a walkable arena, merging what is free or reserved.
  void rebuild() noexcept;

  // Null when every invariant holds, else the name of one that does not.
  const char* check() const noexcept;

 private:
  struct Class {
    unsigned level;
    unsigned index;
  };

  static Class class_of(Unit size) noexcept;
  Unit& head(Class c) const noexcept { return state_.heads[c.level][c.index]; }
  Unit find(Unit size) const noexcept;
  Unit first_above(Class c) const noexcept;
  void link(Unit at) noexcept;
  void unlink(Unit at) noexcept;
  void set_previous_size_behind(Unit at) noexcept;
  void make_free(Unit at, Unit size) noexcept;
  const char* check_list(Class c, Unit* units) const noexcept;

  const Block& block_;
  ArenaState& state_;
  Unit begin_;
  Unit end_;
};

}  // namespace sallyport::session
