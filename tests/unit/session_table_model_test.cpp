// Random use of the table of sessions beside a plain map that says what must be in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <set>
#include <unordered_map>
#include <vector>

#include "session/session_table.h"
#include "session_table_fixture.h"

namespace sallyport::session {
namespace {

using testing::Dice;
using testing::key_number;
using testing::OwnTable;
using testing::problem_of;
using testing::record_of;

struct Expected {
  std::uint64_t version;
  std::size_t size;
  Milliseconds expires_at;
  std::uint64_t user;
  std::uint64_t idp_session;
};

struct Settings {
  const char* name;
  std::size_t block;
  int operations;
  std::uint64_t keys;
  std::size_t most_bytes;
  bool with_marks;
};

void PrintTo(const Settings& settings, std::ostream* out) { *out << settings.name; }

class Model {
 public:
  explicit Model(const Settings& settings)
      : settings_(settings), table_(settings.block), dice_(settings.keys) {}

  void run() {
    for (int i = 0; i < settings_.operations; ++i) {
      step();
      if (::testing::Test::HasFatalFailure()) return;
      if (i % (settings_.operations / 20) == 0) compare();
    }
    compare();
    EXPECT_GT(evicted_, 0u) << "the block is too large for this test";
  }

 private:
  void step() {
    if (dice_.below(8) == 0) now_ += static_cast<Milliseconds>(dice_.below(200));
    if (dice_.below(5000) == 0) now_ -= 1000;
    latest_ = std::max(latest_, now_);
    const std::uint64_t number = dice_.below(settings_.keys);
    switch (dice_.below(settings_.with_marks ? 16 : 14)) {
      case 0:
      case 1:
      case 2:
        return insert(number);
      case 3:
        return erase(number);
      case 4:
        return replace(number);
      case 5:
        if (dice_.below(20) == 0) return erase_by_user(number % 97 + 1);
        return touch(number);
      case 14:
      case 15:
        return mark(number);
      default:
        return find(number);
    }
  }

  std::size_t some_size() {
    const std::size_t most = dice_.below(50) == 0 ? settings_.most_bytes * 6 : settings_.most_bytes;
    return 16 + dice_.below(most / 8) * 8;
  }

  void insert(std::uint64_t number) {
    const Expected session = {++version_, some_size(),
                              now_ + 1 + static_cast<Milliseconds>(dice_.below(900'000)),
                              number % 97 + 1, number % 31 + 1};
    const InsertResult result =
        table_->insert(key_number(number), record_of(number, session.version, session.size),
                       session.expires_at, now_, session.user, session.idp_session);
    ASSERT_EQ(result.status, InsertStatus::kStored);
    evicted_ += result.live_evicted;
    model_[number] = session;
    find(number);
  }

  void replace(std::uint64_t number) {
    const std::size_t size = some_size();
    const std::uint64_t version = ++version_;
    const InsertResult result =
        table_->replace(key_number(number), record_of(number, version, size), now_);
    evicted_ += result.live_evicted;
    const auto known = model_.find(number);
    if (result.status == InsertStatus::kStored) {
      ASSERT_NE(known, model_.end());
      known->second.version = version;
      known->second.size = size;
    } else {
      ASSERT_EQ(result.status, InsertStatus::kAbsent);
      missing(number);
    }
  }

  void erase(std::uint64_t number) {
    if (table_->erase(key_number(number))) {
      ASSERT_EQ(model_.erase(number), 1u);
    } else {
      missing(number);
    }
  }

  void erase_by_user(std::uint64_t user) {
    std::set<Key> expected;
    for (auto at = model_.begin(); at != model_.end();) {
      const bool theirs = at->second.user == user;
      if (theirs) expected.insert(key_number(at->first));
      at = theirs ? model_.erase(at) : std::next(at);
    }
    std::size_t strangers = 0;
    const std::size_t visited = table_->for_each_by_user(
        user, now_, [&](const Key& key) { strangers += 1 - expected.erase(key); });
    ASSERT_EQ(strangers, 0u);
    ASSERT_GE(table_->erase_by_user(user), visited);
    ASSERT_EQ(table_->for_each_by_user(user, now_, [](const Key&) {}), 0u);
  }

  void touch(std::uint64_t number) {
    if (!table_->touch(key_number(number), now_)) missing(number);
  }

  void mark(std::uint64_t number) {
    const MarkResult result = table_->mark(key_number(number), 1, number % 5, now_ + 20'000, now_);
    const MarkStatus status = result.status;
    evicted_ += result.live_evicted;
    const auto known = marks_.find(number);
    if (known != marks_.end() && known->second > latest_) {
      ASSERT_EQ(status, MarkStatus::kSameAttempt);
    }
    if (status == MarkStatus::kFresh) marks_[number] = now_ + 20'000;
  }

  void find(std::uint64_t number) {
    const auto copied = testing::find(*table_, key_number(number), now_);
    if (!copied) return missing(number);
    const auto known = model_.find(number);
    ASSERT_NE(known, model_.end());
    ASSERT_GT(known->second.expires_at, now_);
    ASSERT_EQ(copied->found.expires_at, known->second.expires_at);
    ASSERT_EQ(copied->record, record_of(number, known->second.version, known->second.size));
  }

  // It was never there, has expired (maybe before the clock went back), or was evicted.
  void missing(std::uint64_t number) {
    const auto known = model_.find(number);
    if (known == model_.end()) return;
    if (known->second.expires_at > latest_) ++evictions_seen_;
    model_.erase(known);
    ASSERT_LE(evictions_seen_, evicted_);
  }

  void compare() {
    ASSERT_EQ(problem_of(*table_), "");
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, session] : model_) numbers.push_back(number);
    for (const std::uint64_t number : numbers) find(number);
    const Stats stats = table_->stats();
    ASSERT_GE(stats.sessions, model_.size());
    ASSERT_EQ(stats.evicted_live, evicted_);
    for (const auto& [number, expires_at] : marks_) {
      const bool kept = expires_at <= latest_ || table_->is_marked(key_number(number), now_);
      ASSERT_TRUE(kept) << number;
    }
  }

  const Settings& settings_;
  OwnTable table_;
  Dice dice_;
  std::unordered_map<std::uint64_t, Expected> model_;
  std::unordered_map<std::uint64_t, Milliseconds> marks_;
  Milliseconds now_ = 1'700'000'000'000;
  Milliseconds latest_ = now_;
  std::uint64_t version_ = 0;
  std::size_t evicted_ = 0;
  std::size_t evictions_seen_ = 0;
};

class SessionTableModel : public ::testing::TestWithParam<Settings> {};

TEST_P(SessionTableModel, AgreesWithTheTable) { Model(GetParam()).run(); }

INSTANTIATE_TEST_SUITE_P(
    All, SessionTableModel,
    ::testing::Values(Settings{"Smallest", 64 << 10, 200'000, 400, 400, true},
                      Settings{"Small", 256 << 10, 400'000, 400, 1500, true},
                      Settings{"Chains", 256 << 10, 200'000, 3000, 32, false},
                      Settings{"Medium", 4 << 20, 300'000, 10'000, 3000, true}),
    [](const auto& chosen) { return std::string(chosen.param.name); });

}  // namespace
}  // namespace sallyport::session
