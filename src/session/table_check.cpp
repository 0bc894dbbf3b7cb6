#include "session/arena.h"
#include "session/entries.h"
#include "session/mark_index.h"
#include "session/session_index.h"
#include "session/table_recovery.h"

namespace sallyport::session {
namespace {

struct Count {
  std::uint32_t sessions = 0;
  std::uint32_t marks = 0;
  std::uint64_t owned_units = 0;  // of sessions of some IdP
};

const char* check_session(const Block& block, const SessionIndex& sessions, Unit at) noexcept {
  if (!intact(block.session(at))) return "session: torn";
  return sessions.holds(at) ? nullptr : "session: its neighbours do not know it";
}

const char* check_mark(const Block& block, const MarkIndex& marks, Unit at) noexcept {
  if (!intact(block.mark(at))) return "mark: torn";
  return marks.holds(at) ? nullptr : "mark: its neighbours do not know it";
}

const char* check_chunks(const Block& block, Count* count) noexcept {
  const Arena arena(block);
  const SessionIndex sessions(block);
  const MarkIndex marks(block);
  const char* error = nullptr;
  for (Unit at = arena.begin(); at != arena.end() && error == nullptr; at = arena.next(at)) {
    switch (block.chunk(at).state()) {
      case ChunkState::kFree:
        break;
      case ChunkState::kReserved:
        return "arena: a reserved chunk was left behind";
      case ChunkState::kSession:
        ++count->sessions;
        if (load(block.session(at).owner) != 0) count->owned_units += block.chunk(at).size();
        error = check_session(block, sessions, at);
        break;
      case ChunkState::kMark:
        ++count->marks;
        error = check_mark(block, marks, at);
        break;
    }
  }
  return error;
}

// The number of sessions in the order of use and in all buckets; neither may hold more than exist.
const char* check_sessions(const Block& block, std::uint32_t sessions) noexcept {
  std::uint32_t listed = 0;
  for (Unit at = load(block.header().oldest_use); at != 0; at = load(block.session(at).use.next)) {
    if (++listed > sessions) break;
  }
  if (listed != sessions) return "sessions: the order of use is not complete";
  std::uint32_t found = 0;
  for (std::uint32_t i = 0; i < block.geometry().buckets; ++i) {
    const Bucket& bucket = block.bucket(i);
    if (bucket.sequence.writing()) return "bucket: left closed";
    for (const std::uint64_t& slot : bucket.slots) found += load(slot) != 0;
    for (Unit at = load(bucket.overflow); at != 0; at = load(block.session(at).overflow)) {
      if (++found > sessions) return "bucket: an endless chain";
    }
  }
  return found == sessions ? nullptr : "buckets: not one for one";
}

bool is_counted(const Block& block, Counted what, std::uint64_t all) noexcept {
  for (unsigned row = 0; row < 2; ++row) {
    std::uint64_t counted = 0;
    for (std::uint32_t i = 0; i < block.geometry().counts; ++i) counted += load(block.idp_count_at(what, row, i));
    if (counted != all) return false;
  }
  return true;
}

}  // namespace

const char* check_block(const Block& block) noexcept {
  if (const char* error = Arena(block).check()) return error;
  Count count;
  if (const char* error = check_chunks(block, &count)) return error;
  if (load(block.header().sessions) != count.sessions) return "sessions: miscounted";
  if (load(block.header().marks) != count.marks) return "marks: miscounted";
  if (const char* error = check_sessions(block, count.sessions)) return error;
  if (!is_counted(block, Counted::kMarks, count.marks)) return "marks: miscounted by IdP";
  return is_counted(block, Counted::kUnits, count.owned_units) ? nullptr : "sessions: miscounted by IdP";
}

}  // namespace sallyport::session
