#include "session/table_recovery.h"

#include <algorithm>

#include "session/arena.h"
#include "session/entries.h"
#include "session/mark_index.h"
#include "session/session_index.h"

namespace sallyport::session {
namespace {

// Sorts sessions by their last use into a few lists, linked through their own links.
class Bins {
 public:
  explicit Bins(const Block& block) noexcept : block_(block) {}

  void see(Milliseconds last_used) noexcept {
    first_ = std::min(first_, last_used);
    last_ = std::max(last_, last_used);
  }

  // After all were seen.
  void put(Unit at) noexcept {
    Session& session = block_.session(at);
    const unsigned bin = bin_of(load(session.last_used));
    store(session.use.next, 0);
    if (tails_[bin] == 0) {
      heads_[bin] = at;
    } else {
      store(block_.session(tails_[bin]).use.next, at);
    }
    tails_[bin] = at;
  }

  // Calls `take` for each session, which may change its links.
  template <class Take>
  void drain(Take take) const noexcept {
    for (Unit at : heads_) {
      while (at != 0) {
        const Unit next = load(block_.session(at).use.next);
        take(at);
        at = next;
      }
    }
  }

 private:
  static constexpr unsigned kBins = 1024;

  unsigned bin_of(Milliseconds last_used) const noexcept {
    const auto first = static_cast<std::uint64_t>(first_);
    std::uint64_t span = static_cast<std::uint64_t>(last_) - first;
    std::uint64_t offset = static_cast<std::uint64_t>(last_used) - first;
    for (; span >= kBins; span /= 2) offset /= 2;
    return static_cast<unsigned>(std::min<std::uint64_t>(offset, kBins - 1));
  }

  const Block& block_;
  Milliseconds first_ = INT64_MAX;
  Milliseconds last_ = INT64_MIN;
  Unit heads_[kBins] = {};
  Unit tails_[kBins] = {};
};

class Rebuild {
 public:
  explicit Rebuild(const Block& block) noexcept
      : block_(block), arena_(block), sessions_(block), marks_(block), bins_(block) {}

  // Returns how many torn sessions there were.
  std::size_t run() noexcept {
    each(ChunkState::kSession, [this](Unit at) { restore_session(at); });
    each(ChunkState::kMark, [this](Unit at) { restore_mark(at); });
    each(ChunkState::kSession, [this](Unit at) { bins_.put(at); });
    bins_.drain([this](Unit at) { sessions_.restore_in_lists(at); });
    arena_.rebuild();
    return dropped_;
  }

 private:
  template <class Visit>
  void each(ChunkState state, Visit visit) noexcept {
    for (Unit at = arena_.begin(); at != arena_.end(); at = arena_.next(at)) {
      if (block_.chunk(at).state() == state) visit(at);
    }
  }

  void drop(Unit at) noexcept { block_.chunk(at).set_state(ChunkState::kReserved); }

  // A session that was being moved or replaced is there twice.
  void restore_session(Unit at) noexcept {
    const Session& session = block_.session(at);
    if (!intact(session)) {
      drop(at);
      ++dropped_;
      return;
    }
    const Unit other = sessions_.locate(key_of(session.entry));
    if (other != 0 && !newer(session.entry, block_.entry(other))) {
      drop(at);
      return;
    }
    sessions_.restore_in_bucket(other, at);
    if (other != 0) drop(other);
    bins_.see(load(session.last_used));
  }

  void restore_mark(Unit at) noexcept {
    const Mark& mark = block_.mark(at);
    const bool whole = intact(mark);
    if (whole && marks_.locate(key_of(mark.entry)) == 0) {
      marks_.link(at);
    } else {
      drop(at);
    }
  }

  const Block& block_;
  Arena arena_;
  SessionIndex sessions_;
  MarkIndex marks_;
  Bins bins_;
  std::size_t dropped_ = 0;
};

}  // namespace

void make_empty(const Block& block) noexcept {
  block.close_and_clear();
  Arena(block).format();
  block.open_buckets();
}

Recovery recover(const Block& block) noexcept {
  Recovery recovery;
  Counters& counters = block.header().counters;
  recovery.recovered = true;
  if (!Arena(block).walkable()) {
    recovery.reset = true;
    add(counters.resets, 1);
    make_empty(block);
    return recovery;
  }
  block.close_and_clear();
  recovery.sessions_dropped = Rebuild(block).run();
  block.open_buckets();
  add(counters.recoveries, 1);
  return recovery;
}

}  // namespace sallyport::session
