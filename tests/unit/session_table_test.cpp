#include "session/session_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "session_table_fixture.h"

namespace sallyport::session {
namespace {

using testing::Dice;
using testing::find;
using testing::is_record_of;
using testing::key_number;
using testing::OwnTable;
using testing::problem_of;
using testing::record_of;

constexpr std::size_t kSmall = 256 << 10;
constexpr Milliseconds kNow = 1'700'000'000'000;
constexpr Milliseconds kHour = 3600 * 1000;

InsertResult put(SessionTable& table, std::uint64_t number, std::size_t size = 1304,
                 Milliseconds now = kNow, Milliseconds expires_at = kNow + 8 * kHour) {
  const Owner user = (number + 99) % 100 + 1;
  return table.insert(key_number(number), record_of(number, 1, size), expires_at, now, user, number);
}

// Fills the table with equal records; returns how many fit.
std::uint64_t fill(SessionTable& table, std::size_t size = 1304) {
  std::uint64_t number = 0;
  while (put(table, number, size).live_evicted == 0) ++number;
  return number;
}

TEST(SessionTableFormat, RefusesWhatItCannotUse) {
  testing::Mapping mapping(kSmall);
  auto* block = static_cast<char*>(mapping.address());
  EXPECT_EQ(SessionTable::format(block, SessionTable::kMinBlockSize - 1, 1),
            FormatResult::kTooSmall);
  EXPECT_EQ(SessionTable::format(block + 8, kSmall - 8, 1), FormatResult::kMisaligned);
  EXPECT_EQ(SessionTable::format(block, SessionTable::kMaxBlockSize + 1, 1),
            FormatResult::kTooLarge);
  EXPECT_EQ(SessionTable::format(block, SessionTable::kMinBlockSize, 1), FormatResult::kFormatted);
}

TEST(SessionTableFormat, IsRecognisedAfterAReload) {
  OwnTable table(kSmall);
  void* block = table.mapping().address();
  put(*table, 1);
  EXPECT_EQ(SessionTable::check(block, kSmall), AttachResult::kCompatible);
  EXPECT_EQ(SessionTable::check(block, kSmall / 2), AttachResult::kOtherSize);
  EXPECT_EQ(SessionTable::check(block, 1024), AttachResult::kNotATable);
  EXPECT_EQ(SessionTable::check(static_cast<char*>(block) + 1, kSmall), AttachResult::kMisaligned);

  testing::LocalMutex mutex;
  SessionTable again(block, kSmall, mutex);
  EXPECT_TRUE(find(again, key_number(1), kNow));

  static_cast<Header*>(block)->version += 1;
  EXPECT_EQ(SessionTable::check(block, kSmall), AttachResult::kOtherVersion);
  static_cast<Header*>(block)->magic = 0;
  EXPECT_EQ(SessionTable::check(block, kSmall), AttachResult::kNotATable);
}

TEST(SessionTableFormat, MakesATableOfAnyBytes) {
  testing::Mapping mapping(kSmall);
  std::memset(mapping.address(), 0xA5, kSmall);
  ASSERT_EQ(SessionTable::format(mapping.address(), kSmall, 7), FormatResult::kFormatted);
  testing::LocalMutex mutex;
  SessionTable table(mapping.address(), kSmall, mutex);
  EXPECT_EQ(problem_of(table), "");
  EXPECT_EQ(table.stats().sessions, 0u);
  EXPECT_FALSE(find(table, key_number(1), kNow));
}

TEST(SessionTable, FindsWhatWasInserted) {
  OwnTable table(kSmall);
  const Milliseconds expires = kNow + kHour;
  for (const std::size_t size : {16, 56, 64, 72, 1304, 8000}) {
    const std::string record = record_of(size, 1, size);
    ASSERT_EQ(table->insert(key_number(size), record, expires, kNow, 1, 2).status,
              InsertStatus::kStored);
    const auto copied = find(*table, key_number(size), kNow + 5);
    ASSERT_TRUE(copied) << size;
    EXPECT_EQ(copied->record, record);
    EXPECT_EQ(copied->found.expires_at, expires);
    EXPECT_EQ(copied->found.last_used, kNow);
  }
  EXPECT_FALSE(find(*table, key_number(9), kNow));
  EXPECT_EQ(table->stats().sessions, 6u);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTable, KeepsRecordsOfAnyLength) {
  OwnTable table(kSmall);
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string record(size, static_cast<char>('a' + size % 26));
    table->insert(key_number(7), record, kNow + kHour, kNow, 0, 0);
    const auto copied = find(*table, key_number(7), kNow);
    ASSERT_TRUE(copied);
    ASSERT_EQ(copied->record, record);
  }
  EXPECT_EQ(table->stats().sessions, 1u);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTable, SaysWhenTheCallerHasNoMemory) {
  OwnTable table(kSmall);
  put(*table, 1);
  const Memory none = {[](void*, std::size_t) -> void* { return nullptr; }, nullptr};
  Found found;
  EXPECT_EQ(table->find(key_number(1), kNow, none, &found), FindResult::kNoMemory);
  EXPECT_EQ(table->find(key_number(2), kNow, none, &found), FindResult::kAbsent);
}

TEST(SessionTable, RefusesARecordThatCanNeverFit) {
  OwnTable table(kSmall);
  const std::size_t most = table->max_record_size();
  fill(*table);
  EXPECT_EQ(table->insert(key_number(1), std::string(most + 1, 'x'), kNow + 1, kNow, 0, 0).status,
            InsertStatus::kTooLarge);
  EXPECT_EQ(table->insert(key_number(1), std::string(most, 'x'), kNow + 1, kNow, 0, 0).status,
            InsertStatus::kStored);
  EXPECT_EQ(table->replace(key_number(1), std::string(most + 1, 'x'), kNow).status,
            InsertStatus::kTooLarge);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTable, ErasesOnce) {
  OwnTable table(kSmall);
  put(*table, 1);
  put(*table, 2);
  EXPECT_TRUE(table->erase(key_number(1)));
  EXPECT_FALSE(table->erase(key_number(1)));
  EXPECT_FALSE(find(*table, key_number(1), kNow));
  EXPECT_TRUE(find(*table, key_number(2), kNow));
  EXPECT_TRUE(table->erase(key_number(2)));
  EXPECT_EQ(table->stats().bytes_used, 0u);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTable, InsertsOverTheSameKey) {
  OwnTable table(kSmall);
  put(*table, 1);
  table->insert(key_number(1), record_of(1, 2, 640), kNow + kHour, kNow, 77, 0);
  EXPECT_EQ(find(*table, key_number(1), kNow)->record, record_of(1, 2, 640));
  EXPECT_EQ(table->stats().sessions, 1u);
  EXPECT_EQ(table->erase_by_user(1), 0u);
  EXPECT_EQ(table->erase_by_user(77), 1u);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTable, ReplacesARecordAndNothingElse) {
  OwnTable table(kSmall);
  put(*table, 1);
  EXPECT_EQ(table->replace(key_number(1), record_of(1, 2, 4000), kNow + 9).status,
            InsertStatus::kStored);
  const auto copied = find(*table, key_number(1), kNow);
  EXPECT_EQ(copied->record, record_of(1, 2, 4000));
  EXPECT_EQ(copied->found.expires_at, kNow + 8 * kHour);
  EXPECT_EQ(copied->found.last_used, kNow);
  EXPECT_EQ(table->replace(key_number(2), "x", kNow).status, InsertStatus::kAbsent);
  EXPECT_EQ(table->replace(key_number(1), "x", kNow + 9 * kHour).status, InsertStatus::kAbsent);
  EXPECT_EQ(table->erase_by_user(1), 1u);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTable, ReplacesOnlyTheVersionThatWasFound) {
  OwnTable table(kSmall);
  put(*table, 1);
  const std::uint16_t version = find(*table, key_number(1), kNow)->found.version;
  EXPECT_EQ(table->replace(key_number(1), "second", kNow, version).status, InsertStatus::kStored);
  EXPECT_EQ(table->replace(key_number(1), "third", kNow, version).status, InsertStatus::kChanged);
  EXPECT_EQ(find(*table, key_number(1), kNow)->record, "second");
  const std::uint16_t now_there = find(*table, key_number(1), kNow)->found.version;
  EXPECT_EQ(table->replace(key_number(1), "third", kNow, now_there).status, InsertStatus::kStored);
  EXPECT_EQ(find(*table, key_number(1), kNow)->record, "third");
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTable, CopiesTheFrontWhereThatIsEnough) {
  OwnTable table(kSmall);
  const std::string record = record_of(1, 1, 800);
  for (const std::size_t front : {0u, 1u, 64u, 799u, 800u, 900u}) {
    table->insert(key_number(1), Record(record, front), kNow + kHour, kNow, 0, 0);
    std::string memory;
    Found found;
    ASSERT_EQ(table->find(key_number(1), kNow, {testing::allocate_in_string, &memory}, &found, Part::kFront),
              FindResult::kFound);
    EXPECT_EQ(found.record, std::string_view(record).substr(0, front)) << front;
    EXPECT_EQ(found.length, record.size());
    EXPECT_EQ(find(*table, key_number(1), kNow)->record, record) << front;
  }
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTable, SurvivesReplacingInAFullTable) {
  OwnTable table(kSmall);
  const std::uint64_t count = fill(*table);
  const std::size_t most = table->max_record_size() / 8 * 8;
  for (std::uint64_t number = count; number > count - 20; --number) {
    ASSERT_EQ(table->replace(key_number(number), record_of(number, 2, most), kNow).status,
              InsertStatus::kStored);
    ASSERT_EQ(find(*table, key_number(number), kNow)->record, record_of(number, 2, most));
    ASSERT_EQ(problem_of(*table), "");
    put(*table, number + 1000);
    if (!find(*table, key_number(number - 1), kNow)) break;
  }
}

TEST(SessionTableExpiry, ExpiredIsAbsent) {
  OwnTable table(kSmall);
  put(*table, 1, 800, kNow, kNow + 1000);
  EXPECT_TRUE(find(*table, key_number(1), kNow + 999));
  EXPECT_FALSE(find(*table, key_number(1), kNow + 1000));
  EXPECT_FALSE(table->touch(key_number(1), kNow + 1000));
}

TEST(SessionTableExpiry, EachInsertCleansALittle) {
  OwnTable table(kSmall);
  for (std::uint64_t n = 0; n < 20; ++n) put(*table, n, 800, kNow, kNow + 1000);
  const Milliseconds later = kNow + 2000;
  for (std::uint64_t n = 100; n < 115; ++n) put(*table, n, 800, later);
  EXPECT_EQ(table->stats().sessions, 15u);
  EXPECT_EQ(table->stats().expired, 20u);
  EXPECT_EQ(table->stats().evicted_live, 0u);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTableExpiry, ExpiredSessionsGoBeforeLiveOnes) {
  OwnTable table(kSmall);
  for (std::uint64_t n = 0; n < 50; ++n) put(*table, n);
  for (std::uint64_t n = 1000; n < 1050; ++n) put(*table, n, 1304, kNow, kNow + 1000);
  std::uint64_t n = 2000;
  while (table->stats().bytes_free > 8 * 1432) put(*table, n++);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(put(*table, n++, 1304, kNow + 2000).live_evicted, 0u);
  for (std::uint64_t old = 0; old < 50; ++old) EXPECT_TRUE(find(*table, key_number(old), kNow));
}

TEST(SessionTableExpiry, AClockThatGoesBackBringsNothingBack) {
  OwnTable table(kSmall);
  for (std::uint64_t n = 0; n < 30; ++n) put(*table, n, 800, kNow, kNow + 1000);
  put(*table, 100);
  EXPECT_TRUE(table->touch(key_number(100), kNow + 5000));
  // Expired by the clock that a writer saw, and not cleaned up yet.
  EXPECT_FALSE(find(*table, key_number(7), kNow + 10));
  put(*table, 101, 800, kNow + 20, kNow + 2000);
  EXPECT_FALSE(find(*table, key_number(7), kNow + 30));
  EXPECT_TRUE(find(*table, key_number(101), kNow + 30));
  EXPECT_TRUE(find(*table, key_number(100), kNow + 30));
  EXPECT_EQ(table->stats().sessions, 2u);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTableExpiry, AClockThatLagsDropsSomeAtATime) {
  OwnTable table(4 * kSmall);
  for (std::uint64_t n = 0; n < 300; ++n) put(*table, n, 100, kNow, kNow + 1000);
  put(*table, 1000, 100, kNow + 5000, kNow + kHour);
  const std::uint64_t before = table->stats().sessions;
  EXPECT_TRUE(table->touch(key_number(1000), kNow + 4999)) << "another process, whose clock is behind";
  EXPECT_GE(table->stats().sessions + 64, before);
  EXPECT_FALSE(find(*table, key_number(299), kNow + 10)) << "expired by the earlier one";
  for (int i = 0; i < 5; ++i) table->touch(key_number(1000), kNow + 10);
  EXPECT_EQ(1u, table->stats().sessions);
  EXPECT_EQ("", problem_of(*table));
}

TEST(SessionTableUse, LastUsedIsTheCallersToChoose) {
  OwnTable table(kSmall);
  table->insert(key_number(1), record_of(1, 1, 800), kNow + kHour, kNow, 0, 0, kNow - 300);
  EXPECT_EQ(kNow - 300, find(*table, key_number(1), kNow)->found.last_used);
  // An earlier last_used is no clock that was set back: nothing is dropped for it.
  table->insert(key_number(2), record_of(2, 1, 800), kNow + 10, kNow, 0, 0);
  EXPECT_TRUE(table->touch(key_number(1), kNow + 20, kNow - 200));
  EXPECT_EQ(kNow - 200, find(*table, key_number(1), kNow + 20)->found.last_used);
  EXPECT_EQ(nullptr, table->check_consistency());
}

TEST(SessionTableEviction, TheLeastRecentlyUsedGoes) {
  OwnTable table(kSmall);
  const std::uint64_t count = fill(*table);  // 0 has gone for `count`
  table->touch(key_number(1), kNow + 1);
  table->touch(key_number(3), kNow + 1);
  EXPECT_EQ(put(*table, count + 1).live_evicted, 1u);
  EXPECT_EQ(put(*table, count + 2).live_evicted, 1u);
  for (const auto& [number, there] : std::vector<std::pair<std::uint64_t, bool>>{
           {0, false}, {1, true}, {2, false}, {3, true}, {4, false}, {5, true}}) {
    EXPECT_EQ(find(*table, key_number(number), kNow).has_value(), there) << number;
  }
  EXPECT_EQ(table->stats().evicted_live, 3u);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTableEviction, ASessionInUseStaysInABurstOfLogins) {
  OwnTable table(kSmall);
  const std::uint64_t count = fill(*table);
  const std::uint64_t used = count - 1;
  int touches = 0;
  for (std::uint64_t n = count + 1; n < 5 * count; ++n) {
    put(*table, n);
    const auto copied = find(*table, key_number(used), kNow);
    ASSERT_TRUE(copied) << n;
    if (!copied->found.touch_due(kNow, 60'000)) continue;
    table->touch(key_number(used), kNow);
    ++touches;
  }
  EXPECT_LE(touches, 4 * 9);
}

TEST(SessionTableEviction, TouchIsDueOncePerInterval) {
  OwnTable table(kSmall);
  put(*table, 1);
  const auto due = [&table](Milliseconds now) {
    return find(*table, key_number(1), now)->found.touch_due(now, 60'000);
  };
  EXPECT_FALSE(due(kNow));
  EXPECT_FALSE(due(kNow + 59'999));
  EXPECT_TRUE(due(kNow + 60'000));
  table->touch(key_number(1), kNow + 60'000);
  EXPECT_FALSE(due(kNow + 60'001));
  EXPECT_TRUE(due(kNow - 1)) << "the clock was set back";
}

TEST(SessionTableEviction, ALargeRecordTakesLittleMoreThanItsRoom) {
  OwnTable table(2 << 20);
  const std::uint64_t count = fill(*table);
  Dice dice(5);
  for (std::uint64_t i = 0; i < 4 * count; ++i) {
    table->touch(key_number(dice.below(count)), kNow + 1);
  }
  for (std::uint64_t i = 0; i < 20; ++i) {
    const std::size_t size = 40'000;
    const InsertResult result = put(*table, 100'000 + i, size);
    ASSERT_EQ(result.status, InsertStatus::kStored);
    EXPECT_LE(result.live_evicted, 3 * size / 1432);
    ASSERT_EQ(problem_of(*table), "");
  }
}

TEST(SessionTableEviction, ATableOfMixedRecordsStaysFull) {
  OwnTable table(4 << 20);
  Dice dice(6);
  std::uint64_t n = 0;
  const auto insert = [&] { return put(*table, n++, 600 + dice.below(2400)).live_evicted; };
  while (insert() == 0) {
  }
  std::size_t evicted = 0;
  for (int i = 0; i < 20'000; ++i) {
    evicted += insert();
    const std::uint64_t other = n - 1 - dice.below(1000);
    table->touch(key_number(other), kNow);
  }
  EXPECT_LT(evicted, 21'000u);
  EXPECT_LT(table->stats().bytes_free, table->stats().bytes_total / 6);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTableIndex, FindsTheSessionsOfAUserAndOfAnIdpSession) {
  OwnTable table(kSmall);
  for (std::uint64_t n = 0; n < 60; ++n) {
    table->insert(key_number(n), "record", n == 33 ? kNow + 1 : kNow + kHour, kNow, 1 + n % 3,
                  100 + n / 2);
  }
  std::set<Key> keys;
  const auto collect = [&keys](const Key& key) { keys.insert(key); };
  EXPECT_EQ(table->for_each_by_user(1, kNow + 1, collect), 19u);
  EXPECT_EQ(keys.size(), 19u);
  EXPECT_EQ(keys.count(key_number(3)), 1u);
  EXPECT_EQ(keys.count(key_number(33)), 0u) << "expired";
  keys.clear();
  EXPECT_EQ(table->for_each_by_idp_session(102, kNow, collect), 2u);
  EXPECT_EQ(keys, (std::set<Key>{key_number(4), key_number(5)}));
  EXPECT_EQ(table->for_each_by_user(9, kNow, collect), 0u);

  EXPECT_EQ(table->erase_by_user(1), 20u);
  EXPECT_EQ(table->erase_by_idp_session(102), 2u);
  EXPECT_EQ(table->erase_by_idp_session(102), 0u);
  EXPECT_EQ(table->stats().sessions, 38u);
  EXPECT_EQ(problem_of(*table), "");
}

TEST(SessionTableEviction, WhatIsNobodysSessionGoesUncounted) {
  OwnTable table(kSmall);
  table->insert(key_number(1000), record_of(1000, 1, 1304), kNow + kHour, kNow, 0, 0);
  std::uint64_t number = 0;
  while (find(*table, key_number(1000), kNow)) {
    EXPECT_EQ(put(*table, number).live_evicted, 0u);
    ++number;
  }
  EXPECT_EQ(put(*table, number).live_evicted, 1u);
  EXPECT_EQ(table->stats().evicted_live, 1u);
}

// A table that others have filled, each session of another user of the IdP 1.
class Full : public ::testing::Test {
 protected:
  Full() {
    while (log_in(count, make_owner(1, count + 1)).live_evicted == 0) ++count;
  }
  InsertResult log_in(std::uint64_t number, Owner owner, std::size_t size = 1304) {
    return table->insert(key_number(number), record_of(number, 1, size), kNow + kHour, kNow, owner, 0);
  }
  std::uint64_t others_left() {
    std::uint64_t left = 0;
    for (std::uint64_t n = 0; n < count; ++n) left += find(*table, key_number(n), kNow).has_value();
    return left;
  }

  OwnTable table{1 << 20};
  std::uint64_t count = 0;
};

using SessionTableFairness = Full;

TEST_F(SessionTableFairness, DosStateAUserWhoFloodsPaysHimself) {
  for (const std::size_t size : {1304u, 8000u}) {
    for (std::uint64_t n = 0; n < 3 * count; ++n) {
      ASSERT_EQ(log_in(10'000 + n, make_owner(1, 1 << 20), size).status, InsertStatus::kStored);
      ASSERT_TRUE(find(*table, key_number(10'000 + n), kNow)) << n;
    }
    EXPECT_GE(others_left(), count - count / 20 - 64 * (size + 192) / 1432) << size;
    EXPECT_EQ(problem_of(*table), "");
  }
}

TEST_F(SessionTableFairness, DosStateAnIdpThatFloodsPaysItself) {
  for (std::uint64_t n = 0; n < 10 * count; ++n) {
    // Every other one is what is remembered of a user.
    ASSERT_EQ(log_in(10'000 + n, make_owner(2, n % 2 == 0 ? n + 1 : 0), 800 + n % 7 * 300).status, InsertStatus::kStored);
    ASSERT_TRUE(find(*table, key_number(10'000 + n), kNow)) << n;
  }
  EXPECT_GE(others_left(), count * 7 / 10);
  EXPECT_EQ(problem_of(*table), "");
}

TEST_F(SessionTableFairness, WhoHoldsMostKeepsTheOrderOfUse) {
  for (std::uint64_t n = 0; n < count / 5; ++n) log_in(10'000 + n, make_owner(2, n + 1));
  table->touch(key_number(count / 5 + 1), kNow + 1);
  for (std::uint64_t n = 0; n < 4; ++n) log_in(20'000 + n, make_owner(1, n + 1));
  EXPECT_FALSE(find(*table, key_number(count / 5 + 2), kNow)) << "the oldest of the IdP 1";
  EXPECT_TRUE(find(*table, key_number(count / 5 + 1), kNow)) << "in use";
  for (std::uint64_t n = 0; n < count / 5; ++n) EXPECT_TRUE(find(*table, key_number(10'000 + n), kNow)) << n;
}

// The oldest of all are another IdP's, idle overnight: whoever works at this one stays in.
TEST_F(SessionTableFairness, WhoIsActiveStaysInWhereOthersAreIdle) {
  const std::uint64_t active = 20;
  for (std::uint64_t n = 0; n < 5 * count; ++n) {
    log_in(10'000 + n, make_owner(2, n + 1));
    for (std::uint64_t each = 0; n >= active && each < active; ++each) {
      const auto copied = find(*table, key_number(10'000 + each), kNow);
      ASSERT_TRUE(copied) << each << " after " << n;
      if (copied->found.touch_due(kNow, kHour)) table->touch(key_number(10'000 + each), kNow);
    }
  }
  EXPECT_GE(others_left(), count * 7 / 10);
  EXPECT_EQ(problem_of(*table), "");
}

TEST_F(SessionTableFairness, AFewLoginsOfASmallIdpFindRoom) {
  for (std::uint64_t n = 0; n < 20; ++n) {
    log_in(10'000 + n, make_owner(2, 1));
    EXPECT_FALSE(find(*table, key_number(n + 1), kNow)) << "the oldest of all";
  }
  for (std::uint64_t n = 0; n < 20; ++n) EXPECT_TRUE(find(*table, key_number(10'000 + n), kNow)) << n;
}

TEST(SessionTableIndex, AHashOfZeroIsNotIndexed) {
  OwnTable table(kSmall);
  table->insert(key_number(1), "record", kNow + kHour, kNow, 0, 0);
  EXPECT_EQ(table->erase_by_user(0), 0u);
  EXPECT_EQ(table->erase_by_idp_session(0), 0u);
  EXPECT_TRUE(find(*table, key_number(1), kNow));
}

// More sessions than all slots of all buckets: chains.
TEST(SessionTable, FindsAllOfManySmallSessions) {
  OwnTable table(kSmall);
  const std::uint64_t count = fill(*table, 16);
  EXPECT_GT(count, 7 * kSmall / 4096);
  for (std::uint64_t n = 1; n <= count; ++n) ASSERT_TRUE(find(*table, key_number(n), kNow)) << n;
  EXPECT_EQ(problem_of(*table), "");
  for (std::uint64_t n = count; n > 0; --n) ASSERT_TRUE(table->erase(key_number(n)));
  EXPECT_EQ(table->stats().bytes_used, 0u);
  EXPECT_EQ(problem_of(*table), "");
}

}  // namespace
}  // namespace sallyport::session
