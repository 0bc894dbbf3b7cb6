#include "xml/signature.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "signature_test_util.h"
#include "xml/names.h"
#include "xml_test_util.h"

namespace sallyport::xml {
namespace {

using test::detail_of;
using test::reason_of;
using test::replaced;
using test::SignatureTemplate;
using test::Signed;
using test::signed_response;
using test::verify;

// Harmless differences between IdPs; each is signed as it stands.
struct EditCase {
  const char* name;
  const char* from;
  const char* to;
  const char* reason = "";
};

SignatureTemplate edited(const EditCase& edit) {
  SignatureTemplate how;
  if (how.signed_info.find(edit.from) != std::string::npos) {
    how.signed_info = replaced(how.signed_info, edit.from, edit.to);
  } else {
    how.signature = replaced(how.signature, edit.from, edit.to);
  }
  return how;
}

class SignatureTakes : public testing::TestWithParam<EditCase> {};

TEST_P(SignatureTakes, AsXmlsecDoes) {
  const std::string text = signed_response(Signed::kAssertion, test::rsa_key(), edited(GetParam()));
  const auto verified = verify(text, "_a", test::rsa_key());
  EXPECT_TRUE(verified.ok()) << verified.error().detail;
  EXPECT_TRUE(test::xmlsec_accepts(text, "_a", test::rsa_key()));
}

INSTANTIATE_TEST_SUITE_P(
    All, SignatureTakes,
    testing::ValuesIn(std::vector<EditCase>{
        {"Indentation", "<ds:Reference", "\n      <ds:Reference"},
        {"IndentationInSignature", "@SIGNED_INFO@", "\n  @SIGNED_INFO@\n  "},
        {"IdOnSignature", "<ds:Signature ", "<ds:Signature Id=\"Signature1\" "},
        {"IdOnSignedInfo", "<ds:SignedInfo>", "<ds:SignedInfo Id=\"SignedInfo1\">"},
        {"LineBreaksInValue", "@VALUE@", "\n@VALUE@\n"},
        {"EndTags", "exc-c14n#\"/>", "exc-c14n#\"></ds:CanonicalizationMethod>"},
        {"CdataInDigest", "@DIGEST@", "<![CDATA[@DIGEST@]]>"},
        {"KeyInfo", "</ds:SignatureValue>",
         "</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>AAAA"
         "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"},
        {"DefaultPrefix", "<ds:Signature xmlns:ds",
         "<ds:Signature xmlns:unused=\"urn:u\" xmlns:ds"},
        {"EmptyPrefixList", "exc-c14n#\"/></ds:Transforms>",
         "exc-c14n#\"><ec:InclusiveNamespaces "
         "xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"\"/>"
         "</ds:Transform></ds:Transforms>"},
    }),
    [](const auto& param) { return param.param.name; });

// ---- shapes that are refused, although digest and value are right ----

class SignatureRefuses : public testing::TestWithParam<EditCase> {};

TEST_P(SignatureRefuses, TheShape) {
  for (const Signed what : {Signed::kResponse, Signed::kAssertion}) {
    const std::string text = signed_response(what, test::rsa_key(), edited(GetParam()));
    const auto verified = verify(text, what == Signed::kResponse ? "_r" : "_a", test::rsa_key());
    EXPECT_EQ(reason_of(verified), GetParam().reason) << detail_of(verified);
    EXPECT_FALSE(detail_of(verified).empty());
  }
}

constexpr char kMalformed[] = "signature_malformed";
constexpr char kNotAllowed[] = "algorithm_not_allowed";
constexpr char kMethod[] = "Algorithm=\"@METHOD@\"";
constexpr char kC14n[] =
    "Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/><ds:SignatureMethod";
constexpr char kEnveloped[] =
    "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>";
constexpr char kExclusive[] =
    "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>";

INSTANTIATE_TEST_SUITE_P(
    Reference, SignatureRefuses,
    testing::ValuesIn(std::vector<EditCase>{
        {"NoUri", " URI=\"#@ID@\"", "", kMalformed},
        {"EmptyUri", "URI=\"#@ID@\"", "URI=\"\"", kMalformed},
        {"OtherId", "URI=\"#@ID@\"", "URI=\"#_q\"", kMalformed},
        {"MissingHash", "URI=\"#@ID@\"", "URI=\"@ID@\"", kMalformed},
        {"LonelyHash", "URI=\"#@ID@\"", "URI=\"#\"", kMalformed},
        {"Percent", "URI=\"#@ID@\"", "URI=\"#%5fa\"", kMalformed},
        {"TrailingBlank", "URI=\"#@ID@\"", "URI=\"#@ID@ \"", kMalformed},
        {"XPointer", "URI=\"#@ID@\"", "URI=\"#xpointer(id('@ID@'))\"", kMalformed},
        {"XPointerRoot", "URI=\"#@ID@\"", "URI=\"#xpointer(/)\"", kMalformed},
        {"XPathInjection", "URI=\"#@ID@\"", "URI=\"#_a')|id('_r\"", kMalformed},
        {"External", "URI=\"#@ID@\"", "URI=\"http://127.0.0.1/#@ID@\"", kMalformed},
        {"File", "URI=\"#@ID@\"", "URI=\"file:///etc/passwd\"", kMalformed},
        {"Type", "URI=\"#@ID@\"", "URI=\"#@ID@\" Type=\"urn:x\"", kMalformed},
        {"TwoReferences", "</ds:Reference>",
         "</ds:Reference><ds:Reference URI=\"#@ID@\"><ds:DigestMethod "
         "Algorithm=\"@DIGEST_METHOD@\"/><ds:DigestValue>@DIGEST@</ds:DigestValue></ds:Reference>",
         kMalformed},
        {"ChildOfReference", "</ds:Reference>", "<ds:X/></ds:Reference>", kMalformed},
        {"TextInReference", "</ds:Reference>", "text</ds:Reference>", kMalformed},
    }),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Transforms, SignatureRefuses,
    testing::ValuesIn(std::vector<EditCase>{
        {"NoEnveloped", kEnveloped, "", kMalformed},
        {"EnvelopedTwice", kEnveloped,
         "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>"
         "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>",
         kMalformed},
        {"EnvelopedAlone", kExclusive, "</ds:Transforms>", kMalformed},
        {"ExclusiveTwice", kExclusive,
         "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>"
         "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>",
         kMalformed},
        {"WrongOrder", kEnveloped,
         "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>"
         "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>",
         kMalformed},
        {"Base64", kExclusive,
         "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#base64\"/></ds:Transforms>",
         kMalformed},
        {"XPath", kExclusive,
         "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>"
         "not(self::x)</ds:XPath></ds:Transform></ds:Transforms>",
         kMalformed},
        {"Xslt", kExclusive,
         "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/>"
         "</ds:Transforms>",
         kMalformed},
        {"Inclusive", kExclusive,
         "<ds:Transform Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/>"
         "</ds:Transforms>",
         kMalformed},
        {"WithComments", kExclusive,
         "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#WithComments\"/>"
         "</ds:Transforms>",
         kMalformed},
        {"ChildOfEnveloped", "#enveloped-signature\"/>",
         "#enveloped-signature\"><x/></ds:Transform>", kMalformed},
        {"AttributeOnTransform", "#enveloped-signature\"/>", "#enveloped-signature\" x=\"1\"/>",
         kMalformed},
        {"NoTransforms", "<ds:Transforms>", "<ds:Other>", "xml_invalid"},
        {"ForeignChildOfExclusive", kExclusive,
         "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"><x/></ds:Transform>"
         "</ds:Transforms>",
         kMalformed},
        {"ManyPrefixes", kExclusive,
         "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">"
         "<ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" "
         "PrefixList=\"a b c d e f g h i j k l m n o p q\"/></ds:Transform></ds:Transforms>",
         "xml_limits"},
        {"NoPrefixList", kExclusive,
         "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">"
         "<ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>"
         "</ds:Transform></ds:Transforms>",
         kMalformed},
    }),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Methods, SignatureRefuses,
    testing::ValuesIn(std::vector<EditCase>{
        {"UnknownMethod", kMethod, "Algorithm=\"urn:x\"", kNotAllowed},
        {"NoMethodAlgorithm", kMethod, "", kMalformed},
        {"RsaMd5", kMethod, "Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-md5\"",
         kNotAllowed},
        {"Dsa", kMethod, "Algorithm=\"http://www.w3.org/2000/09/xmldsig#dsa-sha1\"", kNotAllowed},
        {"Hmac", kMethod, "Algorithm=\"http://www.w3.org/2000/09/xmldsig#hmac-sha1\"", kNotAllowed},
        {"HmacOutputLength", "<ds:SignatureMethod Algorithm=\"@METHOD@\"/>",
         "<ds:SignatureMethod Algorithm=\"@METHOD@\"><ds:HMACOutputLength>1</ds:HMACOutputLength>"
         "</ds:SignatureMethod>",
         kMalformed},
        {"OtherAlgorithmThanSigned", kMethod,
         "Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512\"", "signature_invalid"},
        {"EcdsaWithAnRsaKey", kMethod,
         "Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\"", "signature_invalid"},
        {"UnknownDigest", "@DIGEST_METHOD@", "http://www.w3.org/2001/04/xmlenc#ripemd160",
         kNotAllowed},
        {"Md5Digest", "@DIGEST_METHOD@", "http://www.w3.org/2001/04/xmldsig-more#md5", kNotAllowed},
        {"InclusiveMethod", kC14n,
         "Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/><ds:SignatureMethod",
         kMalformed},
        {"C14n11Method", kC14n,
         "Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/><ds:SignatureMethod", kMalformed},
        {"WithCommentsMethod", kC14n,
         "Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#WithComments\"/><ds:SignatureMethod",
         kMalformed},
        {"NoC14nAlgorithm", kC14n, "/><ds:SignatureMethod", kMalformed},
    }),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Children, SignatureRefuses,
    testing::ValuesIn(std::vector<EditCase>{
        {"Object", "</ds:Signature>", "<ds:Object>x</ds:Object></ds:Signature>", kMalformed},
        {"Manifest", "</ds:Signature>", "<ds:Object><ds:Manifest/></ds:Object></ds:Signature>",
         kMalformed},
        {"TwoKeyInfos", "</ds:Signature>", "<ds:KeyInfo/><ds:KeyInfo/></ds:Signature>", kMalformed},
        {"KeyInfoFirst", "@SIGNED_INFO@", "<ds:KeyInfo/>@SIGNED_INFO@", kMalformed},
        {"TwoValues", "</ds:Signature>",
         "<ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>", kMalformed},
        {"SecondSignedInfo", "</ds:Signature>", "<ds:SignedInfo/></ds:Signature>", kMalformed},
        {"SignedInfoBefore", "@SIGNED_INFO@", "<ds:SignedInfo/>@SIGNED_INFO@", kMalformed},
        {"SignedInfoInKeyInfo", "@SIGNED_INFO@", "<ds:KeyInfo>@SIGNED_INFO@</ds:KeyInfo>",
         kMalformed},
        {"NoValue", "<ds:SignatureValue>@VALUE@</ds:SignatureValue>", "", kMalformed},
        {"EmptyValue", "@VALUE@", "", kMalformed},
        {"NotBase64", "@VALUE@", "@VALUE@!", kMalformed},
        {"ChildInValue", "@VALUE@", "@VALUE@<x/>", kMalformed},
        {"ElementInDigest", "@DIGEST@", "<x/>@DIGEST@", kMalformed},
        {"EmptyDigest", "@DIGEST@", "", kMalformed},
        {"ShortDigest", "@DIGEST@", "AAAA", kMalformed},
        {"CommentInDigest", "@DIGEST@", "<!--AAAA-->@DIGEST@", "xml_forbidden"},
        {"CommentInValue", "@VALUE@", "@VALUE@<!---->", "xml_forbidden"},
        {"InstructionInDigest", "@DIGEST@", "<?x?>@DIGEST@", "xml_forbidden"},
        {"AttributeOnDigest", "<ds:DigestValue>", "<ds:DigestValue x=\"1\">", kMalformed},
        {"AttributeOnSignature", "<ds:Signature ", "<ds:Signature x=\"1\" ", kMalformed},
        {"QualifiedAttribute", "<ds:SignedInfo>", "<ds:SignedInfo ds:Algorithm=\"1\">", kMalformed},
        {"TextInSignature", "@SIGNED_INFO@", "text@SIGNED_INFO@", kMalformed},
        {"TextInSignedInfo", "<ds:Reference", "text<ds:Reference", kMalformed},
        {"ForeignChild", "<ds:Reference", "<x/><ds:Reference", kMalformed},
        {"OtherNamespace", "<ds:SignatureMethod ", "<ds:SignatureMethod xmlns:ds=\"urn:x\" ",
         kMalformed},
        {"RelativeNamespace", "<ds:SignedInfo>", "<ds:SignedInfo xmlns:x=\"rel\">",
         "xml_forbidden"},
    }),
    [](const auto& param) { return param.param.name; });

TEST(SignatureTest, ADoubledChildIsMalformed) {
  const SignatureTemplate plain;
  for (const char* name :
       {"CanonicalizationMethod", "SignatureMethod", "Transforms", "DigestMethod", "DigestValue"}) {
    const std::string open = "<ds:" + std::string(name);
    const std::size_t from = plain.signed_info.find(open);
    const std::string close = "</ds:" + std::string(name) + ">";
    std::size_t to = plain.signed_info.find(close);
    to = to == std::string::npos ? plain.signed_info.find("/>", from) + 2 : to + close.size();
    const std::string whole = plain.signed_info.substr(from, to - from);
    for (const std::string& instead : {whole + whole, std::string()}) {
      SignatureTemplate how;
      how.signed_info = replaced(how.signed_info, whole, instead);
      const std::string text = signed_response(Signed::kAssertion, test::rsa_key(), how);
      EXPECT_EQ(reason_of(verify(text, "_a", test::rsa_key())), kMalformed)
          << name << " instead: " << instead;
    }
  }
}

}  // namespace
}  // namespace sallyport::xml
