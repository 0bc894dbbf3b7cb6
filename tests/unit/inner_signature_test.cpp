// An Assertion with a signature of its own inside a signed Response. It may have been signed by itself and put in
// then: where its canonical form is another one in there, its signature no longer holds, as xmlsec1 has it too.
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>
#include <string_view>
#include <vector>

#include "signature_test_util.h"
#include "xml/names.h"
#include "xml/signature.h"
#include "xml_test_util.h"

namespace sallyport::xml {
namespace {

using test::replaced;
using test::SignatureTemplate;

constexpr char kSamlDeclared[] = " xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
constexpr char kSamlByDefault[] = " xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
constexpr char kXsDeclared[] = " xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"";

enum class Signing { kAlone, kInPlace };

struct Case {
  const char* name;
  Signing signing;
  bool is_good;
  std::string response_declares;
  std::string response_prefix;  // the one in the PrefixList of its signature; may be empty
  std::string assertion_declares;
  std::string assertion_prefix;
  std::string content = "";
  const char* root = "samlp:Response";
  const char* assertion = "saml:Assertion";
};

std::string prefix_list(const std::string& prefix) {
  return "><ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"" + prefix + "\"/></ds:";
}

SignatureTemplate with_prefix(const std::string& prefix) {
  SignatureTemplate how;
  if (prefix.empty()) return how;
  how.inclusive_prefix = prefix;
  how.signed_info = replaced(how.signed_info, "exc-c14n#\"/></ds:Transforms>",
                             "exc-c14n#\"" + prefix_list(prefix) + "Transform></ds:Transforms>");
  return how;
}

std::string assertion_to_sign(const Case& param) {
  const std::string name = param.assertion;
  const std::string prefix = name == "Assertion" ? "" : "saml:";
  return "<" + name + param.assertion_declares + " ID=\"_a\"><" + prefix + "Issuer>i</" + prefix + "Issuer>@SIGN:_a@" +
         param.content + "</" + name + ">";
}

std::string response_around(const Case& param, const std::string& assertion) {
  const std::string name = param.root;
  return "<" + name + param.response_declares + " ID=\"_r\"><saml:Issuer" + kSamlDeclared +
         ">i</saml:Issuer>@SIGN:_r@" + assertion + "</" + name + ">";
}

// The Assertion first, since the Response's digest covers its Signature.
std::string message_of(const Case& param) {
  const SignatureTemplate inner = with_prefix(param.assertion_prefix);
  const std::string assertion = assertion_to_sign(param);
  const std::string text =
      param.signing == Signing::kAlone
          ? response_around(param, test::sign(assertion, "_a", test::rsa_key(), inner))
          : test::sign(response_around(param, assertion), "_a", test::rsa_key(), inner);
  return test::sign(text, "_r", test::rsa_key(), with_prefix(param.response_prefix));
}

// It leaves what it refused among OpenSSL's errors, where other tests look.
bool xmlsec_accepts(const std::string& text, const std::string& id) {
  ERR_set_mark();
  const bool accepts = test::xmlsec_accepts(text, id, test::rsa_key());
  ERR_pop_to_mark();
  return accepts;
}

// What becomes of the Assertion's own signature when that of the Response is good.
Status confirm(const std::string& text) {
  const auto document = Document::parse(text, Limits());
  if (!document.ok()) return Error{Reason::kInternal, document.error().detail};
  const std::vector<Certificate> certificates = {test::certificate_of(test::rsa_key())};
  const SignatureVerifier verifier(certificates, AlgorithmSet::defaults());
  const auto response = verifier.verify(document->root(), Limits());
  if (!response.ok()) return Error{Reason::kInternal, "the Response: " + response.error().detail};
  const auto assertion = response->root().only_child(kNsSaml, "Assertion");
  const auto received = document->root().only_child(kNsSaml, "Assertion");
  if (!assertion || !received) return Error{Reason::kInternal, "no Assertion"};
  return verifier.confirm(*assertion, *received);
}

class InnerSignature : public testing::TestWithParam<Case> {};

TEST_P(InnerSignature, IsTakenAsXmlsecTakesIt) {
  const Case& param = GetParam();
  const std::string text = message_of(param);
  ASSERT_TRUE(xmlsec_accepts(text, "_r")) << text;
  ASSERT_EQ(xmlsec_accepts(text, "_a"), param.is_good) << text;
  const Status confirmed = confirm(text);
  EXPECT_EQ(confirmed.ok(), param.is_good) << text;
  if (!confirmed.ok()) {
    EXPECT_EQ(confirmed.error().reason, Reason::kSignatureInvalid) << confirmed.error().detail;
  }
}

const std::string kSamlp = " xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"";
const std::string kSamlpByDefault = " xmlns=\"urn:oasis:names:tc:SAML:2.0:protocol\"";
const std::string kUnprefixedChild = "<saml:AttributeValue><x>1</x></saml:AttributeValue>";
const std::string kUnprefixedAttribute =
    "<saml:AttributeStatement><Attribute Name=\"role\"><AttributeValue>admin</AttributeValue></Attribute>"
    "</saml:AttributeStatement>";
const std::string kTyped = "<saml:AttributeValue xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                           "xsi:type=\"xs:string\">1</saml:AttributeValue>";

const auto kName = [](const auto& info) { return info.param.name; };

// Signed by itself, then put where a declaration reaches what had none.
INSTANTIATE_TEST_SUITE_P(
    Captured, InnerSignature,
    testing::Values(
        Case{"UnprefixedChild", Signing::kAlone, false, kSamlp + kSamlByDefault, "#default", kSamlDeclared, "", kUnprefixedChild},
        Case{"UnprefixedAttribute", Signing::kAlone, false, kSamlp + kSamlByDefault, "#default", kSamlDeclared, "",
             kUnprefixedAttribute},
        Case{"ByTheResponsesOwn", Signing::kAlone, false, kSamlpByDefault, "", kSamlDeclared, "", kUnprefixedChild, "Response"},
        Case{"TakenBackDeeper", Signing::kAlone, false, kSamlpByDefault, "", kSamlDeclared, "",
             "<x><y xmlns=\"urn:y\"><z xmlns=\"\"/></y></x>", "Response"},
        Case{"ByTheListsDefault", Signing::kAlone, false, kSamlpByDefault, "", kSamlDeclared, "#default", "", "Response"},
        Case{"ByTheListsDefaultInBoth", Signing::kAlone, false, kSamlp + kSamlByDefault, "#default", kSamlDeclared, "#default"},
        Case{"ByTheListsPrefix", Signing::kAlone, false, kSamlp + kXsDeclared, "xs", kSamlDeclared, "xs", kTyped},
        Case{"ByTheListsPrefixThatIsUsed", Signing::kAlone, false, kSamlp, "", kSamlDeclared, "samlp", kTyped}),
    kName);

// As identity providers sign.
INSTANTIATE_TEST_SUITE_P(
    Good, InnerSignature,
    testing::Values(
        Case{"DeclaresAllItself", Signing::kAlone, true, kSamlp, "", kSamlDeclared, ""},
        Case{"InheritsItsPrefix", Signing::kInPlace, true, kSamlp + kSamlDeclared, "", "", ""},
        Case{"DefaultOfItsOwn", Signing::kAlone, true, kSamlp, "", kSamlByDefault, "", "", "samlp:Response", "Assertion"},
        Case{"DefaultsOfBoth", Signing::kAlone, true, kSamlpByDefault, "", kSamlByDefault, "", "", "Response", "Assertion"},
        Case{"InheritsADefault", Signing::kInPlace, true, kSamlp + kSamlByDefault, "", "", "", "", "samlp:Response",
             "Assertion"},
        Case{"InheritsAListedDefault", Signing::kInPlace, true, kSamlp + kSamlByDefault, "#default", "", "#default",
             "<Subject><NameID>ana</NameID></Subject>", "samlp:Response", "Assertion"},
        Case{"PrefixInsideADefault", Signing::kAlone, true, kSamlpByDefault, "", kSamlDeclared, "", "", "Response"},
        Case{"UnprefixedChildInPlace", Signing::kInPlace, true, kSamlpByDefault, "", kSamlDeclared, "", kUnprefixedChild,
             "Response"},
        Case{"DefaultTakenBack", Signing::kInPlace, true, kSamlpByDefault, "", kSamlDeclared, "",
             "<x xmlns=\"\"><y/></x>", "Response"},
        Case{"NoDefaultAtAll", Signing::kAlone, true, kSamlp, "", kSamlDeclared, "", kUnprefixedChild},
        Case{"ListedInBoth", Signing::kInPlace, true, kSamlp + kXsDeclared, "xs", kSamlDeclared + std::string(kXsDeclared), "xs",
             kTyped},
        Case{"ListedAndDeclaredItself", Signing::kAlone, true, kSamlp, "xs", kSamlDeclared + std::string(kXsDeclared), "xs",
             kTyped},
        Case{"ListedButNowhereDeclared", Signing::kAlone, true, kSamlp, "", kSamlDeclared, "xs"}),
    kName);

// The Response's canonical form leaves out what only the Assertion's PrefixList asks for.
INSTANTIATE_TEST_SUITE_P(
    ListedByTheAssertionOnly, InnerSignature,
    testing::Values(
        Case{"Outside", Signing::kInPlace, true, kSamlp + kXsDeclared, "", kSamlDeclared, "xs", kTyped},
        Case{"OutsideSignedAlone", Signing::kAlone, false, kSamlp + kXsDeclared, "", kSamlDeclared, "xs", kTyped},
        Case{"DefaultOutsideSignedAlone", Signing::kAlone, false, kSamlp + kSamlByDefault, "", kSamlDeclared, "#default"},
        Case{"Inside", Signing::kAlone, true, kSamlp, "", kSamlDeclared + std::string(kXsDeclared), "xs", kTyped}),
    kName);

// So it is with the list of SignedInfo.
TEST(InnerSignatureValue, IsThatOfSignedInfoAsReceived) {
  for (const std::string& declared : {std::string(), std::string(kXsDeclared)}) {
    SignatureTemplate how;
    how.signed_info =
        replaced(how.signed_info, "exc-c14n#\"/><ds:SignatureMethod",
                 "exc-c14n#\"" + prefix_list("xs") + "CanonicalizationMethod><ds:SignatureMethod");
    const Case param{"", Signing::kAlone, true, kSamlp + declared, "", kSamlDeclared, ""};
    const std::string assertion = test::sign(assertion_to_sign(param), "_a", test::rsa_key(), how);
    const std::string text = test::sign(response_around(param, assertion), "_r", test::rsa_key());
    ASSERT_TRUE(xmlsec_accepts(text, "_r")) << text;
    EXPECT_EQ(xmlsec_accepts(text, "_a"), declared.empty()) << text;
    EXPECT_EQ(confirm(text).ok(), declared.empty()) << text;
  }
}

}  // namespace
}  // namespace sallyport::xml
