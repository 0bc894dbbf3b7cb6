#include "base/flat.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace sallyport {
namespace {

Digest some_digest() {
  Digest digest{};
  digest[0] = 1;
  digest[31] = 2;
  return digest;
}

std::string flat() {
  std::string bytes;
  append_number(bytes, std::uint8_t{7});
  append_number(bytes, std::int64_t{-2});
  append_text(bytes, "text");
  append_text(bytes, "");
  append_digest(bytes, some_digest());
  return bytes;
}

bool read(FlatReader& reader) {
  return reader.number<std::uint8_t>() == 7 && reader.number<std::int64_t>() == -2 && reader.text() == "text" &&
         reader.text().empty() && reader.digest() == some_digest();
}

TEST(FlatTest, ComesBack) {
  const std::string bytes = flat();
  FlatReader reader(bytes);
  EXPECT_TRUE(read(reader));
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.complete());
}

TEST(FlatTest, NumbersAreBigEndian) {
  std::string bytes;
  append_number(bytes, std::uint32_t{0x01020304});
  EXPECT_EQ(bytes, std::string("\1\2\3\4"));
}

TEST(FlatTest, WhatIsCutIsNotComplete) {
  const std::string bytes = flat();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    FlatReader reader(cut);
    EXPECT_FALSE(read(reader) && reader.complete()) << size;
  }
}

TEST(FlatTest, WhatIsLeftIsNotComplete) {
  const std::string bytes = flat() + "x";
  FlatReader reader(bytes);
  EXPECT_TRUE(read(reader));
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.complete());
}

TEST(FlatTest, ALengthBeyondTheEndSpoilsTheWhole) {
  FlatReader reader(std::string_view("\xff\xff\xff\xff" "abc", 7));
  EXPECT_EQ(reader.text(), "");
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.number<std::uint8_t>(), 0);
}

// Texts next to each other never read as others.
TEST(FlatTest, NoTwoSequencesHaveOneEncoding) {
  const auto two = [](std::string_view a, std::string_view b) {
    std::string bytes;
    append_text(bytes, a);
    append_text(bytes, b);
    return bytes;
  };
  EXPECT_NE(two("ab", "c"), two("a", "bc"));
  EXPECT_NE(two("", "abc"), two("abc", ""));
}

}  // namespace
}  // namespace sallyport
