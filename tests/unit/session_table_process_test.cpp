// Several processes at one table: readers without a lock, writers, and writers that are killed.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <vector>

#include "session/session_table.h"
#include "session_table_fixture.h"

namespace sallyport::session {
namespace {

using testing::Dice;
using testing::find;
using testing::is_record_of;
using testing::key_number;
using testing::problem_of;
using testing::record_of;
using testing::SharedTable;
using testing::start;

constexpr Milliseconds kNow = 1'700'000'000'000;
constexpr Milliseconds kExpires = kNow + 3'600'000;

int status_of(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

std::size_t some_size(Dice& dice) { return 16 + dice.below(dice.below(9) == 0 ? 700 : 200) * 8; }

// One change chosen at random among few sessions, so that all of them change all the time.
void change(SessionTable& table, Dice& dice, std::uint64_t keys) {
  const std::uint64_t number = dice.below(keys);
  const Key key = key_number(number);
  switch (dice.below(8)) {
    case 0:
    case 1:
    case 2:
      table.insert(key, record_of(number, dice.roll(), some_size(dice)), kExpires, kNow,
                   number % 7 + 1, number % 5 + 1);
      break;
    case 3:
    case 4:
      table.replace(key, record_of(number, dice.roll(), some_size(dice)), kNow);
      break;
    case 5:
      table.erase(key);
      break;
    case 6:
      table.touch(key, kNow);
      break;
    default:
      table.mark(key_number(dice.roll()), 1, number % 9,
                 kNow + 1 + static_cast<Milliseconds>(dice.below(9)), kNow);
      break;
  }
}

// How many sessions were found; -1 when one of them was torn or another's.
int read_some(SessionTable& table, Dice& dice, std::uint64_t keys, int count) {
  int found = 0;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t number = dice.below(keys);
    const auto copied = find(table, key_number(number), kNow);
    if (!copied) continue;
    ++found;
    if (!is_record_of(number, copied->record) || copied->found.expires_at != kExpires) return -1;
  }
  return found;
}

TEST(SessionTableProcesses, ReadersNeverSeeTornOrForeignRecords) {
  constexpr std::uint64_t kKeys = 200;  // more than the block holds: memory is used anew at once
  SharedTable table(128 << 10);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1200);
  const auto in_time = [until] { return std::chrono::steady_clock::now() < until; };
  std::vector<pid_t> children;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    children.push_back(start([&] {
      Dice dice(seed);
      while (in_time()) change(*table, dice, kKeys);
      return 0;
    }));
    children.push_back(start([&] {
      Dice dice(seed << 32);
      int found = 0;
      while (in_time()) {
        const int more = read_some(*table, dice, kKeys, 100);
        if (more < 0) return 1;
        found += more;
      }
      return found > 0 ? 0 : 2;
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(status_of(child), 0);
  EXPECT_EQ(problem_of(*table), "");
  EXPECT_EQ(table->stats().recoveries, 0u);
}

// A session that is replaced all the time, among others that come and go, is never absent.
TEST(SessionTableProcesses, AReplacedSessionIsThereAtAnyMoment) {
  SharedTable table(128 << 10);
  const std::uint64_t number = 5;
  table->insert(key_number(number), record_of(number, 1, 800), kExpires, kNow, 1, 2);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
  const auto in_time = [until] { return std::chrono::steady_clock::now() < until; };
  const pid_t writer = start([&] {
    Dice dice(3);
    for (std::uint64_t n = 1000; in_time(); ++n) {
      const std::string record = record_of(number, n, some_size(dice));
      if (n % 2 == 0) {
        table->replace(key_number(number), record, kNow);
      } else {
        table->insert(key_number(number), record, kExpires, kNow, 1, 2);
      }
      table->insert(key_number(n), record_of(n, 1, some_size(dice)), kExpires, kNow, 1, 2);
    }
    return 0;
  });
  std::size_t absent = 0;
  while (in_time()) absent += !find(*table, key_number(number), kNow);
  EXPECT_EQ(absent, 0u);
  EXPECT_EQ(status_of(writer), 0);
}

// SALLYPORT_KILLS sets how many writers are killed, for a longer run. A sanitizer's processes start
// slowly.
int kills() {
#if defined(__SANITIZE_ADDRESS__)
  constexpr int kDefault = 50;
#else
  constexpr int kDefault = 200;
#endif
  const char* text = std::getenv("SALLYPORT_KILLS");
  return text == nullptr ? kDefault : std::atoi(text);
}

TEST(SessionTableProcesses, KilledWritersLeaveARepairableTable) {
  constexpr std::uint64_t kKeys = 600;
  SharedTable table(512 << 10);
  Dice dice(9);
  const pid_t reader = start([&] {
    Dice own(10);
    while (getppid() != 1) {
      if (read_some(*table, own, kKeys, 100) < 0) return 1;
      usleep(50);
    }
    return 2;
  });
  for (int i = 0; i < kills(); ++i) {
    const pid_t writer = start([&] {
      Dice own(dice.roll());
      for (;;) change(*table, own, kKeys);
      return 0;
    });
    dice.roll();
    usleep(static_cast<useconds_t>(100 + dice.below(1000)));
    kill(writer, SIGKILL);
    waitpid(writer, nullptr, 0);
    ASSERT_EQ(problem_of(*table), "") << "after kill " << i;
  }
  int status = 0;
  EXPECT_EQ(waitpid(reader, &status, WNOHANG), 0) << "the reader saw a torn record";
  kill(reader, SIGKILL);
  waitpid(reader, nullptr, 0);
  const Stats stats = table->stats();
  EXPECT_GT(stats.recoveries, 0u);
  EXPECT_EQ(stats.resets, 0u);
  EXPECT_TRUE(table->take_recovery().recovered);
  EXPECT_FALSE(table->take_recovery().recovered);
}

}  // namespace
}  // namespace sallyport::session
