#include "saml/redirect_encoding.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "base/encoding.h"
#include "redirect_test_util.h"

namespace sallyport::saml {
namespace {

using testing::decode_redirect;

std::string text_of(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>('a' + i * i % 23);
  return out;
}

std::string encode(const SplicedDeflate& deflate, std::string_view middle) {
  std::string out = "kept";
  EXPECT_TRUE(deflate.append(out, {middle}));
  EXPECT_LE(out.size() - 4, deflate.encoded_size(middle.size()));
  EXPECT_EQ(out.substr(0, 4), "kept");
  return out.substr(4);
}

// All residues by three of the constant part and of the middle, and blocks of every kind.
TEST(SplicedDeflate, InflatesToTheThreePartsJoined) {
  for (std::size_t before : {0, 1, 2, 3, 4, 5, 40, 41, 42, 500, 501, 502, 70000}) {
    for (std::size_t after : {0, 1, 2, 300, 70000}) {
      const SplicedDeflate deflate(text_of(before), text_of(after));
      for (std::size_t middle : {0, 1, 2, 3, 77, 255, 256, 384}) {
        const auto inflated = decode_redirect(encode(deflate, text_of(middle)));
        ASSERT_TRUE(inflated) << before << ' ' << middle << ' ' << after;
        EXPECT_EQ(*inflated, text_of(before) + text_of(middle) + text_of(after));
      }
    }
  }
}

TEST(SplicedDeflate, JoinsThePiecesOfTheMiddle) {
  const SplicedDeflate deflate("before ", " after");
  std::string out;
  ASSERT_TRUE(deflate.append(out, {"one", "", " two"}));
  EXPECT_EQ(decode_redirect(out), "before one two after");
}

TEST(SplicedDeflate, RefusesAMiddleThatIsTooLong) {
  const SplicedDeflate deflate("before", "after");
  std::string out = "kept";
  EXPECT_FALSE(deflate.append(out, {text_of(384), "x"}));
  EXPECT_EQ(out, "kept");
}

TEST(SplicedDeflate, UsesOnlyUnreservedAndEscapedCharacters) {
  std::string middle;
  for (int byte = 0; byte < 256; ++byte) middle += static_cast<char>(byte);
  const SplicedDeflate deflate(middle, middle);
  const std::string encoded = encode(deflate, middle);
  EXPECT_EQ(encoded.find_first_of("+/="), std::string::npos);
  EXPECT_EQ(decode_redirect(encoded), middle + middle + middle);
}

TEST(QueryBase64, EncodesEveryByteAndLength) {
  struct Case {
    const char* name;
    std::string bytes;
    std::string encoded;
  };
  const Case cases[] = {
      {"empty", "", ""},
      {"one byte", "f", "Zg%3D%3D"},
      {"two bytes", "fo", "Zm8%3D"},
      {"three bytes", "foo", "Zm9v"},
      {"four bytes", "foob", "Zm9vYg%3D%3D"},
      {"plus", "\xFB\xEF\xBE", "%2B%2B%2B%2B"},
      {"slash", "\xFF\xFF\xFF", "%2F%2F%2F%2F"},
      {"both, cut", "\xFB\xFF", "%2B%2F8%3D"},
  };
  for (const Case& c : cases) {
    std::string out = "?";
    append_query_base64(out, c.bytes);
    EXPECT_EQ(out, "?" + c.encoded) << c.name;
  }
}

std::string escaped(std::string_view base64) {
  std::string out;
  for (const char c : base64) out += c == '+' ? "%2B" : c == '/' ? "%2F" : std::string(1, c);
  return out;
}

TEST(QueryBase64, EncodesEverySextetBesideEveryOther) {
  for (std::uint32_t group = 0; group < 1u << 24; group += 0x1001) {
    for (const std::uint32_t each : {group, group ^ 0x3F, group ^ 0xFC0000, group << 6 & 0xFFFFFF}) {
      const std::string bytes{static_cast<char>(each >> 16), static_cast<char>(each >> 8), static_cast<char>(each)};
      std::string out;
      append_query_base64(out, bytes);
      ASSERT_EQ(out, escaped(base64_encode(bytes))) << each;
    }
  }
}

}  // namespace
}  // namespace sallyport::saml
