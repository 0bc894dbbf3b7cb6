// What a lookup costs with few and many sessions, and what a session takes of the block.
#include "session/session_table.h"

#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

namespace {

using namespace sallyport::session;

constexpr Milliseconds kNow = 1'700'000'000'000;
constexpr Milliseconds kExpires = kNow + 8 * 3600 * 1000;
constexpr std::size_t kRecord = 1300;

std::uint64_t scramble(std::uint64_t word) {
  word += 0x9E3779B97F4A7C15u;
  word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
  word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
  return word ^ (word >> 31);
}

Key key_number(std::uint64_t number) {
  Key key;
  for (std::size_t i = 0; i < key.size(); i += 8) {
    const std::uint64_t word = scramble(number * 4 + i / 8);
    std::memcpy(key.data() + i, &word, 8);
  }
  return key;
}

class NoMutex final : public Mutex {
 public:
  void lock() noexcept override {}
  void unlock() noexcept override {}
};

// A table of `sessions` sessions in a block of 2,147 bytes each (2 GB for a million).
class Filled {
 public:
  explicit Filled(std::size_t sessions)
      : size_(std::max<std::size_t>(sessions * 2147, 1 << 20)), sessions_(sessions),
        block_(mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    SessionTable::format(block_, size_, 42);
    table_ = std::make_unique<SessionTable>(block_, size_, mutex_);
    const std::string record(kRecord, 'r');
    for (std::size_t n = 0; n < sessions; ++n) {
      table_->insert(key_number(n), record, kExpires, kNow, n | 1, scramble(n));
    }
  }
  ~Filled() { munmap(block_, size_); }

  SessionTable& table() { return *table_; }
  std::size_t sessions() const { return sessions_; }
  // Of the whole block: what is used, and its part of the tables beside the arena.
  double bytes_per_session() const {
    const Stats stats = table_->stats();
    const double share = static_cast<double>(size_) / static_cast<double>(stats.bytes_total);
    return share * static_cast<double>(stats.bytes_used) / static_cast<double>(stats.sessions);
  }

 private:
  std::size_t size_;
  std::size_t sessions_;
  void* block_;
  NoMutex mutex_;
  std::unique_ptr<SessionTable> table_;
};

struct Target {
  char bytes[4096];
};

void* allocate_in_target(void* context, std::size_t size) {
  return size <= sizeof(Target) ? static_cast<Target*>(context)->bytes : nullptr;
}

void find_sessions(benchmark::State& state) {
  Filled filled(static_cast<std::size_t>(state.range(0)));
  Target target = {};
  const Memory memory = {allocate_in_target, &target};
  Found found;
  std::uint64_t i = 0;
  std::uint64_t misses = 0;
  for (auto _ : state) {
    // The next key depends on the last record's end: no lookup overlaps with the one before.
    i = scramble(i + static_cast<unsigned char>(target.bytes[kRecord - 1]));
    const Key key = key_number(i % filled.sessions());
    misses += filled.table().find(key, kNow, memory, &found) != FindResult::kFound;
    benchmark::DoNotOptimize(target);
  }
  if (misses != 0) state.SkipWithError("a session was not found");
  state.counters["bytes/session"] = filled.bytes_per_session();
}
BENCHMARK(find_sessions)->Arg(1)->Arg(100'000)->Arg(1'000'000);

// The cost of the keys alone, to be taken off.
void make_keys(benchmark::State& state) {
  std::uint64_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(key_number(scramble(++i) % 1'000'000));
}
BENCHMARK(make_keys);

void find_absent(benchmark::State& state) {
  Filled filled(static_cast<std::size_t>(state.range(0)));
  Target target = {};
  const Memory memory = {allocate_in_target, &target};
  Found found;
  std::uint64_t n = 1ull << 40;
  for (auto _ : state) {
    benchmark::DoNotOptimize(filled.table().find(key_number(++n), kNow, memory, &found));
  }
}
BENCHMARK(find_absent)->Arg(100'000);

void touch_sessions(benchmark::State& state) {
  Filled filled(static_cast<std::size_t>(state.range(0)));
  std::uint64_t i = 0;
  for (auto _ : state) {
    filled.table().touch(key_number(scramble(++i) % filled.sessions()), kNow);
  }
}
BENCHMARK(touch_sessions)->Arg(100'000);

void insert_when_full(benchmark::State& state) {
  Filled filled(static_cast<std::size_t>(state.range(0)));
  const std::string record(kRecord, 'r');
  std::uint64_t n = 1ull << 40;
  const auto insert = [&] {
    ++n;
    return filled.table().insert(key_number(n), record, kExpires, kNow, n, n).live_evicted;
  };
  while (insert() == 0) {
  }
  for (auto _ : state) insert();
}
BENCHMARK(insert_when_full)->Arg(1'000)->Arg(100'000);

void mark_answers(benchmark::State& state) {
  Filled filled(100'000);
  std::uint64_t n = 0;
  Milliseconds now = kNow;
  for (auto _ : state) {
    now += 10;  // 30,000 marks are alive, then the oldest ones expire
    ++n;
    filled.table().mark(key_number(n), n, n % 7, now + 300'000, now);
  }
}
BENCHMARK(mark_answers);

}  // namespace

BENCHMARK_MAIN();
