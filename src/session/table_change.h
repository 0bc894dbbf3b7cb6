// One change of the table: the mutex is held and the block is in order as long as this lives.
#pragma once

#include "session/arena.h"
#include "session/mark_index.h"
#include "session/room.h"
#include "session/session_index.h"
#include "session/session_table.h"

namespace sallyport::session {

class TableChange {
 public:
  // Repairs the block first if the last change was cut off, and adds that to `recovery`.
  TableChange(const Block& block, Mutex& mutex, Recovery* recovery) noexcept;
  ~TableChange();

  TableChange(const TableChange&) = delete;
  TableChange& operator=(const TableChange&) = delete;

  // Tells the table what time it is. If the clock was set back, the sessions that had expired before that are dropped, some with
  // each change, and until they are all gone the earlier time counts.
  void set_clock(Milliseconds now) noexcept;

  // A little of what has expired.
  void clean_up(Milliseconds now) noexcept;

 private:
  const Block& block_;
  Mutex& mutex_;

 public:
  Arena arena;
  SessionIndex sessions;
  MarkIndex marks;
  Room room;
};

}  // namespace sallyport::session
