// What a lookup costs with few and many sessions, and what a session takes of the block.
#include <benchmark/benchmark.h>

#include "filled_table.h"

namespace {

using namespace sallyport::bench;

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
