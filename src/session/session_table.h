// The table of sessions in a block of shared memory that several processes use at once.
//
// Lookups take no lock and write nothing to the block. Everything that changes the table runs under
// one mutex that the caller provides. The block holds offsets, never addresses, so that each
// process may map it where it likes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "session/table_layout.h"

namespace sallyport::session {

// The lock around all changes of one block, shared by all processes that use it. It need not be
// recursive. When a process dies while holding it, whoever implements it must let the next process
// in (nginx's master does so for its zones); the table finds out by itself and repairs the block.
class Mutex {
 public:
  virtual void lock() noexcept = 0;
  virtual void unlock() noexcept = 0;

 protected:
  ~Mutex() = default;
};

// How much of a record find() copies.
enum class Part { kFront, kWhole };

// Where find() puts the copy of a record. `allocate` is called with the size in bytes (1 at least)
// and returns memory of any alignment, or null. One find() may call it more than once (when the
// record was replaced by a larger one meanwhile), and with the mutex held: it must not call the
// table.
struct Memory {
  void* (*allocate)(void* context, std::size_t size);
  void* context;
};

enum class FormatResult { kFormatted, kTooSmall, kTooLarge, kMisaligned };

enum class AttachResult {
  kCompatible,
  kNotATable,     // never formatted, or a format() that was cut short
  kOtherVersion,  // formatted by another version of this code
  kOtherSize,
  kMisaligned,
};

enum class FindResult {
  kFound,
  kAbsent,    // not there, or expired
  kNoMemory,  // Memory::allocate returned null
};

// What find() found. `record` lies in memory of the caller's Memory.
struct Found {
  std::string_view record;     // the part that was asked for
  std::size_t length = 0;      // of the whole record
  std::uint16_t version = 0;   // for replace()
  Milliseconds expires_at = 0;
  Milliseconds last_used = 0;  // at its last touch(), or its insert()
  bool place_is_old = false;   // many sessions were inserted since it last moved to the front

  // Whether touch() is wanted: `interval` ms have passed since the last one (an idle time-out wants
  // that at most once a minute or so), or the session's place in the order of use has become so old
  // that it might be evicted although it is in use. True also when the clock was set back.
  bool touch_due(Milliseconds now, Milliseconds interval) const noexcept {
    return place_is_old || now - last_used >= interval || last_used - now >= interval;
  }
};

enum class InsertStatus {
  kStored,
  kTooLarge,  // longer than max_record_size(): can never fit
  kNoRoom,    // replay marks, which may not be evicted, leave no gap that is large enough
  kAbsent,    // replace() only: no such session, or expired
  kChanged,   // replace() only: another version is there
};

struct InsertResult {
  InsertStatus status = InsertStatus::kNoRoom;
  std::size_t live_evicted = 0;  // sessions of a user that had to go although they had not expired
};

enum class MarkStatus {
  kFresh,         // not seen before; remembered now
  kSameAttempt,   // seen before, by the same login attempt
  kReplayed,      // seen before, by another one
  kFull,          // no room, or this IdP holds its share: not remembered, refuse the login
  kClockWentBack  // the clock was set back to before marks that have expired and are forgotten:
                  // it may have been seen. Not remembered, refuse the login.
};

struct MarkResult {
  MarkStatus status = MarkStatus::kFull;
  std::size_t live_evicted = 0;  // sessions that gave their room
};

// What a process that died in the middle of a change made necessary.
struct Recovery {
  bool recovered = false;            // the block was walked and its lists were rebuilt
  bool reset = false;                // it made no sense and was emptied: all users log in again
  std::size_t sessions_dropped = 0;  // sessions found half-written (not counted when reset)
};

struct Stats {
  std::uint64_t sessions = 0;  // including expired ones that have not been cleaned up
  std::uint64_t marks = 0;
  std::uint64_t bytes_total = 0;  // room for sessions and marks, their headers included
  std::uint64_t bytes_used = 0;
  std::uint64_t bytes_free = 0;
  std::uint64_t max_marks = 0;
  // Since the block was formatted:
  std::uint64_t inserted = 0;
  std::uint64_t evicted_live = 0;
  std::uint64_t expired = 0;
  std::uint64_t marks_refused = 0;
  std::uint64_t recoveries = 0;
  std::uint64_t resets = 0;
};

// One process's view of a block. It owns nothing, is cheap to make and to copy, allocates nothing
// and throws nothing. The block and the mutex must outlive it. One view belongs to one thread;
// any number of views, in any number of processes, may work on one block.
//
// Times are milliseconds since the epoch (wall clock). A clock that is set back neither brings
// back a session that has expired nor lets a forgotten replay pass.
class SessionTable {
 public:
  static constexpr std::size_t kAlignment = kUnit;  // of the block
  static constexpr std::size_t kMinBlockSize = std::size_t{64} << 10;
  static constexpr std::uint64_t kMaxBlockSize = std::uint64_t{16} << 30;

  // Makes an empty table of the block, whatever it holds; no other process may use it meanwhile.
  // `seed` should be random: it keeps others from aiming at one hash bucket.
  static FormatResult format(void* block, std::size_t size, std::uint64_t seed) noexcept;

  // Whether the block holds a table that this code can go on with (a reload). Reads only.
  static AttachResult check(const void* block, std::size_t size) noexcept;

  // The block must have been formatted, or checked to be kCompatible, with this size.
  SessionTable(void* block, std::size_t size, Mutex& mutex) noexcept;

  // Brings the place where `key` would be found into the CPU's cache. Worth calling when there is
  // other work to do between knowing the key and find().
  void prefetch(const Key& key) const noexcept;
  // The same for the record, some time after prefetch(): it looks at what that has fetched.
  void prefetch_record(const Key& key) const noexcept;

  // Looks a session up and copies its record, or the front of it. Takes no lock and writes nothing to the
  // block, unless a writer is in the way for long (or died there): then it takes the mutex.
  FindResult find(const Key& key, Milliseconds now, const Memory& memory, Found* found,
                  Part part = Part::kWhole) noexcept;

  // Notes that a session is in use: last_used becomes `now` and it is the last to be evicted.
  // See Found::touch_due(). False when there is no such session.
  bool touch(const Key& key, Milliseconds now) noexcept { return touch(key, now, now); }
  // The same with a last_used of the caller's choice.
  bool touch(const Key& key, Milliseconds now, Milliseconds last_used) noexcept;

  // Stores a session; one with the same key is replaced. When there is no room, sessions go:
  // expired ones first, then the owner's own where he has 64 or more, then those of his IdP where its users hold more
  // than a quarter of all room, else the least recently used. `owner` and `idp_session` are for the two indexes; an owner
  // without a user, or an `idp_session` of 0, means that the session shall not be found by that index. (What belongs to
  // no user and is no session, such as a UserMemory, is kept like one, and goes uncounted when there is no room.)
  InsertResult insert(const Key& key, const Record& record, Milliseconds expires_at,
                      Milliseconds now, Owner owner, std::uint64_t idp_session) noexcept {
    return insert(key, record, expires_at, now, owner, idp_session, now);
  }
  // The same with a last_used of the caller's choice.
  InsertResult insert(const Key& key, const Record& record, Milliseconds expires_at, Milliseconds now,
                      Owner owner, std::uint64_t idp_session, Milliseconds last_used) noexcept;

  // Exchanges the record of a session; last_used and all else stay. For eviction it counts as used.
  // If it fails, the old record stays. With a version only that one is exchanged: what another process put
  // there since find() stays (and a session that was moved in between counts as changed).
  InsertResult replace(const Key& key, const Record& record, Milliseconds now,
                       std::optional<std::uint16_t> version = std::nullopt) noexcept;

  // False when there was no such session.
  bool erase(const Key& key) noexcept;

  // Calls `visit(const Key&)` for each session of a user (of an IdP's session or NameID) that has
  // not expired; returns how many. The mutex is held: `visit` must be brief, and must neither call
  // the table nor throw.
  template <class Visit>
  std::size_t for_each_by_user(Owner owner, Milliseconds now, Visit visit) noexcept {
    return visit_by(IndexKind::kUser, owner, now, &visit, &call<Visit>);
  }
  template <class Visit>
  std::size_t for_each_by_idp_session(std::uint64_t idp_session, Milliseconds now,
                                      Visit visit) noexcept {
    return visit_by(IndexKind::kIdpSession, idp_session, now, &visit, &call<Visit>);
  }

  // Ends all sessions of a user (of an IdP's session or NameID); returns how many there were.
  std::size_t erase_by_user(Owner owner) noexcept;
  std::size_t erase_by_idp_session(std::uint64_t idp_session) noexcept;

  // Remembers an answer of an IdP until it can no longer be valid. `answer` is its hash, `attempt`
  // a hash of the login attempt that brought it (0: none, is never the same one), `idp` a hash of
  // the IdP. All marks may take half
  // of the room, those of one IdP a quarter of that half; they are never evicted before they
  // expire, and take room from sessions before they are refused.
  MarkResult mark(const Key& answer, std::uint64_t attempt, std::uint64_t idp,
                  Milliseconds expires_at, Milliseconds now) noexcept;

  // Whether a mark exists that has not expired.
  bool is_marked(const Key& answer, Milliseconds now) noexcept;

  // The longest record that insert() accepts, in bytes.
  std::size_t max_record_size() const noexcept;

  // Takes no lock: each figure is right by itself, but they may be of different moments.
  Stats stats() const noexcept;

  // What this view had to repair since the last call; for the log.
  Recovery take_recovery() noexcept;

  // Takes the mutex and checks every invariant of the block, which takes long. Null when all hold,
  // else the name of one that does not. For tests.
  const char* check_consistency() noexcept;

 private:
  using Visitor = void (*)(void* context, const Key& key);

  template <class Visit>
  static void call(void* context, const Key& key) {
    (*static_cast<Visit*>(context))(key);
  }

  std::size_t visit_by(IndexKind kind, std::uint64_t hash, Milliseconds now, void* context,
                       Visitor visitor) noexcept;
  std::size_t erase_by(IndexKind kind, std::uint64_t hash) noexcept;

  Block block_;
  Mutex* mutex_;
  Recovery recovery_;
};

}  // namespace sallyport::session
