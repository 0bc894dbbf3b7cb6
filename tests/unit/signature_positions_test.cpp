#include "xml/signature.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "xml/names.h"
#include "xml_test_util.h"

namespace sallyport::xml {
namespace {

using test::replaced;
using test::Signed;
using test::signed_response;

struct PositionCase {
  const char* name;
  const char* from;
  const char* to;
  bool ok;
};

class SignaturePositions : public testing::TestWithParam<PositionCase> {};

TEST_P(SignaturePositions, AreChecked) {
  const std::string text = signed_response(Signed::kBoth, test::rsa_key());
  const auto document = Document::parse(replaced(text, GetParam().from, GetParam().to), Limits());
  ASSERT_TRUE(document.ok()) << document.error().detail;
  const Status checked = check_signature_positions(*document);
  EXPECT_EQ(checked.ok(), GetParam().ok);
  if (!checked.ok()) {
    EXPECT_EQ(checked.error().reason, Reason::kSignatureMalformed);
  }
}

#define DS "<d:Signature xmlns:d=\"http://www.w3.org/2000/09/xmldsig#\"/>"
INSTANTIATE_TEST_SUITE_P(
    All, SignaturePositions,
    testing::ValuesIn(std::vector<PositionCase>{
        {"AsSigned", "Version", "Version", true},
        {"BlankBetween", "</saml:Issuer><ds:Signature", "</saml:Issuer>\n  <ds:Signature", true},
        {"SignatureOfAnotherKind", "<saml:Subject>", "<Signature xmlns=\"urn:x\"/><saml:Subject>",
         true},
        {"SecondInResponse", "<samlp:Status>", DS "<samlp:Status>", false},
        {"BeforeIssuer", "<saml:Issuer>", DS "<saml:Issuer>", false},
        {"SomethingBetween", "</saml:Issuer><ds:Signature", "</saml:Issuer><x/><ds:Signature",
         false},
        {"BehindSubject", "</saml:Subject>", "</saml:Subject>" DS, false},
        {"OnSubject", "<saml:Subject>", "<saml:Subject>" DS, false},
        {"OnConditions", "</saml:Conditions>", DS "</saml:Conditions>", false},
        {"InStatus", "</samlp:Status>",
         "<samlp:StatusDetail>" DS "</samlp:StatusDetail></samlp:Status>", false},
        {"InExtensions", "<samlp:Status>",
         "<samlp:Extensions>" DS "</samlp:Extensions><samlp:Status>", false},
        {"InAttributeValue", " &amp; friends", DS, false},
        {"InSignature", "</ds:Signature>", DS "</ds:Signature>", false},
        {"InKeyInfo", "</ds:Signature>", "<ds:KeyInfo>" DS "</ds:KeyInfo></ds:Signature>", false},
        {"SignedInfoInKeyInfo", "</ds:Signature>",
         "<ds:KeyInfo><ds:SignedInfo/></ds:KeyInfo></ds:Signature>", false},
        {"SignedInfoInExtensions", "<samlp:Status>",
         "<samlp:Extensions><d:SignedInfo xmlns:d=\"http://www.w3.org/2000/09/xmldsig#\"/>"
         "</samlp:Extensions><samlp:Status>", false},
        {"SignedInfoOfAnotherKind", "</ds:Signature>",
         "<ds:KeyInfo><SignedInfo xmlns=\"urn:x\"/></ds:KeyInfo></ds:Signature>", true},
        {"AtTheEnd", "</samlp:Response>", DS "</samlp:Response>", false},
        {"BehindASecondIssuer", "</saml:Issuer><ds:Signature",
         "</saml:Issuer><saml:Issuer/><ds:Signature", false},
    }),
    [](const auto& param) { return param.param.name; });
#undef DS

TEST(SignaturePositionsTest, ALonelyRootIsNoPlace) {
  for (const std::string name : {"Signature", "SignedInfo"}) {
    const auto root = Document::parse(
        "<d:" + name + " xmlns:d='http://www.w3.org/2000/09/xmldsig#'/>", Limits());
    ASSERT_TRUE(root.ok());
    EXPECT_FALSE(check_signature_positions(*root).ok());
  }
  const auto empty = Document::parse("<a/>", Limits());
  ASSERT_TRUE(empty.ok());
  EXPECT_TRUE(check_signature_positions(*empty).ok());
}

}  // namespace
}  // namespace sallyport::xml
