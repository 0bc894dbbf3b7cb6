// Room in the arena: taken when there is some, made when there is none.
#pragma once

#include "session/arena.h"
#include "session/mark_index.h"
#include "session/session_index.h"

namespace sallyport::session {

// For writers, under the table's mutex.
class Room {
 public:
  Room(const Block& block, Arena& arena, SessionIndex& sessions, MarkIndex& marks) noexcept
      : block_(block), arena_(arena), sessions_(sessions), marks_(marks) {}

  // A reserved chunk for something of `owner` (0: of nobody), or 0 when marks are in the way everywhere. What has
  // expired goes first, then sessions until enough is free: the owner's own where he has many, those of his IdP where
  // it holds more than its share, else the least recently used ones. Should that be in pieces, what lies between them
  // is moved; only if nothing else helps, a session goes because it is in the way, but never the one used last.
  Unit make(Unit size, Owner owner, Milliseconds now) noexcept;

  void drop_session(Unit at) noexcept;
  void drop_mark(Unit at) noexcept;

  // Drops what has expired, at most `most` of it.
  void drop_expired_sessions(Milliseconds now, int most) noexcept;
  void drop_expired_marks(Milliseconds now, int most) noexcept;

  // The sessions that make() has dropped although they had not expired.
  std::size_t live_evicted() const noexcept { return live_evicted_; }

 private:
  Unit due(Milliseconds now) const noexcept;
  Unit victim(Milliseconds now) const noexcept;
  Unit oldest_of_owner() const noexcept;
  Unit one_of_idp() const noexcept;
  bool is_of_idp(Unit at) const noexcept;
  Unit older(Unit one, Unit other) const noexcept;
  void count_evicted(Unit session, Milliseconds now) noexcept;
  Unit evict(Unit session, Milliseconds now) noexcept;
  enum class Manner { kPolite, kForced };
  Unit clear_window(Unit from, Unit size, Milliseconds now, Manner manner) noexcept;
  bool clear(Unit at, Milliseconds now, Manner manner, Unit* budget) noexcept;
  bool move_away(Unit at, Milliseconds now, Unit* budget) noexcept;
  Unit move(Unit at) noexcept;

  const Block& block_;
  Arena& arena_;
  SessionIndex& sessions_;
  MarkIndex& marks_;
  Owner owner_ = 0;  // for whom room is made
  std::size_t live_evicted_ = 0;
};

}  // namespace sallyport::session
