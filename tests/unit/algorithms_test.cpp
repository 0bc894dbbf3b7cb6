#include "xml/algorithms.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::xml {
namespace {

struct AlgorithmCase {
  const char* name;
  SignatureAlgorithm algorithm;
  const char* uri;
  KeyKind key;
  DigestAlgorithm digest;
  bool pss;
  bool in_defaults;
};

const std::vector<AlgorithmCase> kCases = {
    {"rsa-sha1", SignatureAlgorithm::kRsaSha1, "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
     KeyKind::kRsa, DigestAlgorithm::kSha1, false, false},
    {"rsa-sha256", SignatureAlgorithm::kRsaSha256,
     "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", KeyKind::kRsa, DigestAlgorithm::kSha256,
     false, true},
    {"rsa-sha384", SignatureAlgorithm::kRsaSha384,
     "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", KeyKind::kRsa, DigestAlgorithm::kSha384,
     false, true},
    {"rsa-sha512", SignatureAlgorithm::kRsaSha512,
     "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", KeyKind::kRsa, DigestAlgorithm::kSha512,
     false, true},
    {"rsa-pss-sha256", SignatureAlgorithm::kRsaPssSha256,
     "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", KeyKind::kRsa,
     DigestAlgorithm::kSha256, true, true},
    {"rsa-pss-sha384", SignatureAlgorithm::kRsaPssSha384,
     "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1", KeyKind::kRsa,
     DigestAlgorithm::kSha384, true, true},
    {"rsa-pss-sha512", SignatureAlgorithm::kRsaPssSha512,
     "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1", KeyKind::kRsa,
     DigestAlgorithm::kSha512, true, true},
    {"ecdsa-sha1", SignatureAlgorithm::kEcdsaSha1,
     "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1", KeyKind::kEc, DigestAlgorithm::kSha1,
     false, false},
    {"ecdsa-sha256", SignatureAlgorithm::kEcdsaSha256,
     "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", KeyKind::kEc, DigestAlgorithm::kSha256,
     false, true},
    {"ecdsa-sha384", SignatureAlgorithm::kEcdsaSha384,
     "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", KeyKind::kEc, DigestAlgorithm::kSha384,
     false, true},
    {"ecdsa-sha512", SignatureAlgorithm::kEcdsaSha512,
     "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", KeyKind::kEc, DigestAlgorithm::kSha512,
     false, true},
};

class Algorithms : public testing::TestWithParam<AlgorithmCase> {};

TEST_P(Algorithms, IsKnownByNameAndUri) {
  const AlgorithmCase& expected = GetParam();
  EXPECT_EQ(signature_algorithm_by_uri(expected.uri), expected.algorithm);
  EXPECT_EQ(signature_algorithm_by_name(expected.name), expected.algorithm);
  EXPECT_EQ(signature_algorithm_by_name(expected.uri), expected.algorithm);
  EXPECT_EQ(uri_of(expected.algorithm), expected.uri);
  EXPECT_EQ(name_of(expected.algorithm), expected.name);
  EXPECT_EQ(key_kind_of(expected.algorithm), expected.key);
  EXPECT_EQ(digest_of(expected.algorithm), expected.digest);
  EXPECT_EQ(is_pss(expected.algorithm), expected.pss);
  EXPECT_EQ(AlgorithmSet::defaults().has(expected.algorithm), expected.in_defaults);
  EXPECT_FALSE(AlgorithmSet().has(expected.algorithm));
  EXPECT_TRUE(AlgorithmSet({expected.algorithm}).has(expected.algorithm));
}

INSTANTIATE_TEST_SUITE_P(All, Algorithms, testing::ValuesIn(kCases), [](const auto& param) {
  std::string name = param.param.name;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

TEST(AlgorithmsTest, UnknownOnesAreUnknown) {
  for (const char* uri : {"", "rsa-sha224", "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
                          "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
                          "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
                          "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
                          "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256 ",
                          "HTTP://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                          "http://www.w3.org/2007/05/xmldsig-more#rsa-pss"}) {
    EXPECT_EQ(signature_algorithm_by_uri(uri), std::nullopt) << uri;
    EXPECT_EQ(signature_algorithm_by_name(uri), std::nullopt) << uri;
  }
  EXPECT_EQ(signature_algorithm_by_uri("rsa-sha256"), std::nullopt);
}

TEST(AlgorithmsTest, DigestsAreKnownByUri) {
  EXPECT_EQ(digest_algorithm_by_uri("http://www.w3.org/2000/09/xmldsig#sha1"),
            DigestAlgorithm::kSha1);
  EXPECT_EQ(digest_algorithm_by_uri("http://www.w3.org/2001/04/xmlenc#sha256"),
            DigestAlgorithm::kSha256);
  EXPECT_EQ(digest_algorithm_by_uri("http://www.w3.org/2001/04/xmldsig-more#sha384"),
            DigestAlgorithm::kSha384);
  EXPECT_EQ(digest_algorithm_by_uri("http://www.w3.org/2001/04/xmlenc#sha512"),
            DigestAlgorithm::kSha512);
  EXPECT_EQ(digest_algorithm_by_uri("http://www.w3.org/2001/04/xmldsig-more#md5"), std::nullopt);
  EXPECT_EQ(digest_algorithm_by_uri("http://www.w3.org/2001/04/xmlenc#ripemd160"), std::nullopt);
  EXPECT_EQ(digest_algorithm_by_uri(""), std::nullopt);
}

TEST(AlgorithmsTest, Sha1DigestsNeedANamedSha1) {
  EXPECT_FALSE(AlgorithmSet::defaults().has_digest(DigestAlgorithm::kSha1));
  EXPECT_TRUE(AlgorithmSet({SignatureAlgorithm::kRsaSha1}).has_digest(DigestAlgorithm::kSha1));
  EXPECT_TRUE(AlgorithmSet({SignatureAlgorithm::kEcdsaSha1}).has_digest(DigestAlgorithm::kSha1));
  for (const auto digest :
       {DigestAlgorithm::kSha256, DigestAlgorithm::kSha384, DigestAlgorithm::kSha512}) {
    EXPECT_TRUE(AlgorithmSet({SignatureAlgorithm::kRsaSha256}).has_digest(digest));
  }
}

}  // namespace
}  // namespace sallyport::xml
