// The hash buckets that lead to sessions: the one part of the table that is read without a lock.
#pragma once

#include "session/table_layout.h"

namespace sallyport::session {

// The key of a session or mark.
Key key_of(const Entry& entry) noexcept;
bool has_key(const Entry& entry, const Key& key) noexcept;
void set_key(Entry& entry, const Key& key) noexcept;

// What a reader found.
struct Lookup {
  enum class Outcome { kHere, kAbsent, kDisturbed };
  Outcome outcome = Outcome::kDisturbed;
  Unit at = 0;
  std::uint32_t begun = 0;  // the bucket's sequence
};

class BucketTable {
 public:
  explicit BucketTable(const Block& block) noexcept : block_(block) {}

  // For readers, while other processes may change the bucket (the one that `hash` chooses).
  // kHere: `at` lies inside the arena, but what is read there is void unless the bucket's sequence
  // is unchanged afterwards.
  Lookup look_up(const Bucket& bucket, std::uint64_t hash, const Key& key) const noexcept;

  // Brings what the bucket's slots show for `hash` into the CPU's cache. Where a writer is at work that
  // may be something else; it is only not of use then.
  void prefetch(const Bucket& bucket, std::uint64_t hash) const noexcept;

  // For writers, under the table's mutex.

  // The session's place, or 0.
  Unit locate(const Key& key) const noexcept;

  void add(Unit at) noexcept;

  // The session's memory may be used for something else afterwards: readers will notice.
  void remove(Unit at) noexcept;

  // The session at `to` takes the place of the one at `from`, which has the same key. A reader
  // finds one or the other at any moment.
  void repoint(Unit from, Unit to) noexcept;

  // Calls `visit(Unit)` for each session of a bucket; it must not change the table.
  template <class Visit>
  void for_each(const Bucket& bucket, Visit visit) const noexcept {
    for (const std::uint64_t& slot : bucket.slots) {
      if (const Unit at = place_of(load(slot))) visit(at);
    }
    for (Unit at = load(bucket.overflow); at != 0; at = load(block_.session(at).overflow)) visit(at);
  }

  // add(), or repoint() when `from` is not 0, while all buckets are closed to readers.
  void restore(Unit from, Unit to) noexcept;

 private:
  // A slot, or the link to one without a slot.
  struct Position {
    std::uint64_t* slot = nullptr;
    Unit* link = nullptr;
  };

  static Unit place_of(std::uint64_t slot) noexcept;
  Bucket& bucket_at(Unit at) const noexcept;
  Position position(Bucket& bucket, Unit at) const noexcept;
  void put(Position position, Unit at) noexcept;
  void place(Bucket& bucket, Unit from, Unit to) noexcept;

  const Block& block_;
};

}  // namespace sallyport::session
