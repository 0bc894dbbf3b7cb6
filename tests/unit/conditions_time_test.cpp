// The times of an answer, to the millisecond, and how long its replay must be remembered.
#include <gtest/gtest.h>

#include <string>

#include "conditions_fixture.h"
#include "saml/conditions.h"

namespace sallyport::saml {
namespace {

using testing::kTestNow;

// --- Times, to the millisecond ---

TEST(CheckResponse, TimeBounds) {
  struct Case {
    const char* name;
    void (*set)(VerifiedResponse&, Millis);
    Millis bound;       // with the clock at kTestNow: the last (or first) that is accepted
    Millis beyond;      // the next one
    const char* verdict;
  };
  const Millis day = 24 * kHour;
  const Case cases[] = {
      {"Conditions NotBefore",
       [](VerifiedResponse& r, Millis t) { r.assertion.not_before = t; },
       kTestNow + kSkew, kTestNow + kSkew + 1, "not_yet_valid"},
      {"Conditions NotOnOrAfter",
       [](VerifiedResponse& r, Millis t) { r.assertion.not_on_or_after = t; },
       kTestNow - kSkew + 1, kTestNow - kSkew, "expired"},
      {"confirmation NotOnOrAfter",
       [](VerifiedResponse& r, Millis t) { r.assertion.confirmations[0].not_on_or_after = t; },
       kTestNow - kSkew + 1, kTestNow - kSkew, "expired"},
      {"confirmation NotOnOrAfter far ahead",
       [](VerifiedResponse& r, Millis t) { r.assertion.confirmations[0].not_on_or_after = t; },
       kTestNow + day + kSkew, kTestNow + day + kSkew + 1, "lifetime_too_long"},
      {"IssueInstant of the Assertion in the future",
       [](VerifiedResponse& r, Millis t) { r.assertion.issue_instant = t; },
       kTestNow + kSkew, kTestNow + kSkew + 1, "not_yet_valid"},
      {"IssueInstant of the Assertion long ago",
       [](VerifiedResponse& r, Millis t) { r.assertion.issue_instant = t; },
       kTestNow - day - kSkew, kTestNow - day - kSkew - 1, "lifetime_too_long"},
      {"IssueInstant of the Response in the future",
       [](VerifiedResponse& r, Millis t) { r.header.issue_instant = t; },
       kTestNow + kSkew, kTestNow + kSkew + 1, "not_yet_valid"},
      {"IssueInstant of the Response long ago",
       [](VerifiedResponse& r, Millis t) { r.header.issue_instant = t; },
       kTestNow - day - kSkew, kTestNow - day - kSkew - 1, "lifetime_too_long"},
      {"AuthnInstant in the future",
       [](VerifiedResponse& r, Millis t) { r.assertion.authn_statements[0].authn_instant = t; },
       kTestNow + kSkew, kTestNow + kSkew + 1, "not_yet_valid"},
      {"SessionNotOnOrAfter",
       [](VerifiedResponse& r, Millis t) {
         r.assertion.authn_statements[0].session_not_on_or_after = t;
       },
       kTestNow - kSkew + 1, kTestNow - kSkew, "expired"},
  };
  for (const Case& c : cases) {
    VerifiedResponse response = good();
    c.set(response, c.bound);
    EXPECT_EQ(word(check_response(response, expectation())), "accepted") << c.name;
    c.set(response, c.beyond);
    EXPECT_EQ(word(check_response(response, expectation())), c.verdict) << c.name;
  }
}

TEST(CheckResponse, WithoutSkewTheBoundsAreTheMessages) {
  struct Case {
    const char* now;
    const char* verdict;
  };
  const Case cases[] = {{"2026-11-21T21:30:54.999Z", "not_yet_valid"},  // IssueInstant
                        {"2026-11-21T21:30:55Z", "accepted"},
                        {"2026-11-21T21:35:59.999Z", "accepted"},
                        {"2026-11-21T21:36:00Z", "expired"}};
  const VerifiedResponse response = good();
  for (const Case& c : cases) {
    Expectation expected = expectation();
    expected.skew = 0;
    expected.now = at(c.now);
    EXPECT_EQ(word(check_response(response, expected)), c.verdict) << c.now;
  }
}

TEST(CheckResponse, TakesTheInstantsOfAllYears) {
  VerifiedResponse response = good();
  response.assertion.confirmations[0].not_on_or_after = at("9999-12-31T23:59:59.999Z");
  EXPECT_EQ(word(check_response(response, expectation())), "lifetime_too_long");
  response.assertion.confirmations[0].not_on_or_after = at("0001-01-01T00:00:00Z");
  EXPECT_EQ(word(check_response(response, expectation())), "expired");
}

TEST(CheckResponse, OldAuthenticationIsNoFaultOfTheAnswer) {
  VerifiedResponse response = good();
  response.assertion.authn_statements[0].authn_instant = at("2026-11-14T00:00:00Z");
  EXPECT_EQ(word(check_response(response, expectation())), "accepted");
}

// --- How long a replay must be remembered: until nothing could accept it again ---

TEST(CheckResponse, ReplayUntil) {
  struct Case {
    const char* name;
    void (*set)(Assertion&);
    const char* until;
  };
  const Case cases[] = {
      {"the confirmation's end", [](Assertion&) {}, "2026-11-21T21:39:00Z"},
      {"Conditions end earlier",
       [](Assertion& a) { a.not_on_or_after = at("2026-11-21T21:32:00Z"); },
       "2026-11-21T21:35:00Z"},
      {"Conditions have no end", [](Assertion& a) { a.not_on_or_after = std::nullopt; },
       "2026-11-21T21:39:00Z"},
      {"a later bearer confirmation",
       [](Assertion& a) {
         a.confirmations.push_back(a.confirmations[0]);
         a.confirmations[1].recipient = "https://other.example.com/";
         a.confirmations[1].not_on_or_after = at("2026-11-21T21:36:30Z");
       },
       "2026-11-21T21:39:30Z"},
      {"a later one that is no bearer's",
       [](Assertion& a) {
         a.confirmations.push_back(a.confirmations[0]);
         a.confirmations[1].method = "urn:a";
         a.confirmations[1].not_on_or_after = at("2026-11-21T21:36:30Z");
       },
       "2026-11-21T21:39:00Z"},
      {"no longer than the maximum age",
       [](Assertion& a) {
         a.not_on_or_after = std::nullopt;
         a.confirmations.push_back(a.confirmations[0]);
         a.confirmations[1].not_on_or_after = at("2126-11-21T00:00:00Z");
       },
       "2026-11-22T21:33:55.001Z"},
  };
  for (const Case& c : cases) {
    VerifiedResponse response = good();
    c.set(response.assertion);
    const auto accepted = check_response(response, expectation());
    ASSERT_TRUE(accepted.ok()) << c.name;
    EXPECT_EQ(accepted->replay_until, at(c.until)) << c.name;

    // At that instant nothing of it is accepted any more.
    Expectation later = expectation();
    later.now = accepted->replay_until;
    EXPECT_FALSE(check_response(response, later).ok()) << c.name;
  }
}

}  // namespace
}  // namespace sallyport::saml
