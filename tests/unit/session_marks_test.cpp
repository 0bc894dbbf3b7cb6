// Replay marks in the table of sessions.
#include <gtest/gtest.h>

#include <vector>

#include "session/session_table.h"
#include "session_table_fixture.h"

namespace sallyport::session {
namespace {

using testing::find;
using testing::key_number;
using testing::OwnTable;
using testing::problem_of;
using testing::record_of;

constexpr std::size_t kSize = 256 << 10;
constexpr Milliseconds kNow = 1'700'000'000'000;
constexpr Milliseconds kMinute = 60 * 1000;

TEST(SessionMarks, TellWhatWasSeen) {
  struct Step {
    std::uint64_t answer;
    std::uint64_t attempt;
    Milliseconds at;
    MarkStatus status;
  };
  // Each mark lives ten minutes from kNow.
  const std::vector<Step> steps = {
      {1, 50, 0, MarkStatus::kFresh},
      {1, 50, 1, MarkStatus::kSameAttempt},
      {1, 51, 1, MarkStatus::kReplayed},
      {1, 0, 1, MarkStatus::kReplayed},
      {2, 51, 2, MarkStatus::kFresh},
      {3, 0, 3, MarkStatus::kFresh},
      {3, 0, 4, MarkStatus::kReplayed},
      {1, 50, 10 * kMinute - 1, MarkStatus::kSameAttempt},
      {2, 50, 10 * kMinute - 1, MarkStatus::kReplayed},
  };
  OwnTable table(kSize);
  for (const Step& step : steps) {
    const MarkResult result =
        table->mark(key_number(step.answer), step.attempt, 9, kNow + 10 * kMinute, kNow + step.at);
    EXPECT_EQ(result.status, step.status) << step.answer << " by " << step.attempt;
  }
  EXPECT_TRUE(table->is_marked(key_number(1), kNow));
  EXPECT_FALSE(table->is_marked(key_number(1), kNow + 10 * kMinute));
  EXPECT_FALSE(table->is_marked(key_number(4), kNow));
  EXPECT_EQ(table->stats().marks, 3u);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionMarks, ExpireAndAreCleanedUp) {
  OwnTable table(kSize);
  for (std::uint64_t n = 0; n < 100; ++n) {
    table->mark(key_number(n), 1, 9, kNow + kMinute + static_cast<Milliseconds>(n), kNow);
  }
  EXPECT_EQ(table->mark(key_number(50), 2, 9, kNow + 5 * kMinute, kNow + 2 * kMinute).status,
            MarkStatus::kFresh);
  for (std::uint64_t n = 1000; n < 1050; ++n) {
    table->mark(key_number(n), 1, 9, kNow + 5 * kMinute, kNow + 2 * kMinute);
  }
  EXPECT_EQ(table->stats().marks, 51u);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionMarks, AForgottenOneIsRefusedWhenTheClockGoesBack) {
  OwnTable table(kSize);
  table->mark(key_number(1), 1, 9, kNow + kMinute, kNow);
  table->mark(key_number(2), 1, 9, kNow + 9 * kMinute, kNow + 2 * kMinute);
  EXPECT_EQ(table->stats().marks, 1u);
  EXPECT_EQ(table->mark(key_number(1), 2, 9, kNow + kMinute, kNow).status,
            MarkStatus::kClockWentBack);
  EXPECT_EQ(table->mark(key_number(3), 2, 9, kNow + kMinute + 1, kNow).status, MarkStatus::kFresh);
}

TEST(SessionMarks, AClockThatWasFarAheadDoesNotLockUsersOut) {
  OwnTable table(kSize);
  const Milliseconds year = Milliseconds{365} * 24 * 60 * kMinute;
  table->mark(key_number(1), 1, 9, kNow + year, kNow + year - 1);
  table->mark(key_number(2), 1, 9, kNow + year + kMinute, kNow + year);
  EXPECT_EQ(table->mark(key_number(3), 2, 9, kNow + kMinute, kNow).status, MarkStatus::kFresh);
}

TEST(SessionMarks, OneIdpHoldsAQuarterAndAllHoldHalfTheRoom) {
  OwnTable table(kSize);
  const std::uint64_t most = table->stats().max_marks;
  EXPECT_EQ(most, table->stats().bytes_total / 2 / sizeof(Mark));
  std::uint64_t n = 0;
  for (std::uint64_t idp = 1; idp <= 4; ++idp) {
    std::uint64_t held = 0;
    const auto fits = [&] {
      const MarkResult result = table->mark(key_number(n++), 1, idp, kNow + kMinute, kNow);
      return result.status == MarkStatus::kFresh;
    };
    while (fits()) ++held;
    EXPECT_EQ(held, most / 4) << idp;
  }
  EXPECT_EQ(table->stats().marks_refused, 4u);
  for (std::uint64_t idp = 5; table->stats().marks < most; ++idp) {
    ASSERT_EQ(table->mark(key_number(n++), 1, idp, kNow + kMinute, kNow).status,
              MarkStatus::kFresh);
  }
  EXPECT_EQ(table->mark(key_number(n++), 1, 99, kNow + kMinute, kNow).status, MarkStatus::kFull);
  EXPECT_EQ(table->mark(key_number(0), 2, 1, kNow + kMinute, kNow).status, MarkStatus::kReplayed);
  // Room again as soon as they have expired, whoever held it.
  EXPECT_EQ(table->mark(key_number(n++), 1, 99, kNow + 9 * kMinute, kNow + kMinute).status,
            MarkStatus::kFresh);
  EXPECT_EQ(table->mark(key_number(n++), 1, 1, kNow + 9 * kMinute, kNow + kMinute).status,
            MarkStatus::kFresh);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionMarks, TakeRoomFromSessionsAndNeverGiveIt) {
  OwnTable table(kSize);
  std::uint64_t n = 0;
  const auto insert = [&table, &n](std::size_t size) {
    ++n;
    return table->insert(key_number(n), record_of(n, 1, size), kNow + kMinute, kNow, 1, 2);
  };
  while (insert(1304).live_evicted == 0) {
  }
  std::size_t evicted = 0;
  const std::uint64_t most = table->stats().max_marks;
  for (std::uint64_t i = 0; i < most; ++i) {
    const MarkResult result = table->mark(key_number(1 << 20 | i), 1, i, kNow + kMinute, kNow);
    ASSERT_EQ(result.status, MarkStatus::kFresh) << i;
    evicted += result.live_evicted;
    if (i % 3 == 0) insert(1304);
  }
  EXPECT_GT(evicted, 0u);
  ASSERT_EQ(problem_of(*table), "");
  // Records of any size still find room between the marks, which are moved for that.
  for (std::size_t size = 16; size <= table->max_record_size(); size += 1024) {
    ASSERT_EQ(insert(size).status, InsertStatus::kStored) << size;
    ASSERT_EQ(problem_of(*table), "");
  }
  EXPECT_EQ(table->stats().marks, most);
  for (std::uint64_t i = 0; i < most; ++i) {
    ASSERT_TRUE(table->is_marked(key_number(1 << 20 | i), kNow)) << i;
  }
}

}  // namespace
}  // namespace sallyport::session
