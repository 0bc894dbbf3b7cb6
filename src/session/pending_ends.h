// Sessions that ended here while a store that other nodes share has not confirmed it: a small list in shared memory, so
// that neither a reload nor a crash forgets one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "session/session_table.h"
#include "session/table_layout.h"

namespace sallyport::session {

// One process's view of the list. Several processes may use it at once, each change under the mutex; one that dies in
// a change leaves an entry twice at worst.
class PendingEnds {
 public:
  // Of the list, for one more. What anybody may make up leaves a half to sessions that are known.
  enum class Share : std::uint64_t { kWhole, kHalf };

  struct Entry {
    Key key;
    Milliseconds until;   // the session's absolute end: nothing is left to be done then
    Milliseconds tried;   // when the store was told last
    Share share;          // kHalf: nobody knows whether there was such a session
  };

  static constexpr std::size_t kAlignment = alignof(Entry);
  // They are walked under the mutex of all changes of the sessions, so that a zone of any size holds no more.
  static constexpr std::size_t kMostEntries = 8192;
  static constexpr std::size_t kMostBytes = sizeof(std::uint64_t) + kMostEntries * sizeof(Entry);
  // Entries that fit into that many bytes, at most kMostEntries.
  static std::size_t capacity_of(std::size_t bytes) noexcept;
  // Makes an empty list of the block.
  static void format(void* block) noexcept;

  PendingEnds(void* block, std::size_t bytes, Mutex& mutex) noexcept;

  // False: that share is full of sessions that have not reached their end. One that is there stays once, as known if it ever was.
  bool add(const Key& key, Milliseconds until, Milliseconds now, Share share = Share::kWhole) noexcept;
  void remove(const Key& key) noexcept;
  bool has_any() const noexcept;

  // Those that the store was told of at least `interval` ms ago, at most `most`, and counts them as told now. One call begins
  // where the one before ended: those that a shard does not confirm do not keep others waiting.
  std::vector<Entry> take_due(Milliseconds now, Milliseconds interval, std::size_t most);

 private:
  struct List;

  void drop(std::uint32_t at) noexcept;

  List* list_;
  std::uint32_t capacity_;
  std::uint32_t next_ = 0;  // where take_due() goes on
  Mutex* mutex_;
};

}  // namespace sallyport::session
