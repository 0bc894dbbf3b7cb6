#include "base/digest.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/encoding.h"

namespace sallyport {
namespace {

std::string hex(const Digest& digest) { return hex_encode(as_view(digest)); }

// FIPS 180-4 examples.
TEST(Digest, Sha256) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256(std::string_view())), hex(sha256("")));
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(sha256(std::string(1000000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, EachThreadHasItsOwnContext) {
  Digest there{};
  std::thread other([&there] { there = sha256("abc"); });
  const Digest here = sha256("abc");
  other.join();
  EXPECT_EQ(here, there);
}

// RFC 4231 cases 1, 2, 3 and 6 (a key longer than a block).
TEST(Digest, Hmac) {
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\xaa'), std::string(50, '\xdd'))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Digest, HmacWithEmptyKeyDoesNotReuseTheLastKey) {
  const char* const kEmpty = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  EXPECT_EQ(hex(hmac_sha256("", "")), kEmpty);
  hmac_sha256("another key", "text");
  EXPECT_EQ(hex(hmac_sha256(std::string_view(), std::string_view())), kEmpty);
}

// RFC 5869 case 3 (empty salt and info), its first 32 bytes.
TEST(Digest, DeriveKey) {
  const std::string secret(22, '\x0b');
  EXPECT_EQ(hex(derive_key(secret, "")),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
  EXPECT_NE(derive_key(secret, "a"), derive_key(secret, "b"));
  EXPECT_NE(derive_key(secret, "a"), derive_key(secret + "x", "a"));
}

TEST(Digest, TagIsTheFirstEightBytes) {
  EXPECT_EQ(hash_tag("abc"), 0xba7816bf8f01cfeau);
  EXPECT_EQ(hash_tag(""), 0xe3b0c44298fc1c14u);
}

TEST(Digest, ConstantTimeEquality) {
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "abcd"));
  EXPECT_FALSE(equal_constant_time("abc", ""));
  EXPECT_FALSE(equal_constant_time("Abc", "abc"));
}

}  // namespace
}  // namespace sallyport
