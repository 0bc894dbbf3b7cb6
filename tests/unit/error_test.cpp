#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

#include "base/result.h"

namespace sallyport {
namespace {

struct ReasonCase {
  Reason reason;
  std::string_view word;
  int status;
};

constexpr ReasonCase kReasons[] = {
#define SALLYPORT_REASON_CASE(name, word, status) {Reason::name, word, status},
    SALLYPORT_REASONS(SALLYPORT_REASON_CASE)
#undef SALLYPORT_REASON_CASE
};

TEST(Error, EveryReasonHasOneWordForLogsAndAStatusOfARefusal) {
  std::set<std::string_view> words;
  for (const auto& test : kReasons) {
    EXPECT_EQ(reason_word(test.reason), test.word);
    EXPECT_EQ(reason_http_status(test.reason), test.status) << test.word;
    EXPECT_TRUE(words.insert(test.word).second) << test.word;
    EXPECT_EQ(test.word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string_view::npos);
    EXPECT_TRUE(test.status >= 400 && test.status < 600) << test.word;
  }
  EXPECT_EQ(reason_word(Reason::kAudienceMismatch), "audience_mismatch");
}

TEST(Error, ValueOutsideTheReasonsIsInternal) {
  EXPECT_EQ(reason_word(static_cast<Reason>(-1)), "internal");
  EXPECT_EQ(reason_http_status(static_cast<Reason>(-1)), 500);
}

TEST(Error, ExpectedAndReceivedAreQuotedAndCut) {
  EXPECT_EQ(expected_received("audience", "a", ""), "audience: expected <a>, received <>");
  const std::string text = expected_received("x", std::string(256, 'a'), std::string(257, 'b'));
  EXPECT_EQ(text, "x: expected <" + std::string(256, 'a') + ">, received <" +
                      std::string(256, 'b') + ">...");
}

Status check(bool good) {
  if (good) return Done{};
  return Error{Reason::kExpired, "too late"};
}

Result<int> run_of_checks(bool first, bool second) {
  SALLYPORT_TRY(check(first));
  SALLYPORT_TRY(check(second));
  return 7;
}

TEST(Result, HoldsAValueOrAnError) {
  const Result<int> good = run_of_checks(true, true);
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, 7);
  for (const auto& bad : {run_of_checks(false, true), run_of_checks(true, false)}) {
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().reason, Reason::kExpired);
    EXPECT_EQ(bad.error().detail, "too late");
  }
}

TEST(Result, ValueCanBeMovedOut) {
  Result<std::string> result(std::string(100, 'x'));
  EXPECT_EQ(result->size(), 100u);
  const std::string taken = *std::move(result);
  EXPECT_EQ(taken, std::string(100, 'x'));
}

}  // namespace
}  // namespace sallyport
