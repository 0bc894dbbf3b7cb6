#include "xml/prepared_key.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "xml/keys.h"
#include "xml_test_util.h"

namespace sallyport::xml {
namespace {

using A = SignatureAlgorithm;

const std::vector<A> kRsa = {A::kRsaSha256, A::kRsaSha1, A::kRsaSha384, A::kRsaSha512, A::kRsaPssSha256, A::kRsaPssSha512};
const std::vector<A> kEc = {A::kEcdsaSha256, A::kEcdsaSha1, A::kEcdsaSha384, A::kEcdsaSha512};

// What is kept for one algorithm serves no other, in whatever order they come.
void expect_each_for_itself(EVP_PKEY* raw, const std::vector<A>& algorithms) {
  const auto key = test::private_key_of(raw);
  const auto certificate = test::certificate_of(raw);
  for (int round = 0; round < 3; ++round) {
    for (const A algorithm : algorithms) {
      const auto value = key.sign("message", algorithm);
      ASSERT_TRUE(value.ok()) << name_of(algorithm);
      for (const A other : algorithms) {
        EXPECT_EQ(verify_value("message", *value, other, certificate.key()), other == algorithm)
            << name_of(algorithm) << " as " << name_of(other) << ", round " << round;
      }
      EXPECT_FALSE(verify_value("messagE", *value, algorithm, certificate.key())) << name_of(algorithm);
    }
  }
}

TEST(PreparedKeyTest, EveryAlgorithmOfAnRsaKeyInTurn) { expect_each_for_itself(test::rsa_key(), kRsa); }
TEST(PreparedKeyTest, EveryAlgorithmOfAnEcKeyInTurn) { expect_each_for_itself(test::ec_key(), kEc); }

TEST(PreparedKeyTest, PssWantsItsSaltAfterAGoodOneToo) {
  const auto certificate = test::certificate_of(test::rsa_key());
  const auto verify = [&](int salt) {
    test::SignatureTemplate how;
    how.pss = true;
    how.pss_salt = salt;
    return verify_value("m", test::signature_value("m", how, test::rsa_key()), A::kRsaPssSha256, certificate.key());
  };
  EXPECT_TRUE(verify(32));
  EXPECT_FALSE(verify(20));
  EXPECT_FALSE(verify(0));
  EXPECT_TRUE(verify(32));
}

TEST(PreparedKeyTest, KeepsNothingOfARefusal) {
  const auto certificate = test::certificate_of(test::rsa_key());
  EXPECT_FALSE(verify_value("message", std::string(256, 'x'), A::kRsaSha512, certificate.key()));
  const auto value = test::private_key_of(test::rsa_key()).sign("message", A::kRsaSha256);
  ASSERT_TRUE(value.ok());
  EXPECT_TRUE(verify_value("message", *value, A::kRsaSha256, certificate.key()));
  EXPECT_FALSE(verify_value("message", *value, A::kRsaSha512, certificate.key()));
}

// The first one to succeed keeps its operation while others begin theirs.
TEST(PreparedKeyTest, ManyThreadsUseOneKey) {
  for (int round = 0; round < 10; ++round) {
    const auto key = test::private_key_of(test::ec_key());
    const auto certificate = test::certificate_of(test::ec_key());
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 10; ++i) {
          const std::string message = std::to_string(i);
          const auto value = key.sign(message, A::kEcdsaSha256);
          if (value.ok() && verify_value(message, *value, A::kEcdsaSha256, certificate.key()) &&
              !verify_value("other", *value, A::kEcdsaSha256, certificate.key())) {
            ++good;
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 40);
  }
}

TEST(PreparedKeyTest, CopiesShareWhatIsKeptAndLetItGo) {
  const auto certificate = test::certificate_of(test::rsa_key());
  PublicKey key = certificate.key();
  const auto value = test::private_key_of(test::rsa_key()).sign("m", A::kRsaSha256);
  ASSERT_TRUE(value.ok());
  {
    const PublicKey copy = key;
    EXPECT_TRUE(verify_value("m", *value, A::kRsaSha256, copy));
  }
  EXPECT_TRUE(verify_value("m", *value, A::kRsaSha256, key));
}

}  // namespace
}  // namespace sallyport::xml
