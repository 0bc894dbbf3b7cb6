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
using test::sign;
using test::SignatureTemplate;
using test::Signed;
using test::signed_response;
using test::verify;

// ---- what is accepted, with xmlsec1 as second opinion ----

struct AlgorithmCase {
  const char* name;
  const char* key;
  const char* method;
  const char* value_digest;
  const char* digest_method;
  const char* digest;
  bool pss;
  bool by_default;
};

constexpr char kSha1Uri[] = "http://www.w3.org/2000/09/xmldsig#sha1";
constexpr char kSha256Uri[] = "http://www.w3.org/2001/04/xmlenc#sha256";
constexpr char kSha384Uri[] = "http://www.w3.org/2001/04/xmldsig-more#sha384";
constexpr char kSha512Uri[] = "http://www.w3.org/2001/04/xmlenc#sha512";

class EachAlgorithm : public testing::TestWithParam<AlgorithmCase> {};

TEST_P(EachAlgorithm, IsVerified) {
  const AlgorithmCase& param = GetParam();
  EVP_PKEY* key = std::string_view(param.key) == "RSA" ? test::rsa_key() : test::ec_key(param.key);
  SignatureTemplate how;
  how.method = param.method;
  how.value_digest = param.value_digest;
  how.digest_method = param.digest_method;
  how.digest = param.digest;
  how.pss = param.pss;
  const std::string text = signed_response(Signed::kAssertion, key, how);
  const auto by_default = verify(text, "_a", key);
  if (!param.by_default) {
    EXPECT_EQ(reason_of(by_default), "algorithm_not_allowed");
  }
  AlgorithmSet allowed = AlgorithmSet::defaults();
  allowed.add(SignatureAlgorithm::kRsaSha1);
  allowed.add(SignatureAlgorithm::kEcdsaSha1);
  const auto verified = verify(text, "_a", key, allowed);
  ASSERT_TRUE(verified.ok()) << verified.error().detail;
  EXPECT_EQ(uri_of(verified->algorithm()), param.method);
  EXPECT_EQ(verified->root().element().attribute("ID"), "_a");
  // xmlsec1 1.2.37 does not know RSA-PSS by these names; the value was made by OpenSSL alone.
  if (!param.pss) {
    EXPECT_TRUE(test::xmlsec_accepts(text, "_a", key));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, EachAlgorithm,
    testing::ValuesIn(std::vector<AlgorithmCase>{
        {"RsaSha256", "RSA", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "SHA256",
         kSha256Uri, "SHA256", false, true},
        {"RsaSha384", "RSA", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", "SHA384",
         kSha384Uri, "SHA384", false, true},
        {"RsaSha512", "RSA", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", "SHA512",
         kSha512Uri, "SHA512", false, true},
        {"RsaSha1", "RSA", "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "SHA1", kSha1Uri, "SHA1",
         false, false},
        {"Sha1DigestOnly", "RSA", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "SHA256",
         kSha1Uri, "SHA1", false, false},
        {"Sha1ValueOnly", "RSA", "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "SHA1", kSha256Uri,
         "SHA256", false, false},
        {"RsaPssSha256", "RSA", "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", "SHA256",
         kSha256Uri, "SHA256", true, true},
        {"RsaPssSha384", "RSA", "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1", "SHA384",
         kSha256Uri, "SHA256", true, true},
        {"RsaPssSha512", "RSA", "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1", "SHA512",
         kSha256Uri, "SHA256", true, true},
        {"EcdsaP256Sha256", "P-256", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
         "SHA256", kSha256Uri, "SHA256", false, true},
        {"EcdsaP384Sha384", "P-384", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
         "SHA384", kSha384Uri, "SHA384", false, true},
        {"EcdsaP521Sha512", "P-521", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
         "SHA512", kSha512Uri, "SHA512", false, true},
        {"EcdsaP521Sha256", "P-521", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
         "SHA256", kSha256Uri, "SHA256", false, true},
        {"EcdsaSha1", "P-256", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1", "SHA1",
         kSha1Uri, "SHA1", false, false},
    }),
    [](const auto& param) { return param.param.name; });

TEST(SignatureTest, ResponseAndAssertionAreVerifiedOneInsideTheOther) {
  const std::string text = signed_response(Signed::kBoth, test::rsa_key());
  ASSERT_TRUE(test::xmlsec_accepts(text, "_r", test::rsa_key()));
  ASSERT_TRUE(test::xmlsec_accepts(text, "_a", test::rsa_key()));
  const auto response = verify(text, "_r", test::rsa_key());
  ASSERT_TRUE(response.ok()) << response.error().detail;
  EXPECT_TRUE(response->root().element().is(kNsSamlp, "Response"));
  EXPECT_FALSE(is_signed(response->root().element()));
  const auto assertion = response->root().only_child(kNsSaml, "Assertion");
  ASSERT_TRUE(assertion.has_value());
  EXPECT_TRUE(is_signed(assertion->element()));
  const std::vector<Certificate> certificates = {test::certificate_of(test::rsa_key())};
  const auto inner = SignatureVerifier(certificates, AlgorithmSet::defaults())
                         .verify(assertion->element(), Limits());
  ASSERT_TRUE(inner.ok()) << inner.error().detail;
  EXPECT_TRUE(inner->root().element().is(kNsSaml, "Assertion"));
  EXPECT_FALSE(is_signed(inner->root().element()));
  EXPECT_EQ(inner->root().only_child(kNsSaml, "Nothing").has_value(), false);
}

TEST(SignatureTest, OctetsAreWhatWasDigestedAndParseToThemselves) {
  const std::string text = signed_response(Signed::kAssertion, test::rsa_key());
  const auto verified = verify(text, "_a", test::rsa_key());
  ASSERT_TRUE(verified.ok());
  const std::string octets(verified->octets());
  EXPECT_NE(text.find(base64_encode(test::digest_of_bytes(octets, "SHA256"))), text.npos);
  EXPECT_EQ(octets.find("Signature"), octets.npos);
  EXPECT_EQ(octets.rfind("<saml:Assertion xmlns:saml=", 0), 0u);
  const auto again = test::read_xml(octets);
  EXPECT_EQ(test::canonical(again.get(), xmlDocGetRootElement(again.get()), nullptr,
                            XML_C14N_EXCLUSIVE_1_0, ""),
            octets);
}

TEST(SignatureTest, TheDocumentIsTheSameAfterwards) {
  for (const bool with_right_key : {true, false}) {
    auto document = Document::parse(signed_response(Signed::kBoth, test::rsa_key()), Limits());
    ASSERT_TRUE(document.ok());
    const auto dump = [&] {
      xmlChar* bytes = nullptr;
      int size = 0;
      xmlDocDumpMemory(document->raw(), &bytes, &size);
      const std::string text(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
      xmlFree(bytes);
      return text;
    };
    const std::string before = dump();
    const std::vector<Certificate> certificates = {
        test::certificate_of(with_right_key ? test::rsa_key() : test::other_rsa_key())};
    const SignatureVerifier verifier(certificates, AlgorithmSet::defaults());
    const Element assertion = *document->root().only_child(kNsSaml, "Assertion");
    for (const Element& element : {document->root(), assertion, document->root(), assertion}) {
      EXPECT_EQ(verifier.verify(element, Limits()).ok(), with_right_key);
      EXPECT_EQ(dump(), before);
    }
  }
}

TEST(SignatureTest, PrefixListIsHonoured) {
  // "xs" is used in attribute values only, so only the list makes it part of what is signed.
  // "samlp" comes from an ancestor.
  for (const char* prefix : {"xs", "samlp", "saml"}) {
    SignatureTemplate how;
    how.signed_info =
        replaced(how.signed_info, "exc-c14n#\"/></ds:Transforms>",
                 "exc-c14n#\"><ec:InclusiveNamespaces "
                 "xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"" +
                     std::string(prefix) + "\"/></ds:Transform></ds:Transforms>");
    how.inclusive_prefix = prefix;
    const std::string text = signed_response(Signed::kAssertion, test::rsa_key(), how);
    const auto verified = verify(text, "_a", test::rsa_key());
    ASSERT_TRUE(verified.ok()) << verified.error().detail;
    EXPECT_NE(verified->octets().find("xmlns:" + std::string(prefix) + "="), std::string::npos);
    EXPECT_TRUE(test::xmlsec_accepts(text, "_a", test::rsa_key()));
  }
}

TEST(SignatureTest, OddNamespacesAreCanonicalizedAsXmlsecDoes) {
  const std::vector<std::pair<const char*, const char*>> edits = {
      {"<saml:Subject>",
       "<x xmlns=\"urn:x\"><y xmlns=\"\"><z xmlns=\"urn:x\"/></y></x><saml:Subject>"},
      {"<saml:Subject>", "<x xmlns:saml=\"urn:x\" saml:a=\"1\" b=\"2\"/><saml:Subject>"},
      {"<saml:Subject>",
       "<x xmlns:b=\"urn:a\" xmlns:a=\"urn:b\" a:x=\"1\" b:x=\"2\" x=\"3\"/><saml:Subject>"},
      {"<saml:Subject>",
       "<x a=\"&quot;&#9;&#10;&#13;&lt;&gt;&amp;\">&#13;&gt;\xF0\x9F\x98\x80</x><saml:Subject>"},
      {"<saml:Assertion ", "<saml:Assertion xml:lang=\"de\" xmlns=\"urn:default\" "},
      {"<saml:Subject>", "\n\t<saml:Subject>"},
  };
  for (const auto& [from, to] : edits) {
    std::string text = replaced(test::response_to_sign(), "@SIGN:_r@", "");
    text = sign(replaced(text, from, to), "_a", test::rsa_key());
    const auto verified = verify(text, "_a", test::rsa_key());
    EXPECT_TRUE(verified.ok()) << to << detail_of(verified);
    EXPECT_TRUE(test::xmlsec_accepts(text, "_a", test::rsa_key())) << to;
  }
}

// ---- values and digests that do not fit ----

TEST(SignatureTest, UnsignedIsMissing) {
  const std::string text = signed_response(Signed::kNone, test::rsa_key());
  EXPECT_EQ(reason_of(verify(text, "_a", test::rsa_key())), "signature_missing");
  EXPECT_EQ(reason_of(verify(text, "_r", test::rsa_key())), "signature_missing");
}

TEST(SignatureTest, TheOthersSignatureIsNotOnes) {
  const std::string response = signed_response(Signed::kResponse, test::rsa_key());
  EXPECT_EQ(reason_of(verify(response, "_a", test::rsa_key())), "signature_missing");
  const std::string assertion = signed_response(Signed::kAssertion, test::rsa_key());
  EXPECT_EQ(reason_of(verify(assertion, "_r", test::rsa_key())), "signature_missing");
}

TEST(SignatureTest, TwoSignaturesAreMalformed) {
  const std::string text = signed_response(Signed::kAssertion, test::rsa_key());
  const std::size_t from = text.find("<ds:Signature ");
  const std::size_t to = text.find("</ds:Signature>") + 15;
  const std::string twice = text.substr(0, to) + text.substr(from, to - from) + text.substr(to);
  EXPECT_EQ(reason_of(verify(twice, "_a", test::rsa_key())), "signature_malformed");
}

TEST(SignatureTest, WrongKeysAreRefused) {
  const std::string text = signed_response(Signed::kAssertion, test::rsa_key());
  EXPECT_EQ(reason_of(verify(text, "_a", test::other_rsa_key())), "signature_invalid");
  EXPECT_EQ(reason_of(verify(text, "_a", test::ec_key())), "signature_invalid");
  auto document = Document::parse(text, Limits());
  ASSERT_TRUE(document.ok());
  const std::vector<Certificate> none;
  EXPECT_EQ(reason_of(SignatureVerifier(none, AlgorithmSet::defaults())
                          .verify(*document->root().only_child(kNsSaml, "Assertion"), Limits())),
            "signature_invalid");
}

TEST(SignatureTest, AnyOfTheFirstEightFittingKeysVerifies) {
  const std::string text = signed_response(Signed::kAssertion, test::rsa_key());
  for (const auto& [others, ok] :
       std::vector<std::pair<int, bool>>{{0, true}, {7, true}, {8, false}}) {
    std::vector<Certificate> certificates(static_cast<std::size_t>(others),
                                          test::certificate_of(test::other_rsa_key()));
    certificates.insert(certificates.begin(), 3, test::certificate_of(test::ec_key()));
    certificates.push_back(test::certificate_of(test::rsa_key()));
    auto document = Document::parse(text, Limits());
    ASSERT_TRUE(document.ok());
    EXPECT_EQ(SignatureVerifier(certificates, AlgorithmSet::defaults())
                  .verify(*document->root().only_child(kNsSaml, "Assertion"), Limits())
                  .ok(),
              ok)
        << others;
  }
}

TEST(SignatureTest, HmacKeyedWithPublicThingsIsRefused) {
  const auto certificate = test::certificate_of(test::rsa_key());
  for (const std::string& secret :
       {test::certificate_pem(test::rsa_key()), certificate.base64(),
        base64_decode(certificate.base64()).value(), std::string(1, '\0')}) {
    SignatureTemplate how;
    how.hmac_key = secret;
    how.method = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    EXPECT_EQ(reason_of(verify(signed_response(Signed::kAssertion, test::rsa_key(), how), "_a",
                               test::rsa_key())),
              "algorithm_not_allowed");
    how.method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    EXPECT_EQ(reason_of(verify(signed_response(Signed::kAssertion, test::rsa_key(), how), "_a",
                               test::rsa_key())),
              "signature_invalid");
  }
}

TEST(SignatureTest, AlgorithmsMustBeAllowed) {
  const std::string text = signed_response(Signed::kAssertion, test::rsa_key());
  EXPECT_EQ(reason_of(verify(text, "_a", test::rsa_key(), {SignatureAlgorithm::kRsaSha512})),
            "algorithm_not_allowed");
  EXPECT_EQ(reason_of(verify(text, "_a", test::rsa_key(), {SignatureAlgorithm::kRsaSha256})),
            "accepted");
  EXPECT_EQ(reason_of(verify(text, "_a", test::rsa_key(), {})), "algorithm_not_allowed");
}

TEST(SignatureTest, TheValueIsCheckedBeforeTheDigest) {
  // Digest of other content, with a right signature value: the digest is what is named.
  SignatureTemplate how;
  how.signed_info = replaced(how.signed_info, "@DIGEST@", base64_encode(std::string(32, 'x')));
  const auto digest =
      verify(signed_response(Signed::kAssertion, test::rsa_key(), how), "_a", test::rsa_key());
  EXPECT_EQ(reason_of(digest), "signature_invalid");
  EXPECT_NE(detail_of(digest).find("digest differs"), std::string::npos);
  // Both wrong: the value is what is named, so nothing was digested.
  const auto value = verify(signed_response(Signed::kAssertion, test::rsa_key(), how), "_a",
                            test::other_rsa_key());
  EXPECT_NE(detail_of(value).find("signature value"), std::string::npos);
}

TEST(SignatureTest, TheDigestOfNothingIsRefused) {
  SignatureTemplate how;
  how.signed_info =
      replaced(how.signed_info, "@DIGEST@", base64_encode(test::digest_of_bytes("", "SHA256")));
  const std::string text = signed_response(Signed::kAssertion, test::rsa_key(), how);
  EXPECT_EQ(reason_of(verify(text, "_a", test::rsa_key())), "signature_invalid");
}

// The document gate keeps relative namespace names out; if it did not, canonicalization's failure
// must still refuse.
TEST(SignatureTest, FailedCanonicalizationIsRefused) {
  SignatureTemplate how;
  how.signed_info =
      replaced(how.signed_info, "@DIGEST@", base64_encode(test::digest_of_bytes("", "SHA256")));
  const std::string text = signed_response(Signed::kAssertion, test::rsa_key(), how);
  initialize_parser();
  const std::vector<Certificate> certificates = {test::certificate_of(test::rsa_key())};
  for (const char* name : {"Assertion", "SignedInfo"}) {
    auto document = Document::parse(text, Limits());
    ASSERT_TRUE(document.ok());
    xmlNode* node = test::find_element(document->root().node(), name);
    ASSERT_NE(node, nullptr);
    xmlNewNs(node, BAD_CAST "relative", BAD_CAST "r");
    const auto verified = SignatureVerifier(certificates, AlgorithmSet::defaults())
                              .verify(*document->root().only_child(kNsSaml, "Assertion"), Limits());
    EXPECT_EQ(reason_of(verified), "signature_invalid");
    EXPECT_NE(detail_of(verified).find("no canonical form"), std::string::npos);
  }
}

TEST(SignatureTest, ReadingTheOctetsKeepsTheLimits) {
  const std::string text = signed_response(Signed::kAssertion, test::rsa_key(), {}, 100);
  auto document = Document::parse(text, Limits());
  ASSERT_TRUE(document.ok());
  const std::vector<Certificate> certificates = {test::certificate_of(test::rsa_key())};
  Limits few;
  few.namespace_lookups = 50;
  EXPECT_EQ(reason_of(SignatureVerifier(certificates, AlgorithmSet::defaults())
                          .verify(*document->root().only_child(kNsSaml, "Assertion"), few)),
            "xml_limits");
}

// Whatever one byte becomes: what is accepted has the signed octets and xmlsec1 takes it too.
TEST(SignatureTest, FlippedBytesNeverChangeWhatIsRead) {
  std::string text = sign(
      "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" "
      "ID=\"_a\"><saml:Issuer>i</saml:Issuer>@SIGN:_a@<saml:Subject "
      "a=\"b\">ana &amp; bo</saml:Subject></saml:Assertion>",
      "_a", test::ec_key(), [] {
        SignatureTemplate how;
        how.method = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
        return how;
      }());
  const auto genuine = verify(text, "_a", test::ec_key());
  ASSERT_TRUE(genuine.ok()) << genuine.error().detail;
  int accepted = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char mask : {'\x01', '\x02', '\x10', '\x20', '\x80'}) {
      text[at] = static_cast<char>(text[at] ^ mask);
      const auto verified = verify(text, "_a", test::ec_key());
      if (verified.ok()) {
        ++accepted;
        EXPECT_EQ(verified->octets(), genuine->octets()) << text;
        EXPECT_TRUE(test::xmlsec_accepts(text, "_a", test::ec_key())) << text;
      }
      text[at] = static_cast<char>(text[at] ^ mask);
    }
  }
  // Blanks inside tags and the like; a handful, not many.
  EXPECT_LT(accepted, 20);
}

TEST(SignatureTest, CutAndPastedTextIsRefused) {
  const std::string text = signed_response(Signed::kBoth, test::rsa_key());
  const std::string evil = replaced(text, "ana@example.com", "adm@example.com");
  EXPECT_EQ(reason_of(verify(evil, "_a", test::rsa_key())), "signature_invalid");
  EXPECT_EQ(reason_of(verify(evil, "_r", test::rsa_key())), "signature_invalid");
  const std::string wrapper =
      replaced(text, "Destination=\"https://app", "Destination=\"https://apq");
  EXPECT_EQ(reason_of(verify(wrapper, "_r", test::rsa_key())), "signature_invalid");
  EXPECT_EQ(reason_of(verify(wrapper, "_a", test::rsa_key())), "accepted");
}

}  // namespace
}  // namespace sallyport::xml
