#include "login/begin_login.h"

#include <gtest/gtest.h>

#include <string>

#include "fixed_random.h"
#include "login_fixture.h"

namespace sallyport::login {
namespace {

using login_test::kNow;

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  if (from == std::string::npos) return "(none)";
  const std::size_t to = text.find(end, from + begin.size());
  return text.substr(from + begin.size(), to - from - begin.size());
}

class BeginLoginTest : public ::testing::Test {
 protected:
  BeginLoginTest() {
    cookie_.name = "__Host-saml_session";
    cookie_.secure = true;
    request_.trust = &trust_;
    request_.site_entity_id = login_test::kSpEntityId;
    request_.cookie = &cookie_;
    request_.return_url = "/deep?a=1&b=2";
    request_.now = kNow;
  }

  BegunLogin begun() {
    Result<BegunLogin> login = begin_login(request_, codec_, random_);
    EXPECT_TRUE(login.ok());
    return login.ok() ? *login : BegunLogin();
  }

  // The handle in the name of the cookie that was set.
  std::string handle_of(const BegunLogin& login) {
    return between(login.set_cookies.at(0), cookie_.name + ".", "=");
  }

  std::optional<session::LoginAttempt> opened(const BegunLogin& login) {
    const std::string handle = handle_of(login);
    const std::string value = between(login.set_cookies.at(0), handle + "=", ";");
    return codec_.open_attempt(value, login_test::kSpEntityId, handle, kNow);
  }

  Trust trust_ = login_test::make_trust();
  session::CookieSettings cookie_;
  session::LoginStateCodec codec_{sha256("secret")};
  testing::CountingRandom random_;
  BeginLogin request_;
};

TEST_F(BeginLoginTest, RedirectsWithTheHandleAsRelayState) {
  const BegunLogin login = begun();
  EXPECT_EQ(login.location.rfind("https://idp.example.org/sso?SAMLRequest=", 0), 0u);
  EXPECT_EQ(login.location.substr(login.location.find("&RelayState=")),
            "&RelayState=" + handle_of(login));
  EXPECT_TRUE(session::is_handle(handle_of(login)));
  EXPECT_TRUE(login.page.empty());
  EXPECT_TRUE(login.content_security_policy.empty());
}

TEST_F(BeginLoginTest, TheCookieHoldsTheAttempt) {
  const BegunLogin login = begun();
  const auto attempt = opened(login);
  ASSERT_TRUE(attempt.has_value());
  EXPECT_EQ(attempt->idp, "okta");
  EXPECT_EQ(attempt->return_url, "/deep?a=1&b=2");
  EXPECT_EQ(attempt->started, kNow);
  EXPECT_EQ(attempt->request_id.size(), 41u);
}

struct CookieCase {
  const char* name;
  bool secure;
  const char* domain;
  const char* present;
  const char* absent;
};

class AttemptCookieTest : public BeginLoginTest,
                          public ::testing::WithParamInterface<CookieCase> {};

TEST_P(AttemptCookieTest, HasTheAttributesThatBringItBack) {
  cookie_.secure = GetParam().secure;
  cookie_.domain = GetParam().domain;
  cookie_.same_site = session::SameSite::kStrict;
  const std::string cookie = begun().set_cookies.at(0);
  EXPECT_NE(cookie.find(GetParam().present), std::string::npos) << cookie;
  EXPECT_EQ(cookie.find(GetParam().absent), std::string::npos) << cookie;
  EXPECT_NE(cookie.find("; HttpOnly"), std::string::npos) << cookie;
  EXPECT_NE(cookie.find("; Max-Age=3600"), std::string::npos) << cookie;
  EXPECT_NE(cookie.find("; Path=/"), std::string::npos) << cookie;
}

const CookieCase kCookieCases[] = {
    {"HttpsIsCrossSite", true, "", "; SameSite=None", "Strict"},
    {"HttpsIsSecure", true, "", "; Secure", "Domain"},
    {"HttpHasNoSameSite", false, "", "; HttpOnly", "SameSite"},
    {"HttpIsNotSecure", false, "", "; HttpOnly", "; Secure"},
    {"DomainAsConfigured", true, "example.com", "; Domain=example.com", "Strict"},
};

INSTANTIATE_TEST_SUITE_P(BeginLogin, AttemptCookieTest, ::testing::ValuesIn(kCookieCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(BeginLoginTest, ARetryIsMarkedInRelayStateOnly) {
  request_.is_retry = true;
  const BegunLogin login = begun();
  EXPECT_EQ(login.location.substr(login.location.find("&RelayState=")),
            "&RelayState=" + handle_of(login) + ".r");
  EXPECT_TRUE(opened(login).has_value());
}

TEST_F(BeginLoginTest, TwoLoginsShareNothing) {
  const BegunLogin first = begun();
  const BegunLogin second = begun();
  EXPECT_NE(handle_of(first), handle_of(second));
  EXPECT_NE(opened(first)->request_id, opened(second)->request_id);
}

TEST_F(BeginLoginTest, PostBindingGivesTheFormInstead) {
  trust_.request_binding = saml::Binding::kPost;
  const BegunLogin login = begun();
  EXPECT_TRUE(login.location.empty());
  EXPECT_EQ(between(login.page, "action=\"", "\""), "https://idp.example.org/sso");
  EXPECT_EQ(between(login.page, "name=\"RelayState\" value=\"", "\""), handle_of(login));
  const auto document = base64_decode(between(login.page, "name=\"SAMLRequest\" value=\"", "\""));
  ASSERT_TRUE(document.has_value());
  EXPECT_NE(document->find("ID=\"" + opened(login)->request_id + "\""), std::string::npos);
  EXPECT_NE(login.content_security_policy.find("script-src"), std::string::npos);
}

TEST_F(BeginLoginTest, ASigningKeySigns) {
  const testing::Identity& own = testing::other_rsa_identity();
  trust_.signing_key = &own.key;
  trust_.signing_certificate = &own.certificate;
  EXPECT_NE(begun().location.find("&Signature="), std::string::npos);
  trust_.request_binding = saml::Binding::kPost;
  ASSERT_TRUE(xml::initialize_signing().ok());
  const auto document = base64_decode(between(begun().page, "name=\"SAMLRequest\" value=\"", "\""));
  ASSERT_TRUE(document.has_value());
  EXPECT_NE(document->find("SignatureValue"), std::string::npos);
}

TEST_F(BeginLoginTest, ForceAuthnIsAskedFor) {
  trust_.request_binding = saml::Binding::kPost;
  request_.max_authn_age = 5 * kMinute;
  const auto document = base64_decode(between(begun().page, "name=\"SAMLRequest\" value=\"", "\""));
  ASSERT_TRUE(document.has_value());
  EXPECT_NE(document->find("ForceAuthn=\"true\""), std::string::npos);
}

TEST_F(BeginLoginTest, TheOldestAttemptsGoWhenThereIsNoRoom) {
  const std::string older = *session::make_handle(kNow - 2 * kMinute, random_);
  const std::string newer = *session::make_handle(kNow - kMinute, random_);
  request_.present = {{newer, 2000}, {older, 2000}};
  const BegunLogin login = begun();
  ASSERT_EQ(login.set_cookies.size(), 2u);
  EXPECT_EQ(login.set_cookies[1].rfind(cookie_.name + "." + older + "=;", 0), 0u)
      << login.set_cookies[1];
  EXPECT_NE(login.set_cookies[1].find("Max-Age=0"), std::string::npos);
}

TEST_F(BeginLoginTest, HundredsOfForeignAttemptsGoBitByBit) {
  for (int i = 0; i < 300; ++i) {
    request_.present.push_back({*session::make_handle(kNow - kMinute, random_), 100});
  }
  EXPECT_EQ(begun().set_cookies.size(), 33u);
}

TEST_F(BeginLoginTest, ThereIsRoomForAFew) {
  request_.present = {{*session::make_handle(kNow - kMinute, random_), 500}};
  EXPECT_EQ(begun().set_cookies.size(), 1u);
}

TEST_F(BeginLoginTest, WithoutRandomnessThereIsNoLogin) {
  // Handle, request ID, nonce and how long its key serves draw 8, 20, 24 and 2 bytes.
  for (const std::size_t bytes : {0u, 7u, 8u, 27u, 28u, 51u, 52u, 53u}) {
    testing::FixedRandom random(std::string(bytes, 'x'));
    const Result<BegunLogin> login = begin_login(request_, codec_, random);
    ASSERT_FALSE(login.ok()) << bytes;
    EXPECT_EQ(login.error().reason, Reason::kInternal);
  }
  testing::FixedRandom enough(std::string(54, 'x'));
  EXPECT_TRUE(begin_login(request_, codec_, enough).ok());
}

class HandOverTest : public BeginLoginTest {
 protected:
  BegunLogin handed_over() {
    const HandOver there{"acme.example.com", "https://auth.example.com/saml/login"};
    auto login = hand_over_login(request_, there, codec_, handovers_, random_);
    EXPECT_TRUE(login.ok());
    return login.ok() ? *login : BegunLogin();
  }

  std::optional<session::LoginOrder> order_of(const BegunLogin& login) {
    const std::string text = login.location.substr(login.location.find("order=") + 6);
    return handovers_.open_order(text, login_test::kSpEntityId, kNow);
  }

  session::HandoverCodec handovers_{{sha256("secret"), std::nullopt}};
};

TEST_F(HandOverTest, TheOrderNamesTheAttempt) {
  request_.max_authn_age = kMinute;
  const BegunLogin login = handed_over();
  EXPECT_EQ(login.location.rfind("https://auth.example.com/saml/login?order=", 0), 0u);
  const auto order = order_of(login);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->origin.host, "acme.example.com");
  EXPECT_EQ(order->origin.handle, handle_of(login));
  EXPECT_EQ(order->idp, "okta");
  EXPECT_EQ(order->return_url, "/deep?a=1&b=2");
  EXPECT_EQ(order->max_authn_age, kMinute);

  EXPECT_FALSE(opened(login)) << "as an attempt of this ACS";
  const std::string value = between(login.set_cookies.at(0), handle_of(login) + "=", ";");
  const auto attempt = codec_.open_attempt(value, login_test::kSpEntityId, handle_of(login), kNow,
                                           session::AttemptKind::kHandedOver);
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->request_id, order->origin.nonce);
  EXPECT_EQ(attempt->return_url, "/deep?a=1&b=2");
}

TEST_F(HandOverTest, ItsCookieIsLax) {
  EXPECT_NE(handed_over().set_cookies.at(0).find("; SameSite=Lax"), std::string::npos);
  cookie_.secure = false;
  EXPECT_NE(handed_over().set_cookies.at(0).find("; SameSite=Lax"), std::string::npos);
}

TEST_F(HandOverTest, TwoAttemptsShareNothing) {
  const auto first = order_of(handed_over()), second = order_of(handed_over());
  EXPECT_NE(first->origin.handle, second->origin.handle);
  EXPECT_NE(first->origin.nonce, second->origin.nonce);
}

TEST_F(HandOverTest, CarryingItOutIsAnAttemptOfItsOwn) {
  const auto order = order_of(handed_over());
  request_.order = &*order;
  const BegunLogin login = begun();
  const auto attempt = opened(login);
  ASSERT_TRUE(attempt && attempt->origin);
  EXPECT_EQ(attempt->origin->host, "acme.example.com");
  EXPECT_EQ(attempt->origin->handle, order->origin.handle);
  EXPECT_EQ(attempt->origin->nonce, order->origin.nonce);
  EXPECT_NE(attempt->request_id, order->origin.nonce);
  EXPECT_NE(handle_of(login), order->origin.handle);
}

}  // namespace
}  // namespace sallyport::login
