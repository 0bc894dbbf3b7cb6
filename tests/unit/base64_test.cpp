#include <gtest/gtest.h>

#include <random>

#include "base/encoding.h"

namespace sallyport {
namespace {

struct Base64Case {
  const char* name;
  std::string_view plain;
  std::string_view standard;
  std::string_view url;
};

// RFC 4648 section 10, and bytes whose two alphabets differ.
constexpr Base64Case kBase64Cases[] = {
    {"empty", "", "", ""},
    {"one", "f", "Zg==", "Zg"},
    {"two", "fo", "Zm8=", "Zm8"},
    {"three", "foo", "Zm9v", "Zm9v"},
    {"four", "foob", "Zm9vYg==", "Zm9vYg"},
    {"five", "fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"six", "foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"last_letters", "\xfb\xff\xbf\xff", "+/+//w==", "-_-__w"},
};

TEST(Base64, KnownAnswers) {
  for (const auto& test : kBase64Cases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(base64_encode(test.plain), test.standard);
    EXPECT_EQ(base64_decode(test.standard), test.plain);
    EXPECT_EQ(base64url_encode(test.plain), test.url);
    EXPECT_EQ(base64url_decode(test.url), test.plain);
  }
}

TEST(Base64, AppendsBehindWhatIsThere) {
  std::string out = "a=";
  base64_append(out, "foob");
  base64_append(out, "");
  EXPECT_EQ(out, "a=Zm9vYg==");
}

TEST(Base64, NulBytesAndEveryOtherSurvive) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  for (std::size_t size = 0; size <= all.size(); ++size) {
    const std::string_view bytes = std::string_view(all).substr(0, size);
    ASSERT_EQ(base64_decode(base64_encode(bytes)), bytes) << size;
    ASSERT_EQ(base64url_decode(base64url_encode(bytes)), bytes) << size;
  }
}

struct LinesCase {
  const char* name;
  std::string_view text;
  std::optional<std::string_view> plain;
};

constexpr LinesCase kLinesCases[] = {
    {"crlf", "Zm9v\r\nYmFy\r\n", "foobar"},
    {"lf", "Zm9v\nYmFy", "foobar"},
    {"cr", "Zm9v\rYmFy", "foobar"},
    {"indented", "\n    Zm9v\n    YmFy\n", "foobar"},
    {"tabs", "\tZm9v\t\n\tYmFy\t", "foobar"},
    {"blank_lines", "Zm9v\n\n \r\n\nYmFy", "foobar"},
    {"odd_lines", "Z\nm9\nvYm\nFy", "foobar"},
    {"break_before_padding", "Zg\r\n==", "f"},
    {"break_within_padding", "Zg=\r\n=", "f"},
    {"blanks_behind_padding", "Zg==  \r\n\t", "f"},
    {"only_blanks", " \r\n\t ", ""},
    {"blank_within_line", "Zm9v YmFy", std::nullopt},
    {"plus_lost_in_form", "Zm9vYm Fy", std::nullopt},
    {"tab_within_line", "Zm9v\tYmFy", std::nullopt},
    {"blank_before_padding", "Zg ==", std::nullopt},
    {"blank_within_padding", "Zg= =", std::nullopt},
    {"form_feed", "Zm9v\fYmFy", std::nullopt},
};

TEST(Base64, LineBreaks) {
  for (const auto& test : kLinesCases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(base64_decode(test.text), test.plain);
    if (test.text.find_first_of(" \t\r\n\f") != std::string_view::npos) {
      EXPECT_EQ(base64url_decode(test.text), std::nullopt);
    }
  }
}

struct BadCase {
  const char* name;
  std::string_view text;
};

using namespace std::string_view_literals;

constexpr BadCase kBadCases[] = {
    {"one_character", "Z"},
    {"five_characters", "Zm9vY"},
    {"no_padding_two", "Zg"},
    {"no_padding_three", "Zm8"},
    {"half_padding", "Zg="},
    {"too_much_padding", "Zm8=="},
    {"padding_only", "="},
    {"padding_only_four", "===="},
    {"padding_on_whole_groups", "Zm9v="},
    {"padding_group_on_whole_groups", "Zm9v===="},
    {"one_and_padding", "A="},
    {"three_padding", "Z==="},
    {"more_after_padding", "Zg==Zg=="},
    {"letter_after_padding", "Zm8=Z"},
    {"padding_in_front", "=Zg="},
    {"trailing_bits_of_one", "Zh=="},
    {"trailing_bits_of_two", "Zm9="},
    {"url_alphabet", "-_-_"},
    {"percent", "Zm9%"},
    {"nul", "Zm9v\0Zm9v"sv},
    {"nul_at_end", "Zm9v\0"sv},
    {"high_byte", "Zm9v\x80\x80\x80\x80"},
    {"not_ascii", "Zm9\xc3\xa9"},
    {"xml", "<samlp:Response/>"},
};

TEST(Base64, RefusesWhatIsNotExact) {
  for (const auto& test : kBadCases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(base64_decode(test.text), std::nullopt);
  }
}

constexpr BadCase kBadUrlCases[] = {
    {"one_character", "Z"},         {"five_characters", "Zm9vY"}, {"padding", "Zg=="},
    {"padding_one", "Zm8="},        {"standard_plus", "+-+-"},    {"standard_slash", "__/_"},
    {"trailing_bits_of_one", "Zh"}, {"trailing_bits_of_two", "Zm9"}, {"blank", "Zm9v "},
    {"nul", "Zm9\0"sv},
    {"foreign_in_rest", "Zm9vZ!"},
    {"high_byte", "\xff\xff\xff\xff"},
};

TEST(Base64, UrlFormHasOneSpelling) {
  for (const auto& test : kBadUrlCases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(base64url_decode(test.text), std::nullopt);
  }
}

// Every text of up to three characters and a group either is refused or is the one spelling.
TEST(Base64, AcceptedUrlTextsRoundTrip) {
  constexpr std::string_view kLetters = "AZaz09-_+/=Qgw";
  for (const char a : kLetters) {
    for (const char b : kLetters) {
      for (const char c : kLetters) {
        for (const auto& text : {std::string{a, b}, std::string{a, b, c}}) {
          const auto plain = base64url_decode(text);
          EXPECT_TRUE(!plain || base64url_encode(*plain) == text) << text;
        }
      }
    }
  }
}

TEST(Base64, LongTextsWithAndWithoutLines) {
  std::mt19937 generator(7);
  for (const std::size_t size : {47u, 48u, 49u, 1000u, 10000u}) {
    std::string plain;
    for (std::size_t i = 0; i < size; ++i) plain += static_cast<char>(generator());
    const std::string text = base64_encode(plain);
    EXPECT_EQ(base64_decode(text), plain);
    for (const std::size_t width : {1u, 63u, 64u, 76u}) {
      std::string lines;
      for (std::size_t i = 0; i < text.size(); i += width) lines += text.substr(i, width) + "\r\n";
      EXPECT_EQ(base64_decode(lines), plain) << width;
    }
  }
}

}  // namespace
}  // namespace sallyport
