#include "xml/signing.h"

#include <gtest/gtest.h>

#include <string>

#include "xml/names.h"
#include "xml/signature.h"
#include "xml_test_util.h"

namespace sallyport::xml {
namespace {

constexpr char kRequest[] =
    "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_q1\" "
    "Version=\"2.0\"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">"
    "https://app.example.com/?a=1&amp;b=2</saml:Issuer><samlp:NameIDPolicy/></samlp:AuthnRequest>";

class Signing : public testing::TestWithParam<const char*> {
 protected:
  EVP_PKEY* key() const {
    return std::string_view(GetParam()) == "RSA" ? test::rsa_key() : test::ec_key(GetParam());
  }
};

TEST_P(Signing, IsTakenByOurVerifierAndByXmlsec) {
  const auto certificate = test::certificate_of(key());
  const auto text = sign_enveloped(kRequest, test::private_key_of(key()), certificate);
  ASSERT_TRUE(text.ok()) << text.error().detail;
  EXPECT_TRUE(test::xmlsec_accepts(*text, "_q1", key()));
  const auto document = Document::parse(*text, Limits());
  ASSERT_TRUE(document.ok()) << document.error().detail;
  const std::vector<Certificate> certificates = {certificate};
  const auto verified =
      SignatureVerifier(certificates, AlgorithmSet::defaults()).verify(document->root(), Limits());
  ASSERT_TRUE(verified.ok()) << verified.error().detail;
  EXPECT_EQ(verified->root().element().only_child(kNsSaml, "Issuer")->text(),
            "https://app.example.com/?a=1&b=2");
  EXPECT_EQ(verified->algorithm(), test::private_key_of(key()).default_algorithm());
}

INSTANTIATE_TEST_SUITE_P(Keys, Signing, testing::Values("RSA", "P-256", "P-384", "P-521"),
                         [](const auto& param) {
                           std::string name = param.param;
                           return test::replaced(name + "-", "-", "").substr(0, 4);
                         });

TEST(SigningTest, SignatureStandsBehindTheIssuerAndCarriesTheCertificate) {
  const auto certificate = test::certificate_of(test::rsa_key());
  const auto text = sign_enveloped(kRequest, test::private_key_of(test::rsa_key()), certificate);
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("</saml:Issuer><ds:Signature "), text->npos) << *text;
  EXPECT_NE(text->find("<ds:X509Certificate>" + certificate.base64() + "</ds:X509Certificate>"),
            text->npos);
  EXPECT_EQ(text->rfind("<samlp:AuthnRequest ", 0), 0u);
}

TEST(SigningTest, WithoutIssuerTheSignatureIsFirst) {
  const auto key = test::private_key_of(test::rsa_key());
  const auto certificate = test::certificate_of(test::rsa_key());
  for (const char* plain :
       {"<md:E xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID=\"_m\"><md:F/></md:E>",
        "<md:E xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID=\"_m\"/>"}) {
    const auto text = sign_enveloped(plain, key, certificate);
    ASSERT_TRUE(text.ok()) << text.error().detail;
    EXPECT_NE(text->find("ID=\"_m\"><ds:Signature "), text->npos) << *text;
    EXPECT_TRUE(test::xmlsec_accepts(*text, "_m", test::rsa_key()));
  }
}

TEST(SigningTest, RefusesWhatItCannotSign) {
  const auto key = test::private_key_of(test::rsa_key());
  const auto certificate = test::certificate_of(test::rsa_key());
  for (const char* document : {"", "<a/>", "<a ID='x'>", "<!DOCTYPE a><a ID='x'/>"}) {
    const auto text = sign_enveloped(document, key, certificate);
    ASSERT_FALSE(text.ok());
    EXPECT_EQ(text.error().reason, Reason::kInternal);
  }
}

TEST(SigningTest, TheProcessKeepsItsEntityLoader) {
  const auto before = xmlGetExternalEntityLoader();
  ASSERT_TRUE(initialize_signing().ok());
  ASSERT_TRUE(initialize_signing().ok());
  EXPECT_EQ(xmlGetExternalEntityLoader(), before);
}

}  // namespace
}  // namespace sallyport::xml
