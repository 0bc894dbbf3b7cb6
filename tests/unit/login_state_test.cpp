#include "session/login_state.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/encoding.h"
#include "fixed_random.h"

namespace sallyport::session {
namespace {

using namespace std::string_view_literals;
using sallyport::testing::CountingRandom;
using sallyport::testing::FixedRandom;

constexpr Millis kNow = 1795296660000;  // 2026-11-21T21:31:00Z
constexpr std::string_view kSp = "https://app.example.com/saml/metadata";
constexpr std::string_view kHandle = "awDDdAAAAAAAAAAA";

Digest digest_of(std::string_view text) { return sha256(text); }

LoginAttempt attempt() { return {"_request", "okta", "/deep/link?x=1&y=%20", kNow, 5 * kMinute, digest_of("earlier")}; }

LoginMarker marker() {
  return {digest_of("answer"), digest_of("session"), "/deep/link", kNow};
}

TEST(Handle, HoldsItsTime) {
  FixedRandom random{"abcdefgh"};
  const auto handle = make_handle(kNow + 999, random);
  ASSERT_TRUE(handle);
  EXPECT_EQ(handle->size(), 16u);
  EXPECT_TRUE(is_handle(*handle));
  EXPECT_EQ(handle_time(*handle), kNow);
  EXPECT_EQ(base64url_decode(*handle)->substr(4), "abcdefgh");
  EXPECT_FALSE(make_handle(kNow, random));
}

TEST(Handle, Shape) {
  EXPECT_TRUE(is_handle("AZaz09-_AZaz09-_"));
  for (const std::string_view text :
       {"", "AZaz09-_AZaz09-", "AZaz09-_AZaz09-_A", "AZaz09+/AZaz09+/", "AZaz09-_AZaz09==",
        "AZaz09-_ AZaz09-", "AZaz09-_AZaz09-."}) {
    EXPECT_FALSE(is_handle(text)) << text;
    EXPECT_EQ(handle_time(text), 0) << text;
  }
}

TEST(LoginState, AttemptComesBack) {
  CountingRandom random;
  const auto cookie = LoginStateCodec(digest_of("k")).seal_attempt(attempt(), kSp, kHandle, random);
  ASSERT_TRUE(cookie);
  EXPECT_TRUE(base64url_decode(*cookie));
  const auto opened = LoginStateCodec(digest_of("k")).open_attempt(*cookie, kSp, kHandle, kNow);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->request_id, "_request");
  EXPECT_EQ(opened->idp, "okta");
  EXPECT_EQ(opened->return_url, "/deep/link?x=1&y=%20");
  EXPECT_EQ(opened->started, kNow);
  EXPECT_EQ(opened->max_authn_age, 5 * kMinute);
  EXPECT_EQ(opened->earlier_session, digest_of("earlier"));
  LoginAttempt first = attempt();
  first.earlier_session.reset();
  const auto other = LoginStateCodec(digest_of("k")).seal_attempt(first, kSp, kHandle, random);
  EXPECT_FALSE(LoginStateCodec(digest_of("k")).open_attempt(*other, kSp, kHandle, kNow)->earlier_session);
}

TEST(LoginState, AttemptForAnotherHostComesBack) {
  CountingRandom random;
  LoginStateCodec codec(digest_of("k"));
  LoginAttempt of_acme = attempt();
  of_acme.origin = OriginAttempt{"acme.example.com", "BwDDdAAAAAAAAAAA", "_nonce"};
  const auto cookie = codec.seal_attempt(of_acme, kSp, kHandle, random);
  ASSERT_TRUE(cookie);
  const auto opened = codec.open_attempt(*cookie, kSp, kHandle, kNow);
  ASSERT_TRUE(opened && opened->origin);
  EXPECT_EQ(opened->origin->host, "acme.example.com");
  EXPECT_EQ(opened->origin->handle, "BwDDdAAAAAAAAAAA");
  EXPECT_EQ(opened->origin->nonce, "_nonce");
}

// The cookie of an attempt that another host carries out answers no AuthnRequest.
TEST(LoginState, AHandedOverAttemptIsNoOther) {
  CountingRandom random;
  LoginStateCodec codec(digest_of("k"));
  const auto cookie = codec.seal_attempt(attempt(), kSp, kHandle, random, AttemptKind::kHandedOver);
  ASSERT_TRUE(cookie);
  EXPECT_FALSE(codec.open_attempt(*cookie, kSp, kHandle, kNow));
  EXPECT_FALSE(codec.open_marker(*cookie, kSp, kHandle, kNow));
  EXPECT_TRUE(codec.open_attempt(*cookie, kSp, kHandle, kNow, AttemptKind::kHandedOver));
  const auto own = codec.seal_attempt(attempt(), kSp, kHandle, random);
  EXPECT_FALSE(codec.open_attempt(*own, kSp, kHandle, kNow, AttemptKind::kHandedOver));
}

TEST(LoginState, MarkerComesBack) {
  CountingRandom random;
  LoginStateCodec codec(digest_of("k"));
  const auto cookie = codec.seal_marker(marker(), kSp, kHandle, random);
  ASSERT_TRUE(cookie);
  const auto opened = codec.open_marker(*cookie, kSp, kHandle, kNow);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->answer, digest_of("answer"));
  EXPECT_EQ(opened->session, digest_of("session"));
  EXPECT_EQ(opened->target, "/deep/link");
  EXPECT_EQ(opened->finished, kNow);
}


TEST(LoginState, AgeIsBounded) {
  CountingRandom random;
  LoginStateCodec codec(digest_of("k"));
  const auto a = codec.seal_attempt(attempt(), kSp, kHandle, random);
  const auto m = codec.seal_marker(marker(), kSp, kHandle, random);
  ASSERT_TRUE(a && m);
  for (const Millis sign : {-1, 1}) {
    EXPECT_TRUE(codec.open_attempt(*a, kSp, kHandle, kNow + sign * kAttemptLifetime));
    EXPECT_FALSE(codec.open_attempt(*a, kSp, kHandle, kNow + sign * (kAttemptLifetime + 1)));
    EXPECT_TRUE(codec.open_marker(*m, kSp, kHandle, kNow + sign * kMarkerLifetime));
    EXPECT_FALSE(codec.open_marker(*m, kSp, kHandle, kNow + sign * (kMarkerLifetime + 1)));
  }
}

TEST(LoginState, ExtremeTimesAreRefusedNotOverflown) {
  CountingRandom random;
  LoginStateCodec codec(digest_of("k"));
  for (const Millis started : {std::numeric_limits<Millis>::min(), Millis{0},
                               std::numeric_limits<Millis>::max()}) {
    LoginAttempt changed = attempt();
    changed.started = started;
    const auto cookie = codec.seal_attempt(changed, kSp, kHandle, random);
    ASSERT_TRUE(cookie);
    EXPECT_FALSE(codec.open_attempt(*cookie, kSp, kHandle, kNow));
  }
}

TEST(LoginState, BoundToSpHandleKeyAndKind) {
  CountingRandom random;
  LoginStateCodec codec(digest_of("k"));
  const std::string cookie = *codec.seal_attempt(attempt(), kSp, kHandle, random);
  EXPECT_FALSE(codec.open_attempt(cookie, "https://other.example.com", kHandle, kNow));
  EXPECT_FALSE(codec.open_attempt(cookie, kSp, "AAAAAAAAAAAAAAAA", kNow));
  EXPECT_FALSE(LoginStateCodec(digest_of("l")).open_attempt(cookie, kSp, kHandle, kNow));
  EXPECT_FALSE(codec.open_marker(cookie, kSp, kHandle, kNow));
  EXPECT_FALSE(codec.open_attempt(*codec.seal_marker(marker(), kSp, kHandle, random), kSp, kHandle,
                                  kNow));
}

TEST(LoginState, BorderOfSpAndHandleCannotMove) {
  CountingRandom random;
  LoginStateCodec codec(digest_of("k"));
  const std::string cookie = *codec.seal_attempt(attempt(), "sp-ab", "cd", random);
  EXPECT_TRUE(codec.open_attempt(cookie, "sp-ab", "cd", kNow));
  EXPECT_FALSE(codec.open_attempt(cookie, "sp-a", "bcd", kNow));
  EXPECT_FALSE(codec.open_attempt(cookie, "sp-abc", "d", kNow));
  // Texts that hold what could be the other's length.
  const std::string crafted = *codec.seal_attempt(attempt(), "a", "b\0\0\0\1c"sv, random);
  EXPECT_TRUE(codec.open_attempt(crafted, "a", "b\0\0\0\1c"sv, kNow));
  EXPECT_FALSE(codec.open_attempt(crafted, "a\0\0\0\6b"sv, "c", kNow));
}

TEST(LoginState, ChangedCookiesAreRefused) {
  CountingRandom random;
  LoginStateCodec codec(digest_of("k"));
  const std::string cookie = *codec.seal_attempt(attempt(), kSp, kHandle, random);
  for (std::size_t i = 0; i < cookie.size(); ++i) {
    std::string changed = cookie;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(codec.open_attempt(changed, kSp, kHandle, kNow)) << i;
    EXPECT_FALSE(codec.open_attempt(cookie.substr(0, i), kSp, kHandle, kNow)) << i;
  }
  const std::string bad[] = {cookie + "A", cookie + "=", cookie + cookie, "\"" + cookie + "\"",
                             std::string(100000, 'A')};
  for (const auto& value : bad) EXPECT_FALSE(codec.open_attempt(value, kSp, kHandle, kNow));
  EXPECT_TRUE(codec.open_attempt(cookie, kSp, kHandle, kNow));
}

TEST(LoginState, LongestReturnUrlFitsAndLongerOnesAreNotSealed) {
  CountingRandom random;
  LoginStateCodec codec(digest_of("k"));
  LoginAttempt longest = attempt();
  longest.return_url = "/" + std::string(kMaxReturnUrl - 1, 'a');
  const auto cookie = codec.seal_attempt(longest, kSp, kHandle, random);
  ASSERT_TRUE(cookie);
  EXPECT_LT(cookie->size(), 2400u);
  EXPECT_EQ(codec.open_attempt(*cookie, kSp, kHandle, kNow)->return_url, longest.return_url);
  longest.return_url += 'a';
  EXPECT_FALSE(codec.seal_attempt(longest, kSp, kHandle, random));
}

TEST(LoginState, MarkersStaySmall) {
  CountingRandom random;
  LoginStateCodec codec(digest_of("k"));
  LoginMarker m = marker();
  m.target = "/" + std::string(299, 'a');
  const auto whole = codec.open_marker(*codec.seal_marker(m, kSp, kHandle, random), kSp, kHandle,
                                       kNow);
  EXPECT_EQ(whole->target, m.target);
  m.target += 'a';
  const auto cut = codec.open_marker(*codec.seal_marker(m, kSp, kHandle, random), kSp, kHandle,
                                     kNow);
  EXPECT_EQ(cut->target, "/");
}

TEST(LoginState, NothingIsSealedWithoutRandomness) {
  FixedRandom random{"short"};
  LoginStateCodec codec(digest_of("k"));
  EXPECT_FALSE(codec.seal_attempt(attempt(), kSp, kHandle, random));
  EXPECT_FALSE(codec.seal_marker(marker(), kSp, kHandle, random));
}

std::string handle_at(Millis time, char mark) {
  FixedRandom random{std::string(8, mark)};
  return make_handle(time, random).value_or("");
}

TEST(Attempts, OldestGoFirst) {
  const std::string oldest = handle_at(kNow - kHour, 'z');
  const std::string middle = handle_at(kNow - kMinute, 'a');
  const std::string newest = handle_at(kNow, 'm');
  const std::vector<AttemptCookie> present = {{newest, 1000}, {oldest, 1000}, {middle, 1000}};
  EXPECT_EQ(attempts_to_expire(present, 1096), std::vector<std::string>{});
  EXPECT_EQ(attempts_to_expire(present, 1097), std::vector<std::string>{oldest});
  EXPECT_EQ(attempts_to_expire(present, 2097), (std::vector<std::string>{oldest, middle}));
  EXPECT_EQ(attempts_to_expire(present, 5000), (std::vector<std::string>{oldest, middle, newest}));
  EXPECT_EQ(attempts_to_expire({}, 5000), std::vector<std::string>{});
}

TEST(Attempts, WhatIsNoHandleGoesFirst) {
  const std::string good = handle_at(kNow, 'm');
  EXPECT_EQ(attempts_to_expire({{good, 3000}, {"junk", 1000}}, 1000),
            std::vector<std::string>{"junk"});
}

// Ages by time, although the letters of base64url do not sort as numbers do.
TEST(Attempts, OrderIsThatOfTimeNotOfText) {
  std::vector<AttemptCookie> present;
  for (Millis second = 99; second >= 0; --second) {
    present.push_back({handle_at(kNow + second * kSecond, 'x'), 100});
  }
  const auto expired = attempts_to_expire(present, 0);
  ASSERT_EQ(expired.size(), 32u);  // of the 60 too many: the rest another time
  for (std::size_t i = 0; i < expired.size(); ++i) {
    EXPECT_EQ(handle_time(expired[i]), kNow + static_cast<Millis>(i) * kSecond);
  }
}

}  // namespace
}  // namespace sallyport::session
