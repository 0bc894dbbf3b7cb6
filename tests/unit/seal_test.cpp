#include "base/seal.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <map>
#include <set>

#include "base/c_ptr.h"
#include "base/encoding.h"
#include "fixed_random.h"

namespace sallyport {
namespace {

using testing::CountingRandom;
using testing::FixedRandom;

constexpr std::string_view kNonce = "ABCDEFGHIJKLMNOPQRSTUVWX";

Digest key_of(unsigned char byte) {
  Digest key;
  key.fill(byte);
  return key;
}

std::string seal_fixed(const Digest& key, std::string_view nonce, std::string_view plaintext,
                       std::string_view context) {
  FixedRandom random{std::string(nonce) + "\1\1"};
  return Sealer(key).seal(plaintext, context, random).value_or("");
}

// The vectors of c2sp.org/XAES-256-GCM: one for each value of the CMAC subkey's carry.
TEST(Seal, KnownAnswers) {
  const std::string nonce(kNonce);
  EXPECT_EQ(hex_encode(seal_fixed(key_of(1), nonce, "XAES-256-GCM", "")),
            hex_encode(nonce) + "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
  EXPECT_EQ(
      hex_encode(seal_fixed(key_of(3), nonce, "XAES-256-GCM", "c2sp.org/XAES-256-GCM")),
      hex_encode(nonce) + "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
}

using DigestContext = CPtr<EVP_MD_CTX, EVP_MD_CTX_free>;

std::string shake128(std::string_view bytes, std::size_t size) {
  const DigestContext context(EVP_MD_CTX_new());
  std::string out(size, '\0');
  EXPECT_EQ(EVP_DigestInit_ex(context.get(), EVP_shake128(), nullptr), 1);
  EXPECT_EQ(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()), 1);
  EXPECT_EQ(
      EVP_DigestFinalXOF(context.get(), reinterpret_cast<unsigned char*>(out.data()), size), 1);
  return out;
}

// The specification's accumulated test: keys, nonces, texts and contexts out of SHAKE-128.
TEST(Seal, TenThousandRandomizedAnswers) {
  constexpr std::size_t kRounds = 10000;
  const std::string stream = shake128("", kRounds * (32 + 24 + 2 * 256));
  std::string_view rest = stream;
  const auto take = [&rest](std::size_t size) {
    const std::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  };
  const auto take_counted = [&take] { return take(static_cast<unsigned char>(take(1)[0])); };
  std::string ciphertexts;
  for (std::size_t round = 0; round < kRounds; ++round) {
    Digest key;
    const std::string_view key_bytes = take(key.size());
    std::copy(key_bytes.begin(), key_bytes.end(), key.begin());
    const std::string_view nonce = take(Sealer::kNonceSize);
    const std::string_view plaintext = take_counted();
    const std::string_view context = take_counted();
    const std::string sealed = seal_fixed(key, nonce, plaintext, context);
    ASSERT_EQ(sealed.size(), plaintext.size() + Sealer::kOverhead);
    ciphertexts += sealed.substr(Sealer::kNonceSize);
  }
  EXPECT_EQ(hex_encode(shake128(ciphertexts, 32)),
            "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
}

TEST(Seal, OpensWhatItSealed) {
  Sealer sealer(key_of(7));
  CountingRandom random;
  for (const std::size_t size : {0u, 1u, 15u, 16u, 17u, 300u, 100000u}) {
    const std::string plaintext(size, 'p');
    const auto sealed = sealer.seal(plaintext, "context", random);
    ASSERT_TRUE(sealed) << size;
    EXPECT_EQ(sealed->size(), size + Sealer::kOverhead);
    EXPECT_EQ(sealer.open(*sealed, "context"), plaintext) << size;
    EXPECT_EQ(Sealer(key_of(7)).open(*sealed, "context"), plaintext) << size;
  }
}

TEST(Seal, SameTextSealsDifferentlyEachTime) {
  Sealer sealer(key_of(7));
  CountingRandom random;
  EXPECT_NE(sealer.seal("text", "", random), sealer.seal("text", "", random));
}

// The half of a nonce that names the key is drawn anew in time; the other half for every message.
TEST(Seal, KeysServeABoundedNumberOfMessages) {
  Sealer sealer(key_of(7));
  SystemRandom random;
  std::set<std::string> nonces;
  std::map<std::string, int> messages_of;
  for (int i = 0; i < 10000; ++i) {
    const std::string sealed = *sealer.seal("text", "context", random);
    nonces.insert(sealed.substr(12, 12));
    ++messages_of[sealed.substr(0, 12)];
    if (i % 97 == 0) {
      ASSERT_EQ(Sealer(key_of(7)).open(sealed, "context"), "text") << i;
    }
  }
  EXPECT_EQ(nonces.size(), 10000u);
  EXPECT_GE(messages_of.size(), 3u);
  for (const auto& [half, messages] : messages_of) EXPECT_LE(messages, 4096);
}

TEST(Seal, TwoSealersHaveKeysOfTheirOwn) {
  Sealer one(key_of(7)), other(key_of(7));
  SystemRandom random;
  EXPECT_NE(one.seal("text", "", random)->substr(0, 12), other.seal("text", "", random)->substr(0, 12));
}

// Where randomness fails in the middle, the message that comes next begins with a key of its own.
TEST(Seal, AFailureEndsAKey) {
  Sealer sealer(key_of(7));
  FixedRandom some{std::string(kNonce) + "\1\1"};
  ASSERT_TRUE(sealer.seal("text", "", some));
  EXPECT_EQ(sealer.seal("text", "", some), std::nullopt);
  CountingRandom random;
  const auto sealed = sealer.seal("text", "", random);
  ASSERT_TRUE(sealed);
  EXPECT_NE(sealed->substr(0, 12), kNonce.substr(0, 12));
  EXPECT_EQ(Sealer(key_of(7)).open(*sealed, ""), "text");
}

TEST(Seal, EveryFlippedBitIsRefused) {
  Sealer sealer(key_of(7));
  CountingRandom random;
  const std::string sealed = *sealer.seal("user=ann", "context", random);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    EXPECT_EQ(sealer.open(changed, "context"), std::nullopt) << bit;
  }
  EXPECT_EQ(sealer.open(sealed, "context"), "user=ann");
}

TEST(Seal, EveryOtherLengthIsRefused) {
  Sealer sealer(key_of(7));
  CountingRandom random;
  const std::string sealed = *sealer.seal("user=ann", "", random);
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(sealer.open(std::string_view(sealed).substr(0, size), ""), std::nullopt) << size;
  }
  EXPECT_EQ(sealer.open(sealed + '\0', ""), std::nullopt);
  EXPECT_EQ(sealer.open(sealed + sealed, ""), std::nullopt);
}

TEST(Seal, OtherKeyOrContextIsRefused) {
  Sealer sealer(key_of(7));
  CountingRandom random;
  const std::string sealed = *sealer.seal("text", "sp-one", random);
  EXPECT_EQ(sealer.open(sealed, "sp-two"), std::nullopt);
  EXPECT_EQ(sealer.open(sealed, ""), std::nullopt);
  EXPECT_EQ(sealer.open(sealed, "sp-one "), std::nullopt);
  EXPECT_EQ(Sealer(key_of(8)).open(sealed, "sp-one"), std::nullopt);
  const std::string bare = *sealer.seal("text", "", random);
  EXPECT_EQ(sealer.open(bare, "x"), std::nullopt);
  EXPECT_EQ(sealer.open(bare, ""), "text");
}

TEST(Seal, WithoutRandomnessNothingIsSealed) {
  Sealer sealer(key_of(7));
  FixedRandom empty{""};
  EXPECT_EQ(sealer.seal("text", "", empty), std::nullopt);
  CountingRandom random;
  EXPECT_TRUE(sealer.seal("text", "", random));
}

TEST(Seal, MovedSealerStillWorksAndTheSourceRefuses) {
  Sealer first(key_of(7));
  CountingRandom random;
  const std::string sealed = *first.seal("text", "", random);
  Sealer second(std::move(first));
  EXPECT_EQ(second.open(sealed, ""), "text");
  Sealer third(key_of(8));
  third = std::move(second);
  EXPECT_EQ(third.open(sealed, ""), "text");
  EXPECT_EQ(first.open(sealed, ""), std::nullopt);  // NOLINT: the point of the test
}

}  // namespace
}  // namespace sallyport
