// What lies where in the block of shared memory behind a SessionTable.
//
//   header | buckets | heads of the lists by user and by IdP session | heads of the marks' chains |
//   marks and sessions counted by IdP | arena: chunks without a gap, each a session, a mark, free or reserved
//
// Places in the block are counted in units of 64 bytes from its start; 0 is nowhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "session/seqlock.h"

namespace sallyport::session {

using Key = std::array<std::uint8_t, 32>;  // a SHA-256, of the cookie's random bits for a session
using Milliseconds = std::int64_t;         // since the epoch, wall clock
using Unit = std::uint32_t;                // a place in the block, or a size

inline constexpr std::size_t kUnit = 64;  // bytes: one cache line

// What a session holds for its user, at most kMaxRecordBytes. The `front` bytes at its beginning are all that most lookups want.
struct Record {
  std::string_view bytes;
  std::size_t front;

  Record(std::string_view all) : bytes(all), front(all.size()) {}
  Record(const char* all) : Record(std::string_view(all)) {}
  Record(const std::string& all) : Record(std::string_view(all)) {}
  Record(std::string_view all, std::size_t front_bytes)
      : bytes(all), front(front_bytes < all.size() ? front_bytes : all.size()) {}
};

inline constexpr std::size_t kMaxRecordBytes = 0xFFFF;

enum class IndexKind { kUser, kIdpSession };

// Whose a session is: the IdP in the upper 16 bits, its user below. 0 below is nobody's session, such as a UserMemory; 0 at
// all is not even of an IdP.
using Owner = std::uint64_t;
constexpr unsigned kOwnerUserBits = 48;

constexpr Owner make_owner(std::uint64_t idp_hash, std::uint64_t user_hash) noexcept {
  return idp_hash << kOwnerUserBits | (user_hash & ((Owner{1} << kOwnerUserBits) - 1));
}
constexpr Owner idp_of(Owner owner) noexcept { return owner >> kOwnerUserBits; }
constexpr bool has_user(Owner owner) noexcept { return owner << (64 - kOwnerUserBits) != 0; }

// What is counted for each IdP.
enum class Counted { kMarks, kUnits };

enum class ChunkState : std::uint32_t {
  kFree = 1,
  kReserved = 2,  // being written or taken apart; free again if that process died
  kSession = 3,
  kMark = 4,
};

// The start of each chunk. Size and state share a word so that one store changes both: a walk from
// chunk to chunk is right at any moment, wherever a process was killed.
struct Chunk {
  static constexpr unsigned kSizeBits = 28;

  std::uint32_t size_and_state;
  Unit previous_size;  // of the chunk before, 0 for the first

  Unit size() const noexcept { return load(size_and_state) & ((1u << kSizeBits) - 1); }
  ChunkState state() const noexcept {
    return static_cast<ChunkState>(load(size_and_state) >> kSizeBits);
  }
  void set(Unit size, ChunkState state) noexcept {
    commit(size_and_state, size | (static_cast<std::uint32_t>(state) << kSizeBits));
  }
  void set_state(ChunkState state) noexcept { set(size(), state); }
};

struct Links {
  Unit previous;
  Unit next;
};

struct FreeChunk {
  Chunk chunk;
  Links links;
};

// What sessions and marks have in common: a key, and a place in a heap ordered by expiry.
struct Entry {
  Chunk chunk;
  std::uint64_t key[4];
  Milliseconds expires_at;
  Unit left;
  Unit right;
  Unit parent;
  std::uint16_t rank;
  std::uint16_t version;  // the later of two with one key, which only a killed process leaves
};

struct Session {
  Entry entry;
  Milliseconds last_used;
  std::uint16_t length;  // of the record, bytes
  std::uint16_t front;   // of the part that a lookup copies, bytes
  std::uint32_t moved;   // Header::insertions when it last moved to the front of the order of use
  Owner owner;
  std::uint64_t idp_session;
  Links use;
  Links by_user;
  Links by_idp_session;
  Unit overflow;  // the next one of those that their bucket has no slot for
  std::uint32_t checksum;

  // The record follows.
  std::uint64_t* record() noexcept { return reinterpret_cast<std::uint64_t*>(this + 1); }
  const std::uint64_t* record() const noexcept {
    return reinterpret_cast<const std::uint64_t*>(this + 1);
  }
};

struct Mark {
  Entry entry;
  std::uint64_t attempt;
  std::uint64_t idp;
  Links chain;
  std::uint32_t checksum;
  std::uint32_t unused[9];
};

// One cache line. A slot holds a session's place (32 bits), the units up to the end of its record's front, at
// most 255 (8), and 24 bits of its hash; 0 is empty.
struct Bucket {
  static constexpr unsigned kSlots = 7;

  Sequence sequence;  // of the slots, the overflow chain, and all records that they lead to
  Unit overflow;
  std::uint64_t slots[kSlots];
};

// Free chunks by size: a level for each power of two, cut into equal classes.
inline constexpr unsigned kLevels = 28;
inline constexpr unsigned kClassBits = 4;
inline constexpr unsigned kClasses = 1u << kClassBits;

struct ArenaState {
  std::uint32_t levels;            // bit set: the level has a chunk
  std::uint32_t classes[kLevels];  // bit set: the class has a chunk
  Unit heads[kLevels][kClasses];
  Unit free_units;
};

struct Counters {
  std::uint64_t inserted;
  std::uint64_t evicted_live;
  std::uint64_t expired;
  std::uint64_t marks_refused;
  std::uint64_t recoveries;
  std::uint64_t resets;
};

struct Header {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t writing;  // a change is under way; still set when the mutex is free: it was cut off
  std::uint64_t size;
  std::uint64_t seed;

  // Read by each lookup.
  alignas(kUnit) Milliseconds clock;  // the latest time that a writer saw, until it is set back
  std::uint32_t sessions;
  std::uint32_t insertions;  // of sessions, wraps around

  alignas(kUnit) std::uint32_t marks;
  Unit oldest_use;
  Unit newest_use;
  Unit session_heap;
  Unit mark_heap;
  Milliseconds forgotten;  // the latest expiry of all marks that were dropped as expired
  Counters counters;
  ArenaState arena;
};

static_assert(sizeof(Bucket) == kUnit);
static_assert(sizeof(Entry) == kUnit);
static_assert(sizeof(Session) == 2 * kUnit);
static_assert(sizeof(Mark) == 2 * kUnit);
static_assert(sizeof(Header) <= 4096);

// Computed from the block's size alone.
struct Geometry {
  std::uint32_t buckets = 0;  // as many heads in each of the two indexes
  std::uint32_t mark_chains = 0;
  std::uint32_t counts = 0;  // in each row of what is counted by IdP, two rows for each kind
  std::size_t buckets_at = 0;
  std::size_t index_heads_at = 0;
  std::size_t mark_heads_at = 0;
  std::size_t counts_at = 0;
  Unit arena_begin = 0;
  Unit arena_end = 0;

  static Geometry of(std::size_t size) noexcept;
};

// A process's view of the block: addresses of what is in it.
class Block {
 public:
  // Reads only what lies in the block's geometry; the block need not be formatted.
  Block(void* base, std::size_t size) noexcept;

  const Geometry& geometry() const noexcept { return geometry_; }
  Header& header() const noexcept { return *reinterpret_cast<Header*>(base_); }
  Bucket& bucket(std::uint32_t i) const noexcept { return buckets_[i]; }

  Chunk& chunk(Unit at) const noexcept { return as<Chunk>(at); }
  FreeChunk& free_chunk(Unit at) const noexcept { return as<FreeChunk>(at); }
  Entry& entry(Unit at) const noexcept { return as<Entry>(at); }
  Session& session(Unit at) const noexcept { return as<Session>(at); }
  Mark& mark(Unit at) const noexcept { return as<Mark>(at); }

  Unit& index_head(IndexKind kind, std::uint64_t hash) const noexcept;
  Unit& mark_head(const Key& key) const noexcept;
  std::uint32_t& idp_count(Counted what, unsigned row, std::uint64_t idp) const noexcept;
  std::uint32_t& idp_count_at(Counted what, unsigned row, std::uint32_t i) const noexcept;

  // A hash of the key: the upper half chooses the bucket, the lower 24 bits are the slot's tag.
  std::uint64_t hash(const Key& key) const noexcept;
  Bucket& bucket_of(std::uint64_t hash) const noexcept;

  std::uint64_t seed() const noexcept { return load(header().seed); }

  // Empties all tables and lists of the block (not the arena) and closes the buckets: readers wait
  // until open_buckets().
  void close_and_clear() const noexcept;
  void open_buckets() const noexcept;

 private:
  template <class T>
  T& as(Unit at) const noexcept {
    return *reinterpret_cast<T*>(base_ + at * kUnit);
  }

  unsigned char* base_;
  Bucket* buckets_;
  Geometry geometry_;
};

}  // namespace sallyport::session
