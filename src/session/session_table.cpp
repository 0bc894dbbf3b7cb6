#include "session/session_table.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "session/bucket_table.h"
#include "session/entries.h"
#include "session/prefetch.h"
#include "session/table_change.h"
#include "session/table_recovery.h"

namespace sallyport::session {
namespace {

constexpr std::uint64_t kMagic = 0x74726F70796C6C61;
constexpr std::uint32_t kLayoutVersion = 3;

// How often a reader tries again while a writer is at work, before it queues for the mutex.
constexpr int kReadTries = 64;

// How far back a clock may be set before marks that were forgotten in the meantime are not
// reckoned with: a clock that far ahead was plainly wrong, and logins must go on.
constexpr Milliseconds kLongestStepBack = Milliseconds{48} * 3600 * 1000;

// Expired marks that one mark() drops at most.
constexpr int kMostMarksDropped = 4096;

bool misaligned(const void* block) noexcept {
  return reinterpret_cast<std::uintptr_t>(block) % SessionTable::kAlignment != 0;
}

Unit max_session_units(const Geometry& geometry) noexcept {
  return (geometry.arena_end - geometry.arena_begin) / 8;
}

// The caller's memory for the copy; a second attempt uses the first one's when it is large enough.
class Copy {
 public:
  explicit Copy(const Memory& memory) noexcept : memory_(memory) {}

  // Null when there is no memory.
  char* room_for(std::size_t size) noexcept {
    if (bytes_ == nullptr || size > size_) {
      bytes_ = static_cast<char*>(memory_.allocate(memory_.context, size));
      size_ = size;
    }
    return bytes_;
  }

 private:
  const Memory& memory_;
  char* bytes_ = nullptr;
  std::size_t size_ = 0;
};

// One attempt to read a session; nothing when a writer was at work.
std::optional<FindResult> try_find(const Block& block, std::uint64_t hash, const Key& key,
                                   Milliseconds now, Part part, Copy* copy, Found* found) noexcept {
  const Header& header = block.header();
  const Milliseconds clock = std::max(now, load(header.clock));
  const Bucket& bucket = block.bucket_of(hash);
  const Lookup lookup = BucketTable(block).look_up(bucket, hash, key);
  if (lookup.outcome == Lookup::Outcome::kDisturbed) return std::nullopt;
  if (lookup.outcome == Lookup::Outcome::kAbsent) return FindResult::kAbsent;

  const Session& session = block.session(lookup.at);
  const std::size_t length = load(session.length);
  const std::size_t wanted = part == Part::kWhole ? length : load(session.front);
  found->expires_at = load(session.entry.expires_at);
  found->last_used = load(session.last_used);
  const std::uint32_t inserted_since = load(header.insertions) - load(session.moved);
  found->place_is_old = inserted_since > load(header.sessions) / 8;
  const std::size_t room = (block.geometry().arena_end - lookup.at) * kUnit - sizeof(Session);
  found->version = load(session.entry.version);
  if (length > room || wanted > length || !bucket.sequence.unchanged(lookup.begun)) return std::nullopt;

  if (found->expires_at <= clock) return FindResult::kAbsent;
  found->record = {};
  found->length = length;
  if (wanted == 0) return FindResult::kFound;
  char* bytes = copy->room_for(wanted);
  if (bytes == nullptr) return FindResult::kNoMemory;
  copy_out(bytes, session.record(), wanted);
  if (!bucket.sequence.unchanged(lookup.begun)) return std::nullopt;
  found->record = {bytes, wanted};
  return FindResult::kFound;
}

// Stores a session over one with the same key, if there is one.
InsertStatus put(const Block& block, TableChange* change, NewSession session,
                 Milliseconds now) noexcept {
  // The newest one is not evicted to make room; but it may be moved.
  Unit old = change->sessions.locate(session.key);
  if (old != 0) change->sessions.move_to_front(old);
  const Unit at = change->room.make(session_units(session.record.bytes.size()), session.owner, now);
  if (at == 0) return InsertStatus::kNoRoom;
  old = change->sessions.locate(session.key);
  if (old != 0) session.version = static_cast<std::uint16_t>(load(block.entry(old).version) + 1);
  fill(block.session(at), session);
  if (old == 0) {
    change->sessions.link(at);
  } else {
    change->sessions.exchange(old, at);
    change->arena.free(old);
  }
  return InsertStatus::kStored;
}

// Whether a mark for an answer that is valid so long may have existed and been dropped, since the
// clock was ahead of `now`.
bool maybe_forgotten(const Header& header, Milliseconds expires_at, Milliseconds now) noexcept {
  const Milliseconds forgotten = load(header.forgotten);
  return expires_at <= forgotten && forgotten - now <= kLongestStepBack;
}

MarkStatus remember(const Block& block, TableChange* change, const NewMark& mark,
                    Milliseconds now) noexcept {
  if (maybe_forgotten(block.header(), mark.expires_at, now)) return MarkStatus::kClockWentBack;
  for (int i = 0; i < kMostMarksDropped && !change->marks.has_room(mark.idp); ++i) {
    change->room.drop_expired_marks(now, 1);
  }
  if (!change->marks.has_room(mark.idp)) return MarkStatus::kFull;
  const Unit at = change->room.make(kMarkUnits, 0, now);
  if (at == 0) return MarkStatus::kFull;
  fill(block.mark(at), mark);
  change->marks.link(at);
  return MarkStatus::kFresh;
}

}  // namespace

FormatResult SessionTable::format(void* block, std::size_t size, std::uint64_t seed) noexcept {
  if (misaligned(block)) return FormatResult::kMisaligned;
  if (size < kMinBlockSize) return FormatResult::kTooSmall;
  if (size > kMaxBlockSize) return FormatResult::kTooLarge;
  const Block view(block, size);
  Header& header = view.header();
  std::memset(static_cast<void*>(&header), 0, sizeof header);
  store(header.version, kLayoutVersion);
  store(header.size, size);
  store(header.seed, seed);
  make_empty(view);
  commit(header.magic, kMagic);
  return FormatResult::kFormatted;
}

AttachResult SessionTable::check(const void* block, std::size_t size) noexcept {
  if (misaligned(block)) return AttachResult::kMisaligned;
  if (size < kMinBlockSize) return AttachResult::kNotATable;
  const auto& header = *static_cast<const Header*>(block);
  if (load(header.magic) != kMagic) return AttachResult::kNotATable;
  if (load(header.version) != kLayoutVersion) return AttachResult::kOtherVersion;
  return load(header.size) == size ? AttachResult::kCompatible : AttachResult::kOtherSize;
}

SessionTable::SessionTable(void* block, std::size_t size, Mutex& mutex) noexcept
    : block_(block, size), mutex_(&mutex) {}

void SessionTable::prefetch(const Key& key) const noexcept {
  prefetch_line(&block_.bucket_of(block_.hash(key)));
}

void SessionTable::prefetch_record(const Key& key) const noexcept {
  const std::uint64_t hash = block_.hash(key);
  BucketTable(block_).prefetch(block_.bucket_of(hash), hash);
}

FindResult SessionTable::find(const Key& key, Milliseconds now, const Memory& memory, Found* found,
                              Part part) noexcept {
  const std::uint64_t hash = block_.hash(key);
  Copy copy(memory);
  for (int i = 0; i < kReadTries; ++i) {
    if (const auto result = try_find(block_, hash, key, now, part, &copy, found)) return *result;
    relax();
  }
  const TableChange change(block_, *mutex_, &recovery_);
  return try_find(block_, hash, key, now, part, &copy, found).value_or(FindResult::kAbsent);
}

bool SessionTable::touch(const Key& key, Milliseconds now, Milliseconds last_used) noexcept {
  TableChange change(block_, *mutex_, &recovery_);
  change.set_clock(now);
  const Unit at = change.sessions.locate(key);
  if (at == 0 || load(block_.entry(at).expires_at) <= now) return false;
  store(block_.session(at).last_used, last_used);
  change.sessions.move_to_front(at);
  return true;
}

InsertResult SessionTable::insert(const Key& key, const Record& record, Milliseconds expires_at,
                                  Milliseconds now, Owner owner, std::uint64_t idp_session,
                                  Milliseconds last_used) noexcept {
  if (record.bytes.size() > max_record_size()) return {InsertStatus::kTooLarge, 0};
  TableChange change(block_, *mutex_, &recovery_);
  change.set_clock(now);
  change.clean_up(now);
  add(block_.header().insertions, 1);
  add(block_.header().counters.inserted, 1);
  const NewSession session = {key, record, expires_at, last_used, owner, idp_session, 0};
  const InsertStatus status = put(block_, &change, session, now);
  return {status, change.room.live_evicted()};
}

InsertResult SessionTable::replace(const Key& key, const Record& record, Milliseconds now,
                                   std::optional<std::uint16_t> version) noexcept {
  if (record.bytes.size() > max_record_size()) return {InsertStatus::kTooLarge, 0};
  TableChange change(block_, *mutex_, &recovery_);
  change.set_clock(now);
  const Unit at = change.sessions.locate(key);
  if (at == 0 || load(block_.entry(at).expires_at) <= now) return {InsertStatus::kAbsent, 0};
  const Session& old = block_.session(at);
  if (version && *version != load(old.entry.version)) return {InsertStatus::kChanged, 0};
  const NewSession session = {key,           record,           load(old.entry.expires_at),
                              load(old.last_used), load(old.owner), load(old.idp_session), 0};
  const InsertStatus status = put(block_, &change, session, now);
  return {status, change.room.live_evicted()};
}

bool SessionTable::erase(const Key& key) noexcept {
  TableChange change(block_, *mutex_, &recovery_);
  const Unit at = change.sessions.locate(key);
  if (at != 0) change.room.drop_session(at);
  return at != 0;
}

std::size_t SessionTable::visit_by(IndexKind kind, std::uint64_t hash, Milliseconds now,
                                   void* context, Visitor visitor) noexcept {
  const TableChange change(block_, *mutex_, &recovery_);
  const Milliseconds clock = std::max(now, load(block_.header().clock));
  std::size_t count = 0;
  for (Unit at = change.sessions.first(kind, hash); at != 0; at = change.sessions.next(kind, at)) {
    const Entry& entry = block_.entry(at);
    if (change.sessions.hash_of(kind, at) != hash || load(entry.expires_at) <= clock) continue;
    visitor(context, key_of(entry));
    ++count;
  }
  return count;
}

std::size_t SessionTable::erase_by(IndexKind kind, std::uint64_t hash) noexcept {
  TableChange change(block_, *mutex_, &recovery_);
  std::size_t count = 0;
  for (Unit at = change.sessions.first(kind, hash); at != 0;) {
    const Unit next = change.sessions.next(kind, at);
    if (change.sessions.hash_of(kind, at) == hash) {
      change.room.drop_session(at);
      ++count;
    }
    at = next;
  }
  return count;
}

std::size_t SessionTable::erase_by_user(Owner owner) noexcept {
  return erase_by(IndexKind::kUser, owner);
}

std::size_t SessionTable::erase_by_idp_session(std::uint64_t idp_session) noexcept {
  return erase_by(IndexKind::kIdpSession, idp_session);
}

MarkResult SessionTable::mark(const Key& answer, std::uint64_t attempt, std::uint64_t idp,
                              Milliseconds expires_at, Milliseconds now) noexcept {
  TableChange change(block_, *mutex_, &recovery_);
  change.set_clock(now);
  change.clean_up(now);
  MarkStatus status = MarkStatus::kReplayed;
  const Unit at = change.marks.locate(answer);
  if (at != 0 && load(block_.entry(at).expires_at) > now) {
    const bool same = attempt != 0 && load(block_.mark(at).attempt) == attempt;
    if (same) status = MarkStatus::kSameAttempt;
  } else {
    if (at != 0) change.room.drop_mark(at);
    status = remember(block_, &change, {answer, expires_at, attempt, idp}, now);
  }
  const bool refused = status == MarkStatus::kFull || status == MarkStatus::kClockWentBack;
  if (refused) add(block_.header().counters.marks_refused, 1);
  return {status, change.room.live_evicted()};
}

bool SessionTable::is_marked(const Key& answer, Milliseconds now) noexcept {
  const TableChange change(block_, *mutex_, &recovery_);
  const Unit at = change.marks.locate(answer);
  return at != 0 && load(block_.entry(at).expires_at) > now;
}

std::size_t SessionTable::max_record_size() const noexcept {
  return std::min(max_session_units(block_.geometry()) * kUnit - sizeof(Session), kMaxRecordBytes);
}

Stats SessionTable::stats() const noexcept {
  const Header& header = block_.header();
  Stats stats;
  stats.sessions = load(header.sessions);
  stats.marks = load(header.marks);
  stats.bytes_total = Arena(block_).units() * std::uint64_t{kUnit};
  stats.bytes_free = Arena(block_).free_units() * std::uint64_t{kUnit};
  stats.bytes_used = stats.bytes_total - stats.bytes_free;
  stats.max_marks = MarkIndex(block_).most();
  stats.inserted = load(header.counters.inserted);
  stats.evicted_live = load(header.counters.evicted_live);
  stats.expired = load(header.counters.expired);
  stats.marks_refused = load(header.counters.marks_refused);
  stats.recoveries = load(header.counters.recoveries);
  stats.resets = load(header.counters.resets);
  return stats;
}

Recovery SessionTable::take_recovery() noexcept {
  const Recovery recovery = recovery_;
  recovery_ = {};
  return recovery;
}

const char* SessionTable::check_consistency() noexcept {
  const TableChange change(block_, *mutex_, &recovery_);
  return check_block(block_);
}

}  // namespace sallyport::session
