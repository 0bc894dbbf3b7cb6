#include "saml/claimed_issuer.h"

#include <gtest/gtest.h>

namespace sallyport::saml {
namespace {

using Claimed = std::optional<std::string>;

constexpr std::string_view kNamespaces =
    " xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";

std::string response(std::string_view inside) {
  return "<samlp:Response" + std::string(kNamespaces) + ">" + std::string(inside) + "</samlp:Response>";
}

Result<Claimed> claimed(const std::string& document) { return claimed_issuer(document, xml::message_limits(256 * 1024)); }

TEST(ClaimedIssuer, OfTheResponse) {
  const std::string both =
      response("<saml:Issuer>https://a.example</saml:Issuer><saml:Assertion><saml:Issuer>b</saml:Issuer></saml:Assertion>");
  EXPECT_EQ(*claimed(both), Claimed("https://a.example"));
}

TEST(ClaimedIssuer, OfTheAssertionWhereTheResponseHasNone) {
  EXPECT_EQ(*claimed(response("<samlp:Status/><saml:Assertion><saml:Issuer>b</saml:Issuer></saml:Assertion>")), Claimed("b"));
}

TEST(ClaimedIssuer, NowhereToBeRead) {
  for (const std::string_view inside :
       {"", "<saml:EncryptedAssertion/>", "<saml:Assertion/>", "<Issuer>a</Issuer>", "<samlp:Issuer>a</samlp:Issuer>",
        "<samlp:Status><saml:Issuer>a</saml:Issuer></samlp:Status>"}) {
    const auto issuer = claimed(response(inside));
    ASSERT_TRUE(issuer.ok()) << inside;
    EXPECT_EQ(*issuer, Claimed()) << inside;
  }
}

TEST(ClaimedIssuer, WhatIsNoResponseIsRefused) {
  EXPECT_EQ(claimed("").error().reason, Reason::kXmlInvalid);
  EXPECT_EQ(claimed("<a/>").error().reason, Reason::kStructureInvalid);
  EXPECT_EQ(claimed("<!DOCTYPE a><a/>").error().reason, Reason::kXmlForbidden);
  EXPECT_EQ(claimed(response("<saml:Issuer><b/></saml:Issuer>")).error().reason, Reason::kStructureInvalid);
  EXPECT_EQ(claimed(response("<saml:Issuer Format=\"urn:x\">a</saml:Issuer>")).error().reason, Reason::kIssuerMismatch);
}

}  // namespace
}  // namespace sallyport::saml
