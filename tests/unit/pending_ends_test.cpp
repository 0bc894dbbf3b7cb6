#include "session/pending_ends.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

#include "session_table_fixture.h"

namespace sallyport::session {
namespace {

using testing::key_number;

struct NoMutex final : Mutex {
  void lock() noexcept override { ++held; }
  void unlock() noexcept override { --held; }
  int held = 0;
};

class PendingEndsTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kBytes = 8 + 4 * sizeof(PendingEnds::Entry);

  PendingEndsTest() { PendingEnds::format(block_.data()); }
  ~PendingEndsTest() override { EXPECT_EQ(0, mutex_.held); }

  std::size_t due(Milliseconds now) { return list_.take_due(now, 1000, 100).size(); }

  alignas(16) std::array<unsigned char, kBytes> block_{};
  NoMutex mutex_;
  PendingEnds list_{block_.data(), block_.size(), mutex_};
};

TEST_F(PendingEndsTest, HoldsAsManyAsFit) {
  EXPECT_EQ(4u, PendingEnds::capacity_of(kBytes));
  EXPECT_EQ(0u, PendingEnds::capacity_of(8));
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_TRUE(list_.add(key_number(i), 5000, 0));
  EXPECT_FALSE(list_.add(key_number(4), 5000, 4999));
}

TEST_F(PendingEndsTest, TheSameOneStaysOnce) {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(list_.add(key_number(1), 5000, 0));
  EXPECT_EQ(1u, due(1000));
}

TEST_F(PendingEndsTest, FullOfWhatIsOverMakesRoom) {
  for (std::uint64_t i = 0; i < 4; ++i) list_.add(key_number(i), 5000 + static_cast<Milliseconds>(i), 0);
  EXPECT_TRUE(list_.add(key_number(4), 9000, 5000));
  EXPECT_FALSE(list_.add(key_number(5), 9000, 5000));
}

TEST_F(PendingEndsTest, WhatAnybodyMayMakeUpLeavesAHalf) {
  const auto half = PendingEnds::Share::kHalf;
  EXPECT_TRUE(list_.add(key_number(0), 5000, 0, half));
  EXPECT_TRUE(list_.add(key_number(1), 6000, 0, half));
  EXPECT_FALSE(list_.add(key_number(2), 6000, 0, half));
  EXPECT_TRUE(list_.add(key_number(1), 6000, 0, half)) << "it is there";
  EXPECT_TRUE(list_.add(key_number(2), 6000, 0));
  EXPECT_TRUE(list_.add(key_number(3), 6000, 0));
  EXPECT_FALSE(list_.add(key_number(4), 6000, 5000, half)) << "three of four are left";
  EXPECT_TRUE(list_.add(key_number(4), 6000, 5000));
}

TEST_F(PendingEndsTest, HoldsNoMoreThanAWalkMayTakeHoweverLargeTheZone) {
  constexpr std::size_t kMost = PendingEnds::kMostEntries;
  std::vector<std::uint64_t> block(kMost * sizeof(PendingEnds::Entry) / 4);
  const std::size_t bytes = block.size() * sizeof(std::uint64_t);
  EXPECT_EQ(kMost, PendingEnds::capacity_of(bytes));
  EXPECT_LT(PendingEnds::kMostBytes, bytes);
  EXPECT_EQ(kMost, PendingEnds::capacity_of(PendingEnds::kMostBytes));
  EXPECT_EQ(kMost - 1, PendingEnds::capacity_of(PendingEnds::kMostBytes - 1));
  PendingEnds::format(block.data());
  PendingEnds large(block.data(), bytes, mutex_);
  for (std::uint64_t i = 0; i < kMost / 2; ++i) ASSERT_TRUE(large.add(key_number(i), 5000, 0, PendingEnds::Share::kHalf));
  EXPECT_FALSE(large.add(key_number(kMost), 5000, 0, PendingEnds::Share::kHalf));
  for (std::uint64_t i = kMost / 2; i < kMost; ++i) ASSERT_TRUE(large.add(key_number(i), 5000, 0));
  EXPECT_FALSE(large.add(key_number(kMost), 5000, 0));
}

TEST_F(PendingEndsTest, TellsWhatIsKnown) {
  const auto half = PendingEnds::Share::kHalf;
  list_.add(key_number(0), 5000, 0, half);
  list_.add(key_number(1), 5000, 0, half);
  list_.add(key_number(1), 5000, 0);
  list_.add(key_number(1), 5000, 0, half);
  const auto due = list_.take_due(1000, 1000, 100);
  ASSERT_EQ(2u, due.size());
  EXPECT_EQ(half, due[0].share);
  EXPECT_EQ(PendingEnds::Share::kWhole, due[1].share);
}

TEST_F(PendingEndsTest, IsDueOncePerInterval) {
  list_.add(key_number(1), 50000, 100);
  EXPECT_EQ(0u, due(1099));
  EXPECT_EQ(1u, due(1100));
  EXPECT_EQ(0u, due(1100));
  EXPECT_EQ(0u, due(2099));
  EXPECT_EQ(1u, due(2100));
}

TEST_F(PendingEndsTest, AClockSetBackDoesNotPutItOff) {
  list_.add(key_number(1), 50000, 10000);
  EXPECT_EQ(1u, due(9000));
}

TEST_F(PendingEndsTest, IsGivenUpAtTheSessionsEnd) {
  list_.add(key_number(1), 5000, 0);
  list_.add(key_number(2), 6000, 0);
  EXPECT_EQ(1u, due(5000));
  EXPECT_EQ(0u, due(6000));
  EXPECT_FALSE(list_.has_any());
}

TEST_F(PendingEndsTest, RemovesThatOneOnly) {
  for (std::uint64_t i = 0; i < 3; ++i) list_.add(key_number(i), 5000, 0);
  list_.remove(key_number(0));
  list_.remove(key_number(7));
  const auto left = list_.take_due(2000, 1000, 100);
  ASSERT_EQ(2u, left.size());
  EXPECT_NE(key_number(0), left[0].key);
  EXPECT_NE(key_number(0), left[1].key);
}

TEST_F(PendingEndsTest, TakesAsManyAsWanted) {
  for (std::uint64_t i = 0; i < 4; ++i) list_.add(key_number(i), 5000, 0);
  EXPECT_EQ(3u, list_.take_due(2000, 1000, 3).size());
  EXPECT_EQ(1u, list_.take_due(2000, 1000, 3).size());
}

// The interval passes before all have had their turn.
TEST_F(PendingEndsTest, NobodyWaitsForThoseThatAreNeverConfirmed) {
  for (std::uint64_t i = 0; i < 4; ++i) list_.add(key_number(i), 9000, 0);
  std::set<Key> told;
  for (Milliseconds time = 2000; time < 6000; time += 1000) {
    for (const auto& entry : list_.take_due(time, 1000, 1)) told.insert(entry.key);
  }
  EXPECT_EQ(4u, told.size());
}

TEST_F(PendingEndsTest, IsFoundByAnotherView) {
  list_.add(key_number(1), 5000, 0);
  PendingEnds other(block_.data(), block_.size(), mutex_);
  EXPECT_TRUE(other.has_any());
  other.remove(key_number(1));
  EXPECT_FALSE(list_.has_any());
}

}  // namespace
}  // namespace sallyport::session
