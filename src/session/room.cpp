#include "session/room.h"

#include <algorithm>

#include "session/entries.h"

namespace sallyport::session {
namespace {

// So many chunks are looked at for a window; a zone full of marks must not hold up the worker.
constexpr int kPoliteSteps = 1 << 10;
constexpr int kMostSteps = 1 << 16;

// A larger chunk hardly ever comes free by itself: no more goes for it than makes room in pieces.
constexpr Unit kLarge = 64;

// Who has so many sessions, and wants room where there is none, gives up the oldest.
constexpr int kManySessions = 64;
// So many of a list are looked at for one that may go.
constexpr int kMostSeen = 128;

// Expired marks dropped before a session must go.
constexpr int kMarksFirst = 64;

}  // namespace

void Room::drop_session(Unit at) noexcept {
  // First of all the state: a session that was being ended is not brought back by a recovery.
  block_.chunk(at).set_state(ChunkState::kReserved);
  sessions_.unlink(at);
  arena_.free(at);
}

void Room::drop_mark(Unit at) noexcept {
  Header& header = block_.header();
  store(header.forgotten, std::max(load(header.forgotten), load(block_.entry(at).expires_at)));
  block_.chunk(at).set_state(ChunkState::kReserved);
  marks_.unlink(at);
  arena_.free(at);
}

void Room::drop_expired_sessions(Milliseconds now, int most) noexcept {
  for (int i = 0; i < most && sessions_.any_expired(now); ++i) {
    drop_session(sessions_.first_to_expire());
    add(block_.header().counters.expired, 1);
  }
}

void Room::drop_expired_marks(Milliseconds now, int most) noexcept {
  for (int i = 0; i < most && marks_.any_expired(now); ++i) drop_mark(marks_.first_to_expire());
}

// The session that goes next whoever wants room, or 0.
Unit Room::due(Milliseconds now) const noexcept {
  if (sessions_.any_expired(now)) return sessions_.first_to_expire();
  return sessions_.oldest() != sessions_.newest() ? sessions_.oldest() : 0;
}

// The session that goes next, or 0. Neither a user nor an IdP's whole flood of logins ends the sessions of all others.
Unit Room::victim(Milliseconds now) const noexcept {
  if (owner_ != 0 && !sessions_.any_expired(now)) {
    if (const Unit own = oldest_of_owner()) return own;
    if (const Unit of_idp = one_of_idp()) return of_idp;
  }
  return due(now);
}

// 0: he has not many.
Unit Room::oldest_of_owner() const noexcept {
  Unit oldest = 0;
  int found = 0, seen = 0;
  for (Unit at = has_user(owner_) ? sessions_.first(IndexKind::kUser, owner_) : 0; at != 0 && seen < kMostSeen; ++seen) {
    if (sessions_.hash_of(IndexKind::kUser, at) == owner_) {
      ++found;
      oldest = older(oldest, at);
    }
    at = sessions_.next(IndexKind::kUser, at);
  }
  return found >= kManySessions ? oldest : 0;
}

// 0: the IdP holds no more than a quarter. Else its oldest, where that is among the oldest of all; or one of its older ones.
Unit Room::one_of_idp() const noexcept {
  if (sessions_.units_of_idp(owner_) <= arena_.units() / 4) return 0;
  Unit at = sessions_.oldest();
  for (int seen = 0; at != 0 && seen < kMostSeen; ++seen, at = sessions_.used_after(at)) {
    if (is_of_idp(at)) return older(0, at);
  }
  constexpr int kEnough = 32;
  Unit oldest = 0;
  int found = 0;
  sessions_.for_some([&](Unit some) {
    if (is_of_idp(some)) {
      ++found;
      oldest = older(oldest, some);
    }
    return found < kEnough;
  });
  return oldest;
}

// What is nobody's counts as everybody's.
bool Room::is_of_idp(Unit at) const noexcept {
  const Owner owner = load(block_.session(at).owner);
  return owner == 0 || idp_of(owner) == idp_of(owner_);
}

// Of two (`one` may be 0) the one used less lately, never the newest of all: that may be the one that is being replaced.
Unit Room::older(Unit one, Unit other) const noexcept {
  if (other == sessions_.newest()) return one;
  return one == 0 || sessions_.age(other) >= sessions_.age(one) ? other : one;
}

void Room::count_evicted(Unit session, Milliseconds now) noexcept {
  Counters& counters = block_.header().counters;
  if (load(block_.entry(session).expires_at) <= now) {
    add(counters.expired, 1);
  } else if (has_user(load(block_.session(session).owner))) {
    add(counters.evicted_live, 1);
    ++live_evicted_;
  }
}

// The units that are free thereby.
Unit Room::evict(Unit session, Milliseconds now) noexcept {
  const Unit size = block_.chunk(session).size();
  count_evicted(session, now);
  drop_session(session);
  return size;
}

Unit Room::make(Unit size, Owner owner, Milliseconds now) noexcept {
  owner_ = owner;
  Unit at = arena_.allocate(size);
  if (at != 0) return at;
  drop_expired_marks(now, kMarksFirst);
  Unit gained = 0;
  const Unit budget = size > kLarge ? 2 * size - std::min(2 * size, arena_.free_units()) : 2 * size;
  while ((at = arena_.allocate(size)) == 0 && gained < budget) {
    const Unit session = victim(now);
    if (session == 0) break;
    gained += evict(session, now);
  }
  if (at != 0) return at;
  // Enough is free, but in pieces. Start where a session is due to go anyway.
  for (const Manner manner : {Manner::kPolite, Manner::kForced}) {
    if (sessions_.oldest() != 0) at = clear_window(sessions_.oldest(), size, now, manner);
    if (at == 0) at = clear_window(arena_.begin(), size, now, manner);
    if (at != 0) break;
  }
  return at;
}

// Makes one reserved chunk of neighbours, from `from` on.
Unit Room::clear_window(Unit from, Unit size, Milliseconds now, Manner manner) noexcept {
  int steps = manner == Manner::kPolite ? kPoliteSteps : kMostSteps;
  Unit budget = size + kLarge;
  Unit window = 0;
  for (Unit at = from; steps > 0 && at != arena_.end(); --steps) {
    if (!clear(at, now, manner, &budget)) {
      if (window != 0) arena_.free(window);
      window = 0;
      at = arena_.next(at);
      continue;
    }
    if (window == 0) {
      window = at;
    } else {
      arena_.join(window, at);
    }
    if (block_.chunk(window).size() >= size) {
      arena_.trim(window, size);
      return window;
    }
    at = arena_.next(window);
  }
  if (window != 0) arena_.free(window);
  return 0;
}

// Makes one chunk a reserved one; false when it is a mark or session that has to stay.
bool Room::clear(Unit at, Milliseconds now, Manner manner, Unit* budget) noexcept {
  switch (block_.chunk(at).state()) {
    case ChunkState::kFree:
      arena_.claim(at);
      return true;
    case ChunkState::kSession:
      if (move_away(at, now, budget)) return true;
      // The newest may be the one that is being replaced.
      if (at == sessions_.newest()) return false;
      if (manner == Manner::kPolite && at != due(now)) return false;
      count_evicted(at, now);
      block_.chunk(at).set_state(ChunkState::kReserved);
      sessions_.unlink(at);
      return true;
    case ChunkState::kMark:
      return move_away(at, now, budget);
    case ChunkState::kReserved:
      break;
  }
  return false;
}

// Moves a session or mark. Rather than it, the least recently used sessions go, while `budget`
// (units) lasts.
bool Room::move_away(Unit at, Milliseconds now, Unit* budget) noexcept {
  while (move(at) == 0) {
    const Unit session = victim(now);
    if (session == 0 || session == at || *budget == 0) return false;
    *budget -= std::min(*budget, evict(session, now));
  }
  return true;
}

// Moves a session or mark to where there is room; its old place stays reserved.
Unit Room::move(Unit at) noexcept {
  const Unit to = arena_.allocate(block_.chunk(at).size());
  if (to == 0) return 0;
  copy_entry(block_.entry(at), block_.entry(to));
  if (block_.chunk(at).state() == ChunkState::kSession) {
    sessions_.repoint(at, to);
  } else {
    marks_.repoint(at, to);
  }
  block_.chunk(at).set_state(ChunkState::kReserved);
  return to;
}

}  // namespace sallyport::session
