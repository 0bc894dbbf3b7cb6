#include "xml/keys.h"

#include <gtest/gtest.h>
#include <openssl/param_build.h>

#include <string>
#include <vector>

#include "xml_test_util.h"

namespace sallyport::xml {
namespace {

using test::Key;

Key make_ec_with_explicit_parameters() {
  Key key;
  EVP_PKEY* made = nullptr;
  const CPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY_keygen_init(context.get());
  EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context.get(), NID_X9_62_prime256v1);
  EVP_PKEY_CTX_set_ec_param_enc(context.get(), OPENSSL_EC_EXPLICIT_CURVE);
  EVP_PKEY_keygen(context.get(), &made);
  key.reset(made);
  return key;
}

// A public RSA key with chosen numbers; its certificate is signed by another.
std::string certificate_with_numbers(const BIGNUM* modulus, unsigned long exponent) {
  const CPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  const CPtr<BIGNUM, BN_free> e(BN_new());
  BN_set_word(e.get(), exponent);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  const CPtr<OSSL_PARAM, OSSL_PARAM_free> numbers(OSSL_PARAM_BLD_to_param(builder.get()));
  const CPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  EVP_PKEY_fromdata_init(context.get());
  EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, numbers.get());
  const Key key(made);
  const auto certificate = test::make_certificate(test::rsa_key());
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), test::rsa_key(), EVP_sha256());
  const CPtr<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate.get());
  return test::text_of(out.get());
}

std::string certificate_with_exponent(unsigned long exponent) {
  BIGNUM* modulus = nullptr;
  EVP_PKEY_get_bn_param(test::rsa_key(), OSSL_PKEY_PARAM_RSA_N, &modulus);
  const CPtr<BIGNUM, BN_free> owner(modulus);
  return certificate_with_numbers(modulus, exponent);
}

std::string certificate_with_long_modulus() {
  const CPtr<BIGNUM, BN_free> modulus(BN_new());
  BN_set_bit(modulus.get(), 16383);
  BN_set_bit(modulus.get(), 0);
  return certificate_with_numbers(modulus.get(), 65537);
}

std::string encrypted_pem(EVP_PKEY* key) {
  const CPtr<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(out.get(), key, EVP_aes_128_cbc(),
                           reinterpret_cast<const unsigned char*>("secret"), 6, nullptr, nullptr);
  return test::text_of(out.get());
}

std::string traditional_encrypted_pem(EVP_PKEY* key) {
  const CPtr<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey_traditional(out.get(), key, EVP_aes_128_cbc(),
                                       reinterpret_cast<const unsigned char*>("secret"), 6, nullptr,
                                       nullptr);
  return test::text_of(out.get());
}

std::string traditional_pem(EVP_PKEY* key) {
  const CPtr<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey_traditional(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return test::text_of(out.get());
}

struct RefusedCase {
  const char* name;
  std::string text;
  const char* detail;
};

class CertificateRefuses : public testing::TestWithParam<RefusedCase> {};

TEST_P(CertificateRefuses, WithWordsForTheOperator) {
  const auto certificate = Certificate::from_pem(GetParam().text);
  ASSERT_FALSE(certificate.ok());
  EXPECT_EQ(certificate.error().reason, Reason::kConfigInvalid);
  EXPECT_NE(certificate.error().detail.find(GetParam().detail), std::string::npos)
      << certificate.error().detail;
  EXPECT_EQ(ERR_peek_error(), 0u) << "errors left in OpenSSL's queue";
}

INSTANTIATE_TEST_SUITE_P(
    All, CertificateRefuses,
    testing::ValuesIn(std::vector<RefusedCase>{
        {"Empty", "", "not a PEM certificate"},
        {"Text", "hello", "not a PEM certificate"},
        {"PrivateKey", test::private_pem(test::ec_key()), "a private key, not a certificate"},
        {"Broken", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
         "cannot be decoded"},
        {"CutOff", test::certificate_pem(test::ec_key()).substr(0, 300), "not a PEM certificate"},
        {"ShortRsa", test::certificate_pem(test::make_rsa(1024).get()),
         "RSA key of 1024 bits is too short (2048 at least)"},
        {"LongRsa", certificate_with_long_modulus(),
         "RSA key of 16384 bits is too long (8192 at most)"},
        {"EvenExponent", certificate_with_exponent(65536), "broken public exponent"},
        {"ExponentOne", certificate_with_exponent(1), "broken public exponent"},
        {"OtherCurve", test::certificate_pem(test::make_ec("secp256k1").get()),
         "EC key on the curve \"secp256k1\""},
        {"SmallCurve", test::certificate_pem(test::make_ec("P-224").get()), "P-256, P-384"},
        {"ExplicitCurve", test::certificate_pem(make_ec_with_explicit_parameters().get()),
         "instead of a named curve"},
        {"Ed25519",
         test::certificate_pem(Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")).get()),
         "neither an RSA nor an EC key"},
    }),
    [](const auto& param) { return param.param.name; });

TEST(CertificateTest, IsReadFromPemDerAndBase64) {
  const std::string pem = test::certificate_pem(test::rsa_key());
  const auto from_pem = Certificate::from_pem("some words before\n" + pem + "and behind\n");
  ASSERT_TRUE(from_pem.ok()) << from_pem.error().detail;
  EXPECT_TRUE(from_pem->key().is_rsa());
  EXPECT_FALSE(from_pem->key().is_ec());
  EXPECT_EQ(from_pem->key().bits(), 2048);
  EXPECT_EQ(from_pem->not_after(), Millis{2208988800} * kSecond);  // 2040-01-01T00:00:00Z

  const auto from_der = Certificate::from_pem(base64_decode(from_pem->base64()).value());
  ASSERT_TRUE(from_der.ok());
  EXPECT_EQ(from_der->base64(), from_pem->base64());

  std::string spaced = "\n\t";
  for (const char c : from_pem->base64()) spaced += std::string(1, c) + " \r\n";
  const auto from_base64 = Certificate::from_base64(spaced);
  ASSERT_TRUE(from_base64.ok()) << from_base64.error().detail;
  EXPECT_EQ(from_base64->base64(), from_pem->base64());
  EXPECT_EQ(from_base64->fingerprint(), from_pem->fingerprint());
}

TEST(CertificateTest, FingerprintIsTheDigestOfItsDer) {
  const auto certificate = test::certificate_of(test::ec_key());
  const std::string der = base64_decode(certificate.base64()).value();
  const std::string expected = hex_encode(test::digest_of_bytes(der, "SHA256"));
  std::string packed;
  for (const char c : certificate.fingerprint()) {
    if (c != ':') packed += c;
  }
  EXPECT_EQ(certificate.fingerprint().size(), 95u);
  EXPECT_EQ(ascii_lower(packed), expected);
}

TEST(CertificateTest, TakesTheFirstOfSeveral) {
  const std::string first = test::certificate_pem(test::rsa_key());
  const std::string second = test::certificate_pem(test::ec_key());
  const auto certificate =
      Certificate::from_pem(test::private_pem(test::ec_key()) + first + second);
  ASSERT_TRUE(certificate.ok()) << certificate.error().detail;
  EXPECT_TRUE(certificate->key().is_rsa());
}

TEST(CertificateTest, TakesAllOfSeveral) {
  const std::string first = test::certificate_pem(test::rsa_key());
  const std::string second = test::certificate_pem(test::ec_key());
  const auto both = Certificate::all_from_pem("old\n" + first + "new\n" + second + "end\n");
  ASSERT_TRUE(both.ok()) << both.error().detail;
  ASSERT_EQ(both->size(), 2u);
  EXPECT_TRUE((*both)[0].key().is_rsa());
  EXPECT_TRUE((*both)[1].key().is_ec());
  const auto der = Certificate::all_from_pem(base64_decode((*both)[0].base64()).value());
  ASSERT_TRUE(der.ok()) << der.error().detail;
  EXPECT_EQ(der->size(), 1u);
}

TEST(CertificateTest, OneThatIsNoGoodSpoilsItsFile) {
  const std::string good = test::certificate_pem(test::rsa_key());
  const std::string weak = test::certificate_pem(test::make_rsa(1024).get());
  EXPECT_FALSE(Certificate::all_from_pem(good + weak).ok());
  EXPECT_FALSE(Certificate::all_from_pem(good + good.substr(0, good.size() - 40)).ok());
  EXPECT_FALSE(Certificate::all_from_pem(good + "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n").ok());
  EXPECT_FALSE(Certificate::all_from_pem(test::private_pem(test::ec_key())).ok());
  EXPECT_FALSE(Certificate::all_from_pem("").ok());
}

TEST(CertificateTest, AChainOfCAsIsNotTrustedCertificateByCertificate) {
  const auto authority = test::make_certificate(test::rsa_key());
  X509_NAME* name = X509_get_subject_name(authority.get());
  X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("CA"), -1, -1, 0);
  const auto issued = test::make_certificate(test::ec_key(), authority.get());
  const std::string leaf = test::pem_of(issued.get()), root = test::pem_of(authority.get());
  for (const std::string& both : {leaf + root, root + leaf}) {
    const auto all = Certificate::all_from_pem(both);
    ASSERT_FALSE(all.ok());
    EXPECT_NE(all.error().detail.find("chain"), std::string::npos) << all.error().detail;
  }
  EXPECT_TRUE(Certificate::all_from_pem(leaf).ok());
  EXPECT_TRUE(Certificate::all_from_pem(leaf + test::certificate_pem(test::rsa_key())).ok()) << "of another name";
}

TEST(CertificateTest, RefusesBytesBehindItsEnd) {
  const std::string der = base64_decode(test::certificate_of(test::ec_key()).base64()).value();
  EXPECT_TRUE(Certificate::from_base64(base64_encode(der)).ok());
  EXPECT_FALSE(Certificate::from_base64(base64_encode(der + '\0')).ok());
  EXPECT_FALSE(Certificate::from_base64(base64_encode(der.substr(0, der.size() - 1))).ok());
  EXPECT_FALSE(Certificate::from_base64("").ok());
  EXPECT_FALSE(Certificate::from_base64("!!!!").ok());
}

TEST(CertificateTest, ShortRsaOnlyWhereWeakIsAllowed) {
  EXPECT_TRUE(Certificate::from_pem(test::certificate_pem(test::make_rsa(1024).get()), true).ok());
  EXPECT_FALSE(Certificate::from_pem(test::certificate_pem(test::make_rsa(512).get()), true).ok());
}

class PrivateKeyRefuses : public testing::TestWithParam<RefusedCase> {};

TEST_P(PrivateKeyRefuses, WithWordsForTheOperator) {
  const auto key = PrivateKey::from_pem(GetParam().text);
  ASSERT_FALSE(key.ok());
  EXPECT_EQ(key.error().reason, Reason::kConfigInvalid);
  EXPECT_NE(key.error().detail.find(GetParam().detail), std::string::npos) << key.error().detail;
  EXPECT_EQ(ERR_peek_error(), 0u) << "errors left in OpenSSL's queue";
}

INSTANTIATE_TEST_SUITE_P(
    All, PrivateKeyRefuses,
    testing::ValuesIn(std::vector<RefusedCase>{
        {"Empty", "", "not a PEM private key"},
        {"Text", "hello", "not a PEM private key"},
        {"Certificate", test::certificate_pem(test::ec_key()), "a certificate, not a private key"},
        {"Encrypted", encrypted_pem(test::ec_key()), "remove the passphrase with openssl pkey"},
        {"EncryptedTraditional", traditional_encrypted_pem(test::ec_key()),
         "remove the passphrase with openssl pkey"},
        {"ShortRsa", test::private_pem(test::make_rsa(1024).get()), "1024 bits is too short"},
        {"OtherCurve", test::private_pem(test::make_ec("secp256k1").get()), "secp256k1"},
        {"ExplicitCurve", test::private_pem(make_ec_with_explicit_parameters().get()),
         "instead of a named curve"},
        {"Ed25519", test::private_pem(Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")).get()),
         "neither an RSA nor an EC key"},
    }),
    [](const auto& param) { return param.param.name; });

TEST(PrivateKeyTest, BelongsToItsCertificate) {
  const auto rsa = test::private_key_of(test::rsa_key());
  const auto ec = test::private_key_of(test::ec_key());
  EXPECT_TRUE(rsa.is_rsa());
  EXPECT_TRUE(ec.is_ec());
  EXPECT_TRUE(rsa.matches(test::certificate_of(test::rsa_key())));
  EXPECT_FALSE(rsa.matches(test::certificate_of(test::other_rsa_key())));
  EXPECT_FALSE(rsa.matches(test::certificate_of(test::ec_key())));
  EXPECT_TRUE(ec.matches(test::certificate_of(test::ec_key())));
  EXPECT_EQ(rsa.default_algorithm(), SignatureAlgorithm::kRsaSha256);
  EXPECT_EQ(ec.default_algorithm(), SignatureAlgorithm::kEcdsaSha256);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(PrivateKeyTest, IsReadInTheTraditionalForm) {
  EXPECT_TRUE(PrivateKey::from_pem(traditional_pem(test::rsa_key())).ok());
  EXPECT_TRUE(PrivateKey::from_pem(traditional_pem(test::ec_key())).ok());
}

struct SignCase {
  const char* name;
  const char* key;
  SignatureAlgorithm algorithm;
  const char* digest;
  bool pss;
};

class SignatureValues : public testing::TestWithParam<SignCase> {
 protected:
  EVP_PKEY* key() const {
    return std::string_view(GetParam().key) == "RSA" ? test::rsa_key()
                                                     : test::ec_key(GetParam().key);
  }
  test::SignatureTemplate how() const {
    test::SignatureTemplate how;
    how.value_digest = GetParam().digest;
    how.pss = GetParam().pss;
    return how;
  }
};

TEST_P(SignatureValues, OursVerifyAndForeignOnesToo) {
  const auto certificate = test::certificate_of(key());
  const auto ours = test::private_key_of(key()).sign("message", GetParam().algorithm);
  ASSERT_TRUE(ours.ok());
  for (const std::string& value : {*ours, test::signature_value("message", how(), key())}) {
    EXPECT_TRUE(verify_value("message", value, GetParam().algorithm, certificate.key()));
    EXPECT_FALSE(verify_value("messagE", value, GetParam().algorithm, certificate.key()));
    EXPECT_FALSE(verify_value("", value, GetParam().algorithm, certificate.key()));
    EXPECT_FALSE(verify_value("message", value + '\0', GetParam().algorithm, certificate.key()));
    EXPECT_FALSE(verify_value("message", '\0' + value, GetParam().algorithm, certificate.key()));
    EXPECT_FALSE(verify_value("message", value.substr(1), GetParam().algorithm, certificate.key()));
    EXPECT_FALSE(verify_value("message", "", GetParam().algorithm, certificate.key()));
    for (std::size_t at = 0; at < value.size(); at += 7) {
      std::string flipped = value;
      flipped[at] = static_cast<char>(flipped[at] ^ 1);
      EXPECT_FALSE(verify_value("message", flipped, GetParam().algorithm, certificate.key()));
    }
    EXPECT_FALSE(verify_value("message", value, GetParam().algorithm,
                              test::certificate_of(test::other_rsa_key()).key()));
  }
  EXPECT_EQ(ERR_peek_error(), 0u) << "errors left in OpenSSL's queue";
}

INSTANTIATE_TEST_SUITE_P(
    All, SignatureValues,
    testing::ValuesIn(std::vector<SignCase>{
        {"RsaSha1", "RSA", SignatureAlgorithm::kRsaSha1, "SHA1", false},
        {"RsaSha256", "RSA", SignatureAlgorithm::kRsaSha256, "SHA256", false},
        {"RsaSha384", "RSA", SignatureAlgorithm::kRsaSha384, "SHA384", false},
        {"RsaSha512", "RSA", SignatureAlgorithm::kRsaSha512, "SHA512", false},
        {"RsaPssSha256", "RSA", SignatureAlgorithm::kRsaPssSha256, "SHA256", true},
        {"RsaPssSha384", "RSA", SignatureAlgorithm::kRsaPssSha384, "SHA384", true},
        {"RsaPssSha512", "RSA", SignatureAlgorithm::kRsaPssSha512, "SHA512", true},
        {"EcdsaSha1", "P-256", SignatureAlgorithm::kEcdsaSha1, "SHA1", false},
        {"EcdsaSha256", "P-256", SignatureAlgorithm::kEcdsaSha256, "SHA256", false},
        {"EcdsaSha512OnP256", "P-256", SignatureAlgorithm::kEcdsaSha512, "SHA512", false},
        {"EcdsaSha384", "P-384", SignatureAlgorithm::kEcdsaSha384, "SHA384", false},
        {"EcdsaSha512", "P-521", SignatureAlgorithm::kEcdsaSha512, "SHA512", false},
    }),
    [](const auto& param) { return param.param.name; });

TEST(SignatureValueTest, AlgorithmsDoNotStandInForEachOther) {
  const auto certificate = test::certificate_of(test::rsa_key());
  const auto value =
      test::private_key_of(test::rsa_key()).sign("m", SignatureAlgorithm::kRsaSha256);
  ASSERT_TRUE(value.ok());
  for (const auto other : {SignatureAlgorithm::kRsaSha1, SignatureAlgorithm::kRsaSha512,
                           SignatureAlgorithm::kRsaPssSha256, SignatureAlgorithm::kEcdsaSha256}) {
    EXPECT_FALSE(verify_value("m", *value, other, certificate.key())) << name_of(other);
  }
  EXPECT_FALSE(
      test::private_key_of(test::rsa_key()).sign("m", SignatureAlgorithm::kEcdsaSha256).ok());
  EXPECT_FALSE(test::private_key_of(test::ec_key()).sign("m", SignatureAlgorithm::kRsaSha256).ok());
}

TEST(SignatureValueTest, EcdsaTakesNothingButInRangeRawPairs) {
  const auto certificate = test::certificate_of(test::ec_key());
  const auto verify = [&](const std::string& value) {
    return verify_value("m", value, SignatureAlgorithm::kEcdsaSha256, certificate.key());
  };
  test::SignatureTemplate der;
  der.ecdsa_as_der = true;
  EXPECT_FALSE(verify(test::signature_value("m", der, test::ec_key())));
  EXPECT_FALSE(verify(std::string(64, '\0')));
  EXPECT_FALSE(verify(std::string(64, '\xFF')));
  const std::string order = base64_decode("/////wAAAAD//////////7zm+q2nF56E87nKwvxjJVE=").value();
  EXPECT_FALSE(verify(order + order));
  const std::string good = test::signature_value("m", {}, test::ec_key());
  EXPECT_TRUE(verify(good));
  EXPECT_FALSE(verify(std::string(32, '\0') + good.substr(32)));
  EXPECT_FALSE(verify(good.substr(0, 32) + std::string(32, '\0')));
  EXPECT_FALSE(verify('\0' + good.substr(0, 32) + '\0' + good.substr(32)));
}

TEST(SignatureValueTest, PssWantsASaltAsLongAsTheDigest) {
  const auto certificate = test::certificate_of(test::rsa_key());
  for (const int salt : {0, 20, 31, 33, 222}) {
    test::SignatureTemplate how;
    how.pss = true;
    how.pss_salt = salt;
    EXPECT_FALSE(verify_value("m", test::signature_value("m", how, test::rsa_key()),
                              SignatureAlgorithm::kRsaPssSha256, certificate.key()))
        << salt;
  }
}

}  // namespace
}  // namespace sallyport::xml
