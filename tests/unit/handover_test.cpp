#include "session/handover.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "fixed_random.h"

namespace sallyport::session {
namespace {

using sallyport::testing::CountingRandom;
using sallyport::testing::FixedRandom;

constexpr Millis kNow = 1795296660000;
constexpr std::string_view kSp = "https://auth.example.com/saml/metadata";
constexpr std::string_view kHost = "acme.example.com";

Secret secret(std::string_view text) { return {sha256(text), std::nullopt}; }

LoginOrder order() {
  return {{std::string(kHost), "awDDdAAAAAAAAAAA", "_nonce"}, "acme", "/deep?x=1", 5 * kMinute, kNow};
}

LoginTicket ticket() { return {{std::string(kHost), "awDDdAAAAAAAAAAA", "_nonce"}, "acme", std::string(43, 'A'), kNow}; }

class HandoverTest : public ::testing::Test {
 protected:
  std::string sealed_order(const LoginOrder& what = order()) { return codec.seal_order(what, kSp, random).value_or(""); }
  std::string sealed_ticket() { return codec.seal_ticket(ticket(), kSp, random).value_or(""); }

  CountingRandom random;
  HandoverCodec codec{secret("k")};
};

TEST_F(HandoverTest, AnOrderComesBack) {
  const auto opened = codec.open_order(sealed_order(), kSp, kNow);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->origin.host, kHost);
  EXPECT_EQ(opened->origin.handle, "awDDdAAAAAAAAAAA");
  EXPECT_EQ(opened->origin.nonce, "_nonce");
  EXPECT_EQ(opened->idp, "acme");
  EXPECT_EQ(opened->return_url, "/deep?x=1");
  EXPECT_EQ(opened->max_authn_age, 5 * kMinute);
  EXPECT_EQ(opened->made, kNow);
}

TEST_F(HandoverTest, ATicketComesBack) {
  const auto opened = codec.open_ticket(sealed_ticket(), kSp, kHost, kNow);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->origin.host, kHost);
  EXPECT_EQ(opened->origin.handle, "awDDdAAAAAAAAAAA");
  EXPECT_EQ(opened->origin.nonce, "_nonce");
  EXPECT_EQ(opened->idp, "acme");
  EXPECT_EQ(opened->session_id, std::string(43, 'A'));
}

TEST_F(HandoverTest, ALongReturnUrlIsCut) {
  LoginOrder what = order();
  what.return_url = "/" + std::string(kMaxMarkerTarget, 'x');
  EXPECT_EQ(codec.open_order(sealed_order(what), kSp, kNow)->return_url, "/");
  what.return_url.pop_back();
  EXPECT_EQ(codec.open_order(sealed_order(what), kSp, kNow)->return_url, what.return_url);
}

TEST_F(HandoverTest, NeitherOpensElsewhere) {
  EXPECT_FALSE(codec.open_order(sealed_order(), "https://other.example.com", kNow));
  EXPECT_FALSE(codec.open_ticket(sealed_ticket(), "https://other.example.com", kHost, kNow));
  EXPECT_FALSE(codec.open_ticket(sealed_ticket(), kSp, "globex.example.com", kNow));
  HandoverCodec other(secret("l"));
  EXPECT_FALSE(other.open_order(sealed_order(), kSp, kNow));
  EXPECT_FALSE(other.open_ticket(sealed_ticket(), kSp, kHost, kNow));
  EXPECT_FALSE(codec.open_order(sealed_ticket(), kSp, kNow));
  EXPECT_FALSE(codec.open_ticket(sealed_order(), kSp, kHost, kNow));
}

TEST_F(HandoverTest, OpensUnderTheSecretBefore) {
  HandoverCodec rotated({sha256("new"), sha256("k")});
  EXPECT_TRUE(rotated.open_order(sealed_order(), kSp, kNow));
  EXPECT_TRUE(rotated.open_ticket(sealed_ticket(), kSp, kHost, kNow));
}

TEST_F(HandoverTest, AgeIsBounded) {
  const std::string an_order = sealed_order(), a_ticket = sealed_ticket();
  for (const int sign : {-1, 1}) {
    EXPECT_TRUE(codec.open_order(an_order, kSp, kNow + sign * kAttemptLifetime));
    EXPECT_FALSE(codec.open_order(an_order, kSp, kNow + sign * (kAttemptLifetime + 1)));
    EXPECT_TRUE(codec.open_ticket(a_ticket, kSp, kHost, kNow + sign * kTicketLifetime));
    EXPECT_FALSE(codec.open_ticket(a_ticket, kSp, kHost, kNow + sign * (kTicketLifetime + 1)));
  }
}

TEST_F(HandoverTest, EveryChangedByteIsRefused) {
  const std::string a_ticket = *base64url_decode(sealed_ticket()), an_order = *base64url_decode(sealed_order());
  for (std::size_t i = 0; i < a_ticket.size(); ++i) {
    std::string changed = a_ticket;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(codec.open_ticket(base64url_encode(changed), kSp, kHost, kNow)) << i;
  }
  for (std::size_t i = 0; i < an_order.size(); ++i) {
    EXPECT_FALSE(codec.open_order(base64url_encode(an_order.substr(0, i)), kSp, kNow)) << i;
  }
}

TEST_F(HandoverTest, WithoutRandomnessThereIsNone) {
  FixedRandom none{""};
  EXPECT_FALSE(codec.seal_order(order(), kSp, none));
  EXPECT_FALSE(codec.seal_ticket(ticket(), kSp, none));
}

}  // namespace
}  // namespace sallyport::session
