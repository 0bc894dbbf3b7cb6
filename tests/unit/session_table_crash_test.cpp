// What a table is like after a process died in the middle of a change.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <functional>
#include <set>
#include <vector>

#include "session/session_table.h"
#include "session_table_fixture.h"

namespace sallyport::session {
namespace {

using testing::find;
using testing::is_record_of;
using testing::key_number;
using testing::Mapping;
using testing::problem_of;
using testing::record_of;
using testing::SharedTable;
using testing::start;

constexpr Milliseconds kNow = 1'700'000'000'000;
constexpr Milliseconds kExpires = kNow + 3'600'000;

TEST(SessionTableRecovery, ABlockThatMakesNoSenseIsEmptied) {
  SharedTable table(128 << 10);
  table->insert(key_number(1), "record", kExpires, kNow, 1, 2);
  const Block block(table.block(), table.size());
  block.header().writing = 1;
  block.chunk(block.geometry().arena_begin).size_and_state = 0;
  EXPECT_FALSE(table->touch(key_number(1), kNow));
  const Recovery recovery = table->take_recovery();
  EXPECT_TRUE(recovery.recovered);
  EXPECT_TRUE(recovery.reset);
  EXPECT_EQ(table->stats().resets, 1u);
  EXPECT_EQ(problem_of(*table), "");
  table->insert(key_number(1), "record", kExpires, kNow, 1, 2);
  EXPECT_TRUE(find(*table, key_number(1), kNow));
}

TEST(SessionTableRecovery, DropsATornSessionAndKeepsTheOrderOfUse) {
  SharedTable table(128 << 10);
  std::uint64_t count = 0;
  const auto insert = [&] {
    const std::uint64_t n = count++;
    return table->insert(key_number(n), record_of(n, 1, 800), kExpires, kNow, 1, 2).live_evicted;
  };
  for (int i = 0; i < 60; ++i) insert();
  for (std::uint64_t n = 0; n < 60; ++n) {
    table->touch(key_number(n), kNow + 1000 * static_cast<Milliseconds>(n * 7 % 60));
  }
  const Block block(table.block(), table.size());
  block.session(block.geometry().arena_begin).record()[3] ^= 1;
  block.header().writing = 1;
  EXPECT_FALSE(table->touch(key_number(0), kNow + 60'000));
  EXPECT_EQ(table->take_recovery().sessions_dropped, 1u);
  EXPECT_EQ(problem_of(*table), "");
  while (insert() == 0) {
  }
  for (int i = 0; i < 20; ++i) insert();
  // Those used last are still there.
  for (std::uint64_t n = 1; n < 60; ++n) {
    EXPECT_EQ(find(*table, key_number(n), kNow).has_value(), n * 7 % 60 > 21) << n;
  }
  EXPECT_EQ(problem_of(*table), "");
}

// A dead writer's odd sequence does not hold a reader up.
TEST(SessionTableRecovery, AReaderRepairsWhatKeepsItWaiting) {
  SharedTable table(128 << 10);
  table->insert(key_number(1), record_of(1, 1, 800), kExpires, kNow, 1, 2);
  const Block block(table.block(), table.size());
  block.bucket_of(block.hash(key_number(1))).sequence.begin_write();
  block.header().writing = 1;
  EXPECT_TRUE(find(*table, key_number(1), kNow));
  EXPECT_TRUE(table->take_recovery().recovered);
  EXPECT_EQ(problem_of(*table), "");
}

// Runs one change in a process of its own and, after each of its instructions, looks at the block
// as it would be had the process been killed there.
class StepByStep : public ::testing::Test {
 protected:
  static constexpr std::size_t kSize = SessionTable::kMinBlockSize;

  StepByStep() : table_(kSize), copy_(kSize) {
    // Full, with marks between the sessions and sessions without a slot.
    for (std::uint64_t n = 0; n < 200; ++n) {
      table_->insert(key_number(n), record_of(n, 1, 16 + n % 30 * 40), kExpires, kNow, n % 7 + 1,
                     n % 5 + 1);
      if (n % 4 == 0) table_->mark(key_number(10'000 + n), 1, n, kExpires, kNow);
    }
  }

  // The number of moments that were looked at.
  int run(const std::function<void(SessionTable&)>& work) {
    const pid_t child = start([this, &work] {
      ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      raise(SIGSTOP);
      work(*table_);
      return 0;
    });
    int moments = 0;
    int status = 0;
    const auto stepped = [&status] {
      return WIFSTOPPED(status) && (WSTOPSIG(status) == SIGTRAP || WSTOPSIG(status) == SIGSTOP);
    };
    while (waitpid(child, &status, 0) == child && stepped()) {
      // Most instructions write nothing to the block.
      if (std::memcmp(copy_.address(), table_.block(), kSize) != 0 || moments == 0) {
        std::memcpy(copy_.address(), table_.block(), kSize);
        inspect(++moments);
      }
      if (HasFatalFailure() || ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) break;
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return moments;
  }

  void inspect(int moment) {
    scratch_.resize(kSize + kUnit);
    char* aligned = scratch_.data();
    aligned += kUnit - reinterpret_cast<std::uintptr_t>(aligned) % kUnit;
    std::memcpy(aligned, copy_.address(), kSize);
    testing::LocalMutex mutex;
    SessionTable table(aligned, kSize, mutex);
    ASSERT_EQ(problem_of(table), "") << "moment " << moment;
    const Recovery recovery = table.take_recovery();
    ASSERT_FALSE(recovery.reset) << "moment " << moment;
    ASSERT_EQ(recovery.sessions_dropped, 0u) << "moment " << moment;
    for (std::uint64_t n = 0; n < 300; ++n) {
      const auto copied = find(table, key_number(n), kNow);
      ASSERT_TRUE(!copied || is_record_of(n, copied->record)) << n << " at moment " << moment;
      const bool kept = n < 180 || n >= 200 || changed_.count(n) != 0 || copied;
      ASSERT_TRUE(kept) << n << " at moment " << moment;
    }
  }

  SharedTable table_;
  Mapping copy_;
  std::vector<char> scratch_;
  std::set<std::uint64_t> changed_;  // what may come or go, besides the oldest
};

TEST_F(StepByStep, AnyChangeMayEndAnywhere) {
  struct Case {
    const char* name;
    std::uint64_t changed;
    std::function<void(SessionTable&)> work;
  };
  const std::string large = record_of(250, 1, 4000);
  const std::string small = record_of(190, 2, 80);
  const std::vector<Case> cases = {
      {"insert", 250,
       [&](SessionTable& table) {
         table.insert(key_number(250), large, kExpires, kNow, 1, 1);
       }},
      {"insert over", 190,
       [&](SessionTable& table) {
         table.insert(key_number(190), small, kExpires, kNow, 1, 1);
       }},
      {"replace", 190, [&](SessionTable& table) { table.replace(key_number(190), small, kNow); }},
      {"erase", 191, [](SessionTable& table) { table.erase(key_number(191)); }},
      {"touch", 192, [](SessionTable& table) { table.touch(key_number(192), kNow); }},
      {"mark", 0, [](SessionTable& table) { table.mark(key_number(9), 1, 3, kExpires, kNow); }},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    changed_.insert(one.changed);
    const int moments = run(one.work);
    if (HasFatalFailure()) return;
    if (moments <= 1) GTEST_SKIP() << "processes cannot be traced here";
    EXPECT_GE(moments, 8);
    ASSERT_EQ(problem_of(*table_), "");
    EXPECT_EQ(table_->stats().recoveries, 0u);
  }
}

}  // namespace
}  // namespace sallyport::session
