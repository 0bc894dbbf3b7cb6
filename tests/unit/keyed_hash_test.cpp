#include "base/keyed_hash.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <set>
#include <string>

#include "base/c_ptr.h"

namespace sallyport {
namespace {

Digest counting_digest() {
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::uint8_t>(i);
  return digest;
}

std::string counting_bytes(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i);
  return bytes;
}

// The second opinion.
std::uint64_t hash_of_openssl(const Digest& digest, const std::string& text) {
  const CPtr<EVP_MAC, EVP_MAC_free> algorithm(EVP_MAC_fetch(nullptr, "SIPHASH", nullptr));
  const CPtr<EVP_MAC_CTX, EVP_MAC_CTX_free> context(EVP_MAC_CTX_new(algorithm.get()));
  std::size_t size = 8;
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                   OSSL_PARAM_construct_end()};
  unsigned char out[8] = {};
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  EXPECT_EQ(EVP_MAC_init(context.get(), digest.data(), 16, parameters), 1);
  EXPECT_EQ(EVP_MAC_update(context.get(), bytes, text.size()), 1);
  EXPECT_EQ(EVP_MAC_final(context.get(), out, &size, sizeof(out)), 1);
  std::uint64_t hash = 0;
  for (std::size_t i = 8; i-- > 0;) hash = hash << 8 | out[i];
  return hash;
}

// The worked example of the paper that describes SipHash, appendix A.
TEST(KeyedHash, IsTheOneOfThePaper) {
  EXPECT_EQ(keyed_hash(hash_key_from(counting_digest()), counting_bytes(15)), 0xa129ca6149be45e5u);
}

TEST(KeyedHash, IsTheOneOfOpenSsl) {
  const Digest digests[] = {counting_digest(), sha256("a"), sha256("b"), Digest{}};
  for (const Digest& digest : digests) {
    for (std::size_t size = 0; size <= 70; ++size) {
      const std::string text = counting_bytes(size);
      EXPECT_EQ(keyed_hash(hash_key_from(digest), text), hash_of_openssl(digest, text)) << size;
    }
    const std::string high(33, '\xFF');
    EXPECT_EQ(keyed_hash(hash_key_from(digest), high), hash_of_openssl(digest, high));
  }
}

TEST(KeyedHash, DependsOnTheKey) {
  std::set<std::uint64_t> hashes;
  for (int i = 0; i < 100; ++i) {
    hashes.insert(keyed_hash(hash_key_from(sha256(std::to_string(i))), "ada@example.com"));
  }
  EXPECT_EQ(hashes.size(), 100u);
}

}  // namespace
}  // namespace sallyport
