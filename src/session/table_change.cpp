#include "session/table_change.h"

#include "session/table_recovery.h"

namespace sallyport::session {

TableChange::TableChange(const Block& block, Mutex& mutex, Recovery* recovery) noexcept
    : block_(block), mutex_(mutex), arena(block), sessions(block), marks(block),
      room(block, arena, sessions, marks) {
  mutex_.lock();
  std::uint32_t& writing = block_.header().writing;
  if (load(writing) != 0) {
    const Recovery found = recover(block_);
    recovery->recovered = true;
    recovery->reset |= found.reset;
    recovery->sessions_dropped += found.sessions_dropped;
  }
  store(writing, 1);
  // A reader that sees what this change writes over freed memory also sees, by its own fence, the
  // bucket's sequence as it was left by the change that freed it, maybe in another process.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

TableChange::~TableChange() {
  commit(block_.header().writing, 0);
  mutex_.unlock();
}

void TableChange::set_clock(Milliseconds now) noexcept {
  // The workers' clocks differ by milliseconds: that must not make one change drop all that expired overnight.
  constexpr int kAtOnce = 64;
  Milliseconds& clock = block_.header().clock;
  if (now < load(clock)) {
    room.drop_expired_sessions(load(clock), kAtOnce);
    if (sessions.any_expired(load(clock))) return;
  }
  if (now != load(clock)) store(clock, now);
}

void TableChange::clean_up(Milliseconds now) noexcept {
  constexpr int kAtOnce = 2;
  room.drop_expired_sessions(now, kAtOnce);
  room.drop_expired_marks(now, kAtOnce);
}

}  // namespace sallyport::session
