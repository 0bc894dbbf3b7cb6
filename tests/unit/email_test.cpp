#include "policy/email.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::policy {
namespace {

using namespace std::string_literals;

struct GoodCase {
  const char* name;
  std::string text;
  std::string local;
  std::string domain;
};

class GoodEmailTest : public ::testing::TestWithParam<GoodCase> {};

TEST_P(GoodEmailTest, IsTakenApart) {
  const auto address = parse_email(GetParam().text);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->local, GetParam().local);
  EXPECT_EQ(address->domain, GetParam().domain);
}

const std::string kLongDomain = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                                std::string(63, 'c') + "." + std::string(57, 'd');

const GoodCase kGoodCases[] = {
    {"Plain", "ada@example.com", "ada", "example.com"},
    {"PlusAddressing", "ada+nginx@example.com", "ada+nginx", "example.com"},
    {"Dots", "ada.byron.king@example.com", "ada.byron.king", "example.com"},
    {"SubDomain", "ada@mail.example.com", "ada", "mail.example.com"},
    {"OneLabel", "ada@intranet", "ada", "intranet"},
    {"UpperCase", "Ada@EXAMPLE.com", "Ada", "example.com"},
    {"EverySign", "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~", "example.com"},
    {"PercentIsOfTheLocalPart", "user%evil.example@example.com", "user%evil.example", "example.com"},
    {"EscapeIsOfTheLocalPart", "user%40evil.example@example.com", "user%40evil.example",
     "example.com"},
    {"Digits", "0@example.com", "0", "example.com"},
    {"LettersBeyondAscii", "jürgen@example.com", "jürgen", "example.com"},
    {"OtherScripts", "用户@例子.example", "用户", "xn--fsqu00a.example"},
    {"ULabel", "ada@bücher.example", "ada", "xn--bcher-kva.example"},
    {"ULabelUpperCase", "ada@BÜCHER.Example", "ada", "xn--bcher-kva.example"},
    {"ALabel", "ada@xn--bcher-kva.example", "ada", "xn--bcher-kva.example"},
    {"ALabelUpperCase", "ada@XN--BCHER-KVA.example", "ada", "xn--bcher-kva.example"},
    {"Of254Bytes", "adab@" + kLongDomain, "adab", kLongDomain},
};

INSTANTIATE_TEST_SUITE_P(Email, GoodEmailTest, ::testing::ValuesIn(kGoodCases),
                         [](const auto& test) { return std::string(test.param.name); });

struct BadCase {
  const char* name;
  std::string text;
};

class BadEmailTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadEmailTest, IsRefused) { EXPECT_FALSE(parse_email(GetParam().text)); }

const BadCase kBadCases[] = {
    {"Empty", ""},
    {"NoAt", "example.com"},
    {"AtAlone", "@"},
    {"NoLocalPart", "@example.com"},
    {"NoDomain", "user@"},
    {"TwoAts", "user@example.com@evil.example"},
    {"TwoAtsTogether", "user@@example.com"},
    {"AtInFront", "@evil.example:user@example.com"},
    {"AtBehind", "user@example.com@"},
    {"Route", "<@evil.example:user@example.com>"},
    {"DisplayName", "Ada <ada@example.com>"},
    {"QuotedDisplayName", "\"ada@example.com\" <user@evil.example>"},
    {"AngleBrackets", "<ada@example.com>"},
    {"CommentBehind", "evil@evil.example (user@example.com)"},
    {"CommentBehindTheDomain", "user@evil.example(@example.com)"},
    {"CommentInFront", "(comment)user@example.com"},
    {"CommentInTheDomain", "user@(comment)example.com"},
    {"QuotedAddress", "\"user@example.com\"@evil.example"},
    {"QuotedLocalPart", "\"user\"@example.com"},
    {"QuotedBlank", "\"a b\"@example.com"},
    {"QuotedAt", "\"a@b\"@example.com"},
    {"Backslash", "a\\b@example.com"},
    {"Group", "undisclosed:user@example.com;"},
    {"Mailto", "mailto:user@example.com"},
    {"ListByComma", "user@example.com,evil@evil.example"},
    {"ListByCommaInFront", "evil,user@example.com"},
    {"ListBySemicolon", "evil;user@example.com"},
    {"ListByBlank", "evil@evil.example user@example.com"},
    {"BlankInFront", " user@example.com"},
    {"BlankBehind", "user@example.com "},
    {"BlankInside", "user @example.com"},
    {"BlankBehindTheAt", "user@ example.com"},
    {"Tab", "us\ter@example.com"},
    {"LineBreakBehind", "user@example.com\n"},
    {"LineBreakInside", "user@example.com\r\nBcc: evil@evil.example"},
    {"LineBreakInTheLocalPart", "us\ner@example.com"},
    {"NulBehind", "user@example.com\0"s},
    {"NulAndMore", "user@example.com\0@evil.example"s},
    {"NulInTheLocalPart", "evil@evil.example\0user@example.com"s},
    {"NulBeforeTheAt", "us\0er@example.com"s},
    {"Escape", "us\x1b[31mer@example.com"},
    {"Delete", "us\x7f" "er@example.com"},
    {"LeadingDot", ".user@example.com"},
    {"TrailingDot", "user.@example.com"},
    {"TwoDots", "us..er@example.com"},
    {"TrailingDotOfTheDomain", "user@example.com."},
    {"LeadingDotOfTheDomain", "user@.example.com"},
    {"EmptyLabel", "user@example..com"},
    {"PercentInTheDomain", "user@evil.example%2Eexample.com"},
    {"Underscore", "user@exam_ple.com"},
    {"AddressLiteral", "user@[127.0.0.1]"},
    {"SixLiteral", "user@[IPv6:::1]"},
    {"Address", "user@127.0.0.1"},
    {"OverlongLabel", "user@" + std::string(64, 'a') + ".example.com"},
    {"Of255Bytes", "adaby@" + kLongDomain},
    {"Huge", std::string(1 << 20, 'a') + "@example.com"},
    {"HugeOfAts", std::string(1 << 20, '@')},
    {"FullWidthAt", "user\uff20example.com"},
    {"FullWidthAtInTheLocalPart", "user\uff20evil.example@example.com"},
    {"FullWidthAtInTheDomain", "user@example.com\uff20evil.example"},
    {"SmallAt", "user\ufe6bevil.example@example.com"},
    {"FullWidthLetterInTheLocalPart", "\uff55ser@example.com"},
    {"FullWidthLetterInTheDomain", "user@\uff45xample.com"},
    {"LigatureInTheDomain", "user@\ufb01rm.example"},
    {"IdeographicFullStop", "user@example\u3002com"},
    {"OneDotLeader", "us\u2024er@example.com"},
    {"RightToLeftMark", "user@example\u200f.com"},
    {"RightToLeftMarkInTheLocalPart", "us\u200fer@example.com"},
    {"RightToLeftOverride", "\u202euser@example.com"},
    {"Isolate", "\u2066user\u2069@example.com"},
    {"ZeroWidthJoiner", "user@exam\u200dple.com"},
    {"ZeroWidthJoinerInTheLocalPart", "us\u200der@example.com"},
    {"ZeroWidthSpace", "us\u200ber@example.com"},
    {"SoftHyphen", "us\u00ader@example.com"},
    {"NoBreakSpace", "us\u00a0er@example.com"},
    {"IdeographicSpace", "us\u3000er@example.com"},
    {"LineSeparator", "us\u2028er@example.com"},
    {"NextLine", "us\u0085er@example.com"},
    {"ByteOrderMark", "\ufeffuser@example.com"},
    {"VariationSelector", "user\ufe0f@example.com"},
    {"HangulFiller", "us\u3164er@example.com"},
    {"Tag", "us\U000e0041er@example.com"},
    {"PrivateUse", "us\ue000er@example.com"},
    {"Replacement", "us\ufffd@example.com"},
    {"MalformedLocalPart", "us\xff" "er@example.com"},
    {"OverlongAt", "user\xc1\x80" "example.com"},
    {"Surrogate", "us\xed\xa0\x80@example.com"},
    {"MalformedDomain", "user@b\xfc" "cher.example"},
    {"CutUtf8", "user@example.com\xc3"},
    {"BogusALabel", "user@xn--99zzzz99.example"},
};

INSTANTIATE_TEST_SUITE_P(Email, BadEmailTest, ::testing::ValuesIn(kBadCases),
                         [](const auto& test) { return std::string(test.param.name); });

// What looks alike is another name, whatever it looks like.
TEST(Email, HomographsHaveOtherDomains) {
  const char* const homographs[] = {"user@ex\u0430mple.com", "user@example.c\u03bfm",
                                    "user@examp1e.com", "user@examp\u0142e.com"};
  for (const char* text : homographs) {
    const auto address = parse_email(text);
    ASSERT_TRUE(address) << text;
    EXPECT_NE(address->domain, "example.com") << text;
  }
}

}  // namespace
}  // namespace sallyport::policy
