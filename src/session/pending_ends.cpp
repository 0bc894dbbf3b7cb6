#include "session/pending_ends.h"

#include <algorithm>

namespace sallyport::session {

struct PendingEnds::List {
  std::uint64_t count;
  Entry entries[1];
};

namespace {

class Lock {
 public:
  explicit Lock(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace

std::size_t PendingEnds::capacity_of(std::size_t bytes) noexcept {
  return bytes < sizeof(List) ? 0 : std::min(kMostEntries, (bytes - sizeof(List)) / sizeof(Entry) + 1);
}

void PendingEnds::format(void* block) noexcept { static_cast<List*>(block)->count = 0; }

PendingEnds::PendingEnds(void* block, std::size_t bytes, Mutex& mutex) noexcept
    : list_(static_cast<List*>(block)), capacity_(static_cast<std::uint32_t>(capacity_of(bytes))), mutex_(&mutex) {}

bool PendingEnds::add(const Key& key, Milliseconds until, Milliseconds now, Share share) noexcept {
  const std::uint32_t most = share == Share::kHalf ? capacity_ / 2 : capacity_;
  const Lock lock(*mutex_);
  for (std::uint32_t i = 0; i < list_->count; ++i) {
    Entry& entry = list_->entries[i];
    if (entry.key != key) continue;
    if (share == Share::kWhole) entry.share = share;
    return true;
  }
  for (std::uint32_t i = 0; list_->count >= most && i < list_->count;) {
    if (list_->entries[i].until <= now) {
      drop(i);
    } else {
      ++i;
    }
  }
  if (list_->count >= most) return false;
  list_->entries[list_->count] = {key, until, now, share};
  commit(list_->count, list_->count + 1);
  return true;
}

void PendingEnds::remove(const Key& key) noexcept {
  const Lock lock(*mutex_);
  // One that a dead process left twice is due once more.
  for (std::uint32_t i = 0; i < list_->count; ++i) {
    if (list_->entries[i].key == key) return drop(i);
  }
}

bool PendingEnds::has_any() const noexcept { return load(list_->count) > 0; }

std::vector<PendingEnds::Entry> PendingEnds::take_due(Milliseconds now, Milliseconds interval, std::size_t most) {
  std::vector<Entry> due;
  due.reserve(std::min<std::size_t>(most, capacity_));
  const Lock lock(*mutex_);
  for (std::uint64_t left = list_->count; left > 0 && list_->count > 0 && due.size() < most; --left) {
    if (next_ >= list_->count) next_ = 0;
    Entry& entry = list_->entries[next_];
    if (entry.until <= now) {
      drop(next_);
      continue;
    }
    // A clock that was set back does not put it off.
    if (now - entry.tried >= interval || entry.tried > now) {
      entry.tried = now;
      due.push_back(entry);
    }
    ++next_;
  }
  return due;
}

// The last one takes its place.
void PendingEnds::drop(std::uint32_t at) noexcept {
  list_->entries[at] = list_->entries[list_->count - 1];
  commit(list_->count, list_->count - 1);
}

}  // namespace sallyport::session
