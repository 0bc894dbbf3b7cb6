#include "base/encoding.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

struct TextCase {
  const char* name;
  std::string_view in;
  std::string_view out;
};

std::string all_bytes() {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  return all;
}

TEST(Encoding, Hex) {
  EXPECT_EQ(hex_encode(""), "");
  EXPECT_EQ(hex_encode("\x00\x0f\xf0\xff"sv), "000ff0ff");
}

TEST(Encoding, UrlEncodesAllButUnreserved) {
  EXPECT_EQ(url_encode(""), "");
  EXPECT_EQ(url_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(url_encode("a b+c/d=e&f%"), "a%20b%2Bc%2Fd%3De%26f%25");
  EXPECT_EQ(url_encode("\x00\x7f\x80\xff"sv), "%00%7F%80%FF");
  std::string out = "x=";
  url_append(out, "a&b");
  url_append(out, "");
  url_append(out, "c");
  EXPECT_EQ(out, "x=a%26bc");
}

TEST(Encoding, UrlTextDecodesToItself) {
  const std::string all = all_bytes();
  const std::string encoded = url_encode(all);
  EXPECT_EQ(encoded.size(), 66 + 190 * 3u);
  EXPECT_EQ(form_decode(encoded), all);
}

struct FormCase {
  const char* name;
  std::string_view in;
  std::optional<std::string_view> out;
};

constexpr FormCase kFormCases[] = {
    {"empty", "", ""},
    {"plain", "abc", "abc"},
    {"plus", "a+b", "a b"},
    {"lower_and_upper", "%2b%2B%c3%A9", "++\xc3\xa9"},
    {"nul", "%00", "\0"sv},
    {"long_plain", "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz"},
    {"escape_across_words", "abcdef%2Bhijklmn%2F", "abcdef+hijklmn/"},
    {"escape_at_word_end", "abcdefg%2Bhijklmnop+qrstuvwxyz", "abcdefg+hijklmnop qrstuvwxyz"},
    {"high_bytes_kept", "\xa5\xab\xc3\xa9\xff\x80\x81\x82", "\xa5\xab\xc3\xa9\xff\x80\x81\x82"},
    {"decoded_once", "%252B", "%2B"},
    {"lone_percent", "%", std::nullopt},
    {"cut_escape", "abc%2", std::nullopt},
    {"cut_escape_after_word", "abcdefgh%2", std::nullopt},
    {"bad_first_digit", "%g0", std::nullopt},
    {"bad_second_digit", "%0g", std::nullopt},
    {"sign_in_escape", "%+1", std::nullopt},
    {"blank_in_escape", "% 1", std::nullopt},
    {"unicode_escape", "%u0041", std::nullopt},
};

TEST(Encoding, FormDecodes) {
  for (const auto& test : kFormCases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(form_decode(test.in), test.out);
  }
}

TEST(Encoding, FormEscapeIsNotReadBeyondTheEnd) {
  constexpr std::string_view kText = "a%2bc";
  EXPECT_EQ(form_decode(kText.substr(0, 4)), "a+");
  EXPECT_EQ(form_decode(kText.substr(0, 3)), std::nullopt);
  EXPECT_EQ(form_decode(kText.substr(0, 2)), std::nullopt);
}

TEST(Encoding, FormDecodesAtEveryOffset) {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      const std::string a(before, 'a');
      const std::string b(after, 'b');
      EXPECT_EQ(form_decode(a + "%2B" + b + "+"), a + "+" + b + " ");
      EXPECT_EQ(form_decode(a + "%2" + (after == 0 ? "" : "x" + b)), std::nullopt);
    }
  }
}

constexpr TextCase kHtmlCases[] = {
    {"empty", "", ""},
    {"plain", "Grüße", "Grüße"},
    {"all", "&<>\"'", "&amp;&lt;&gt;&quot;&#39;"},
    {"ends", "<a>", "&lt;a&gt;"},
    {"script", "</script>", "&lt;/script&gt;"},
    {"escaped_before", "&amp;", "&amp;amp;"},
    {"attribute", "\" onload='x", "&quot; onload=&#39;x"},
};

TEST(Encoding, HtmlEscapes) {
  for (const auto& test : kHtmlCases) EXPECT_EQ(html_escape(test.in), test.out) << test.name;
}

constexpr TextCase kXmlCases[] = {
    {"empty", "", ""},
    {"markup", "a<b>&\"", "a&lt;b&gt;&amp;&quot;"},
    {"apostrophe", "O'Brien", "O'Brien"},
    {"breaks", "\t\r\n", "&#9;&#13;&#10;"},
    {"cdata_end", "]]>", "]]&gt;"},
};

TEST(Encoding, XmlEscapes) {
  for (const auto& test : kXmlCases) EXPECT_EQ(xml_escape(test.in), test.out) << test.name;
}

constexpr TextCase kJsonCases[] = {
    {"empty", "", R"("")"},
    {"plain", "R&D", R"("R\u0026D")"},
    {"quotes", R"(a"b\c)", R"("a\"b\\c")"},
    {"html", "<script>", R"("\u003cscript\u003e")"},
    {"controls", "\x00\t\n\x1f\x7f"sv, R"("\u0000\u0009\u000a\u001f\u007f")"},
    {"two_bytes", "é", R"("\u00e9")"},
    {"three_bytes", "€", R"("\u20ac")"},
    {"line_separator", "\xe2\x80\xa8", R"("\u2028")"},
    {"four_bytes", "😀", R"("\ud83d\ude00")"},
    {"last", "\xf4\x8f\xbf\xbf", R"("\udbff\udfff")"},
    {"lone_continuation", "a\x80z", R"("a\ufffdz")"},
    {"cut_four", "\xf0\x9f\x98", R"("\ufffd")"},
    {"cut_by_ascii", "\xe2\x82z", R"("\ufffdz")"},
    {"overlong", "\xc0\xaf", R"("\ufffd\ufffd")"},
    {"surrogate", "\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},
    {"maximal_subparts", "\xf1\x80\x80\xe1\x80\xc2", R"("\ufffd\ufffd\ufffd")"},
};

TEST(Encoding, JsonQuotes) {
  for (const auto& test : kJsonCases) EXPECT_EQ(json_quote(test.in), test.out) << test.name;
}

struct Utf8Case {
  const char* name;
  std::string_view in;
  bool good;
};

// The borders of every row of Unicode table 3-7.
constexpr Utf8Case kUtf8Cases[] = {
    {"empty", "", true},
    {"nul", "\0"sv, true},
    {"ascii_end", "\x7f", true},
    {"continuation_alone", "\x80", false},
    {"continuation_last", "\xbf", false},
    {"overlong_two", "\xc0\x80", false},
    {"overlong_two_last", "\xc1\xbf", false},
    {"two_first", "\xc2\x80", true},
    {"two_last", "\xdf\xbf", true},
    {"two_cut", "\xc2", false},
    {"two_second_low", "\xc2\x7f", false},
    {"two_second_high", "\xc2\xc0", false},
    {"overlong_three", "\xe0\x9f\xbf", false},
    {"three_first", "\xe0\xa0\x80", true},
    {"three_middle", "\xe1\x80\x80", true},
    {"before_surrogates", "\xed\x9f\xbf", true},
    {"surrogate_first", "\xed\xa0\x80", false},
    {"surrogate_last", "\xed\xbf\xbf", false},
    {"after_surrogates", "\xee\x80\x80", true},
    {"three_last", "\xef\xbf\xbf", true},
    {"three_cut", "\xe2\x82", false},
    {"three_bad_third", "\xe2\x82\x28", false},
    {"overlong_four", "\xf0\x8f\xbf\xbf", false},
    {"four_first", "\xf0\x90\x80\x80", true},
    {"four_last", "\xf4\x8f\xbf\xbf", true},
    {"above_range", "\xf4\x90\x80\x80", false},
    {"four_cut", "\xf0\x90\x80", false},
    {"four_bad_fourth", "\xf0\x90\x80\xc0", false},
    {"f5", "\xf5\x80\x80\x80", false},
    {"five_bytes", "\xf8\x88\x80\x80\x80", false},
    {"fe", "\xfe", false},
    {"ff", "\xff", false},
    {"utf16_mark", "\xff\xfe<\0"sv, false},
    {"byte_order_mark", "\xef\xbb\xbf<a/>", true},
};

TEST(Encoding, Utf8) {
  for (const auto& test : kUtf8Cases) EXPECT_EQ(is_utf8(test.in), test.good) << test.name;
}

// The sixteen-byte path must neither miss a bad byte nor split a good sequence.
TEST(Encoding, Utf8AtEveryOffset) {
  for (std::size_t before = 0; before < 40; ++before) {
    for (const auto& test : kUtf8Cases) {
      std::string text(before, 'x');
      text += test.in;
      EXPECT_EQ(is_utf8(text), test.good) << test.name << " at " << before;
      text += std::string(17, 'y');
      EXPECT_EQ(is_utf8(text), test.good) << test.name << " within, at " << before;
    }
  }
}

std::u32string code_points(std::string_view text) {
  std::u32string all;
  while (!text.empty()) all += take_code_point(text);
  return all;
}

TEST(Encoding, CodePointsAreTakenOneByOne) {
  EXPECT_EQ(code_points(""), U"");
  EXPECT_EQ(code_points("a\0é€😀\xf4\x8f\xbf\xbf"sv), U"a\0é€😀\U0010FFFF"s);
  EXPECT_EQ(code_points("\xf0\x9f\x98"), U"\uFFFD");
  EXPECT_EQ(code_points("\xc0\xafz\xed\xa0\x80"), U"\uFFFD\uFFFDz\uFFFD\uFFFD\uFFFD");
}

TEST(Encoding, EveryCodePointComesBack) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c == 0xD800) c = 0xE000;  // surrogates are none
    std::string text;
    append_utf8(text, c);
    ASSERT_TRUE(is_utf8(text)) << std::uint32_t{c};
    std::string_view rest = text;
    ASSERT_EQ(take_code_point(rest), c);
    ASSERT_TRUE(rest.empty()) << std::uint32_t{c};
  }
}

TEST(Encoding, LowerIsAsciiOnly) {
  EXPECT_EQ(ascii_lower("AZ@[`az{09É"), "az@[`az{09É");
  EXPECT_EQ(ascii_lower(""), "");
}

TEST(Encoding, TrimsXmlBlanksOnly) {
  EXPECT_EQ(trim_blanks(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(trim_blanks(""), "");
  EXPECT_EQ(trim_blanks(" \n "), "");
  EXPECT_EQ(trim_blanks("\va\xc2\xa0"), "\va\xc2\xa0");
  EXPECT_EQ(trim_blanks("\0 a"sv), "\0 a"sv);
}

TEST(Encoding, LogLinesStayOneLine) {
  EXPECT_EQ(log_escape("plain ~text"), "plain ~text");
  EXPECT_EQ(log_escape("a\r\nb"), "a\\x0D\\x0Ab");
  EXPECT_EQ(log_escape("\"'\\"), "\\x22\\x27\\x5C");
  EXPECT_EQ(log_escape("\0\x1b[31m\x7f\xc3"sv), "\\x00\\x1B[31m\\x7F\\xC3");
}

TEST(Encoding, LogTextIsCutByInput) {
  EXPECT_EQ(log_escape("abcd", 4), "abcd");
  EXPECT_EQ(log_escape("abcde", 4), "abcd...");
  EXPECT_EQ(log_escape("\n\n\n", 2), "\\x0A\\x0A...");
  EXPECT_EQ(log_escape("a", 0), "...");
  EXPECT_EQ(log_escape(std::string(300, 'a')).size(), 259u);
}

}  // namespace
}  // namespace sallyport
