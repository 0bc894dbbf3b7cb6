#include "saml/authn_request.h"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"
#include "fixed_random.h"
#include "redirect_test_util.h"
#include "saml/names.h"
#include "schema_test_util.h"
#include "test_identity.h"
#include "xml/document.h"
#include "xml/names.h"
#include "xml/signature.h"
#include "xml/signing.h"

namespace sallyport::saml {
namespace {

using testing::decode_redirect;
using testing::FixedRandom;
using testing::Identity;
using testing::percent_decode;
using testing::query_parameters;
using xml::kNsSaml;
using xml::kNsSamlp;

constexpr std::string_view kId = "_0123456789abcdef0123456789abcdef01234567";
constexpr Millis kIssued = 1795296660000;  // 2026-11-21T21:31:00Z

AuthnRequestSettings plain_settings() {
  AuthnRequestSettings out;
  out.sp_entity_id = "https://app.example.com/saml/metadata";
  out.acs_url = "https://app.example.com/saml/acs";
  out.destination = "https://idp.example.org/sso";
  return out;
}

AuthnRequestSettings full_settings() {
  AuthnRequestSettings out = plain_settings();
  out.sp_entity_id = "urn:app:\"<&>'";
  out.destination = "https://idp.example.org/sso?tenant=a&b='c'";
  out.name_id_format = kFormatPersistent;
  out.authn_contexts = {"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
                        "https://refeds.org/profile/mfa?a&b"};
  out.comparison = AuthnContextComparison::kMinimum;
  out.force_authn = true;
  return out;
}

xml::Document parse(const std::string& document) {
  auto parsed = xml::Document::parse(document, xml::message_limits(64 * 1024));
  EXPECT_TRUE(parsed.ok()) << parsed.error().detail;
  return std::move(*parsed);
}

std::string text_at(const xml::Element& parent, std::string_view ns, std::string_view name) {
  const auto child = parent.only_child(ns, name);
  return child ? std::string(child->text().value_or("(elements)")) : "(no such element)";
}

TEST(RequestId, IsAnUnderscoreAndTheRandomBytesInHex) {
  FixedRandom random(std::string(19, '\x01') + "\xFF" + "rest");
  EXPECT_EQ(make_request_id(random), "_" + std::string("01010101010101010101") +
                                         "010101010101010101ff");
}

TEST(RequestId, FailsWithoutRandomness) {
  FixedRandom random(std::string(19, 'x'));
  EXPECT_EQ(make_request_id(random), std::nullopt);
}

TEST(RequestId, DiffersFromCallToCall) {
  testing::CountingRandom random;
  EXPECT_NE(make_request_id(random), make_request_id(random));
}

TEST(AuthnRequest, SaysWhoAsksAndWhereToAnswer) {
  const auto document = parse(AuthnRequestTemplate(plain_settings()).document(kId, kIssued));
  const xml::Element root = document.root();
  EXPECT_TRUE(root.is(kNsSamlp, "AuthnRequest"));
  EXPECT_EQ(root.attribute("ID"), kId);
  EXPECT_EQ(root.attribute("IssueInstant"), "2026-11-21T21:31:00Z");
  EXPECT_EQ(root.attribute("Version"), "2.0");
  EXPECT_EQ(root.attribute("Destination"), "https://idp.example.org/sso");
  EXPECT_EQ(root.attribute("AssertionConsumerServiceURL"), "https://app.example.com/saml/acs");
  EXPECT_EQ(root.attribute("ProtocolBinding"), kBindingPost);
  EXPECT_EQ(root.attribute("ForceAuthn"), std::nullopt);
  EXPECT_EQ(text_at(root, kNsSaml, "Issuer"), "https://app.example.com/saml/metadata");
  EXPECT_EQ(root.count_children(kNsSamlp, "RequestedAuthnContext"), 0u);
}

TEST(AuthnRequest, EscapesWhatTheConfigurationHolds) {
  const auto document = parse(AuthnRequestTemplate(full_settings()).document(kId, kIssued));
  EXPECT_EQ(text_at(document.root(), kNsSaml, "Issuer"), "urn:app:\"<&>'");
  EXPECT_EQ(document.root().attribute("Destination"), "https://idp.example.org/sso?tenant=a&b='c'");
}

TEST(AuthnRequest, NameIdPolicy) {
  struct Case {
    const char* name;
    std::string_view format;
    std::optional<std::string_view> format_sent;
    std::optional<std::string_view> allow_create;
  };
  const Case cases[] = {
      {"none", "", std::nullopt, "true"},
      {"unspecified", kFormatUnspecified, std::nullopt, "true"},
      {"persistent", kFormatPersistent, kFormatPersistent, "true"},
      {"e-mail", kFormatEmail, kFormatEmail, "true"},
      {"transient has no AllowCreate", kFormatTransient, kFormatTransient, std::nullopt},
  };
  for (const Case& c : cases) {
    AuthnRequestSettings settings = plain_settings();
    settings.name_id_format = c.format;
    const auto document = parse(AuthnRequestTemplate(settings).document(kId, kIssued));
    const auto policy = document.root().only_child(kNsSamlp, "NameIDPolicy");
    ASSERT_TRUE(policy) << c.name;
    EXPECT_EQ(policy->attribute("Format"), c.format_sent) << c.name;
    EXPECT_EQ(policy->attribute("AllowCreate"), c.allow_create) << c.name;
  }
}

TEST(AuthnRequest, RequestedAuthnContext) {
  struct Case {
    AuthnContextComparison comparison;
    std::string_view word;
  };
  const Case cases[] = {{AuthnContextComparison::kExact, "exact"},
                        {AuthnContextComparison::kMinimum, "minimum"},
                        {AuthnContextComparison::kBetter, "better"},
                        {AuthnContextComparison::kMaximum, "maximum"}};
  for (const Case& c : cases) {
    AuthnRequestSettings settings = full_settings();
    settings.comparison = c.comparison;
    const auto document = parse(AuthnRequestTemplate(settings).document(kId, kIssued));
    const auto requested = document.root().only_child(kNsSamlp, "RequestedAuthnContext");
    ASSERT_TRUE(requested);
    EXPECT_EQ(requested->attribute("Comparison"), c.word);
    std::vector<std::string> contexts;
    for (const xml::Element& child : requested->children()) {
      EXPECT_TRUE(child.is(kNsSaml, "AuthnContextClassRef"));
      contexts.emplace_back(child.text().value_or(""));
    }
    EXPECT_EQ(contexts, settings.authn_contexts);
  }
}

TEST(AuthnRequest, ForceAuthnWhenTheSettingsOrTheCallerWantIt) {
  for (const bool configured : {false, true}) {
    for (const bool asked : {false, true}) {
      AuthnRequestSettings settings = plain_settings();
      settings.force_authn = configured;
      const auto document = parse(AuthnRequestTemplate(settings).document(kId, kIssued, asked));
      EXPECT_EQ(document.root().attribute("ForceAuthn").has_value(), configured || asked);
      if (configured || asked) {
        EXPECT_EQ(document.root().attribute("ForceAuthn"), "true");
      }
    }
  }
}

TEST(AuthnRequest, IsValidAgainstTheSchema) {
  if (!testing::has_schemas()) GTEST_SKIP() << "no SAML schemas on this machine";
  for (const AuthnRequestSettings& settings : {plain_settings(), full_settings()}) {
    const std::string document = AuthnRequestTemplate(settings).document(kId, kIssued);
    EXPECT_EQ(testing::schema_errors(document, "saml-schema-protocol-2.0.xsd"), "") << document;
  }
}

// --- HTTP-Redirect ---

TEST(RedirectUrl, CarriesTheDocument) {
  for (const AuthnRequestSettings& settings : {plain_settings(), full_settings()}) {
    const AuthnRequestTemplate request(settings);
    for (const bool force : {false, true}) {
      // IDs of all lengths modulo three, as base64 sees them.
      for (std::string_view id : {kId, kId.substr(0, 40), kId.substr(0, 39)}) {
        const auto url = request.redirect_url(id, kIssued, "", nullptr, force);
        ASSERT_TRUE(url.ok());
        const auto parameters = query_parameters(*url);
        ASSERT_FALSE(parameters.empty());
        EXPECT_EQ(parameters.back().first, "SAMLRequest");
        EXPECT_EQ(decode_redirect(parameters.back().second), request.document(id, kIssued, force));
      }
    }
  }
}

TEST(RedirectUrl, BeginsWithTheDestination) {
  const auto plain = AuthnRequestTemplate(plain_settings()).redirect_url(kId, kIssued, "", nullptr);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->rfind("https://idp.example.org/sso?SAMLRequest=", 0), 0u) << *plain;
  const auto with_query =
      AuthnRequestTemplate(full_settings()).redirect_url(kId, kIssued, "", nullptr);
  ASSERT_TRUE(with_query.ok());
  EXPECT_EQ(with_query->rfind("https://idp.example.org/sso?tenant=a&b='c'&SAMLRequest=", 0), 0u)
      << *with_query;
}

TEST(RedirectUrl, EncodesRelayStateAndLeavesAnEmptyOneOut) {
  const AuthnRequestTemplate request(plain_settings());
  const auto with = request.redirect_url(kId, kIssued, "a b&c=d/\xC3\xA4", nullptr);
  ASSERT_TRUE(with.ok());
  const auto parameters = query_parameters(*with);
  ASSERT_EQ(parameters.size(), 2u);
  EXPECT_EQ(parameters[1].first, "RelayState");
  EXPECT_EQ(parameters[1].second, "a%20b%26c%3Dd%2F%C3%A4");
  const auto without = request.redirect_url(kId, kIssued, "", nullptr);
  ASSERT_TRUE(without.ok());
  EXPECT_EQ(without->find("RelayState"), std::string::npos);
}

TEST(RedirectUrl, RefusesAnIdThatDoesNotFit) {
  const AuthnRequestTemplate request(plain_settings());
  EXPECT_TRUE(request.redirect_url(std::string(256, 'a'), kIssued, "", nullptr).ok());
  const auto refused = request.redirect_url(std::string(4096, 'a'), kIssued, "", nullptr);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::kInternal);
}

// The receiver's work by Bindings 3.4.4.1: over the query as it came, up to Signature.
bool signature_verifies(const std::string& url, const Identity& signer,
                        xml::SignatureAlgorithm algorithm) {
  const std::size_t start = url.find("SAMLRequest=");
  const std::size_t end = url.find("&Signature=");
  if (end == std::string::npos) return false;
  const auto value = base64_decode(percent_decode(url.substr(end + 11)));
  return value && xml::verify_value(std::string_view(url).substr(start, end - start), *value,
                                    algorithm, signer.certificate.key());
}

TEST(RedirectUrl, SignsTheQueryAsItIsSent) {
  struct Case {
    const char* name;
    const Identity& identity;
    xml::SignatureAlgorithm algorithm;
    std::string_view uri;
  };
  const Case cases[] = {
      {"RSA", testing::rsa_identity(), xml::SignatureAlgorithm::kRsaSha256,
       "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"},
      {"ECDSA", testing::ec_identity(), xml::SignatureAlgorithm::kEcdsaSha256,
       "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"},
  };
  for (const Case& c : cases) {
    for (const AuthnRequestSettings& settings : {plain_settings(), full_settings()}) {
      for (const char* relay_state : {"", "tab 1"}) {
        const auto url = AuthnRequestTemplate(settings).redirect_url(kId, kIssued, relay_state,
                                                                     &c.identity.key);
        ASSERT_TRUE(url.ok()) << c.name;
        const auto parameters = query_parameters(*url);
        const std::size_t size = parameters.size();
        ASSERT_GE(size, 3u);
        EXPECT_EQ(parameters[size - 1].first, "Signature");
        EXPECT_EQ(parameters[size - 2].first, "SigAlg");
        EXPECT_EQ(percent_decode(parameters[size - 2].second), c.uri) << c.name;
        EXPECT_TRUE(signature_verifies(*url, c.identity, c.algorithm)) << c.name << ' ' << *url;
        EXPECT_FALSE(signature_verifies(*url, testing::other_rsa_identity(), c.algorithm));
        std::string changed = *url;
        changed[url->find("SAMLRequest=") + 20] ^= 1;
        EXPECT_FALSE(signature_verifies(changed, c.identity, c.algorithm)) << c.name;
      }
    }
  }
}

// --- HTTP-POST ---

TEST(PostField, IsBase64OfTheDocument) {
  const AuthnRequestTemplate request(full_settings());
  const auto field = request.post_field(kId, kIssued, nullptr, nullptr);
  ASSERT_TRUE(field.ok());
  EXPECT_EQ(base64_decode(*field), request.document(kId, kIssued));
}

TEST(PostField, CarriesAnEnvelopedSignature) {
  xml::initialize_parser();
  ASSERT_TRUE(xml::initialize_signing().ok());
  for (const Identity* identity : {&testing::rsa_identity(), &testing::ec_identity()}) {
    const AuthnRequestTemplate request(full_settings());
    const auto field =
        request.post_field(kId, kIssued, &identity->key, &identity->certificate, true);
    ASSERT_TRUE(field.ok()) << field.error().detail;
    const std::string message = base64_decode(*field).value_or("");
    const auto document = parse(message);
    const std::vector<xml::Certificate> keys = {identity->certificate};
    const xml::SignatureVerifier verifier(keys, xml::AlgorithmSet::defaults());
    const auto verified = verifier.verify(document.root(), xml::message_limits(64 * 1024));
    ASSERT_TRUE(verified.ok()) << verified.error().detail;
    EXPECT_EQ(verified->root().element().attribute("ID"), kId);
    EXPECT_TRUE(test::xmlsec_accepts(message, std::string(kId), identity->key.raw()));
    if (testing::has_schemas()) {
      EXPECT_EQ(testing::schema_errors(message, "saml-schema-protocol-2.0.xsd"), "") << message;
    }
  }
}

TEST(PostField, RefusesAKeyWithoutItsCertificate) {
  const AuthnRequestTemplate request(plain_settings());
  const auto field =
      request.post_field(kId, kIssued, &testing::rsa_identity().key, nullptr);
  ASSERT_FALSE(field.ok());
  EXPECT_EQ(field.error().reason, Reason::kInternal);
}

}  // namespace
}  // namespace sallyport::saml
