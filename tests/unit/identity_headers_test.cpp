#include "policy/identity_headers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace sallyport::policy {
namespace {

using Items = std::vector<std::string>;

struct ValueCase {
  const char* name;
  std::string plain;
  std::string encoded;
};

class ValueTest : public ::testing::TestWithParam<ValueCase> {};

TEST_P(ValueTest, EncodesAndComesBack) {
  EXPECT_EQ(encode_value(GetParam().plain), GetParam().encoded);
  EXPECT_EQ(decode_value(GetParam().encoded), GetParam().plain);
  EXPECT_TRUE(value_is(GetParam().encoded, GetParam().plain));
}

const ValueCase kValueCases[] = {
    {"Empty", "", ""},
    {"Ascii", "alice@example.com", "alice@example.com"},
    {"Punctuation", R"(!"#$&'()*+,-./:;<=>?@[\]^_`{|}~)", R"(!"#$&'()*+,-./:;<=>?@[\]^_`{|}~)"},
    {"InnerBlank", "Space Admin", "Space Admin"},
    {"OneBlank", " ", "%20"},
    {"BlanksAtTheEnds", "  a  ", "%20 a %20"},
    {"ThreeBlanks", "   ", "%20 %20"},
    {"Percent", "100%", "100%25"},
    {"PercentEscape", "%41", "%2541"},
    {"CrLf", "a\r\nX-SSO-User: root", "a%0D%0AX-SSO-User: root"},
    {"Nul", std::string("a\0b", 3), "a%00b"},
    {"Tab", "\ta", "%09a"},
    {"Delete", "\x7f", "%7F"},
    {"Umlaut", "J\xC3\xBCrgen", "J%C3%BCrgen"},
    {"RightToLeftMark", "\xE2\x80\x8F" "admin", "%E2%80%8Fadmin"},
    {"FourBytes", "\xF0\x9F\x98\x80", "%F0%9F%98%80"},
    {"LoneHighBytes", "\x80\xFF", "%80%FF"},
    {"CommaAndEqualsStay", "Doe, Jane = CEO", "Doe, Jane = CEO"},
};

INSTANTIATE_TEST_SUITE_P(IdentityHeaders, ValueTest, ::testing::ValuesIn(kValueCases),
                         [](const auto& test) { return std::string(test.param.name); });

struct ListCase {
  const char* name;
  Items items;
  std::string encoded;
};

class ListTest : public ::testing::TestWithParam<ListCase> {};

TEST_P(ListTest, EncodesAndComesBack) {
  EXPECT_EQ(encode_list(GetParam().items), GetParam().encoded);
  EXPECT_EQ(decode_list(GetParam().encoded), GetParam().items);
}

const ListCase kListCases[] = {
    {"None", {}, ""},
    {"One", {"Engineering"}, "Engineering"},
    {"Two", {"Engineering", "Platform"}, "Engineering,Platform"},
    {"LdapName", {"CN=Ops,OU=IT"}, "CN%3DOps%2COU%3DIT"},
    {"Percent", {"%2C"}, "%252C"},
    {"BlanksAtTheEnds", {" a", "b "}, "%20a,b%20"},
    {"EmptyItems", {"", "a", ""}, ",a,"},
    {"TwoEmptyItems", {"", ""}, ","},
    {"CrLf", {"a\r\nb"}, "a%0D%0Ab"},
};

INSTANTIATE_TEST_SUITE_P(IdentityHeaders, ListTest, ::testing::ValuesIn(kListCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(IdentityHeadersTest, EncodesSpacesAndRoles) {
  const std::vector<SpaceRole> spaces = {{"Trial", "Space Member"},
                                         {"a=b,c", "x=y"},
                                         {"Dev", ""},
                                         {"Ops", "Space Member"}};
  EXPECT_EQ(encode_spaces(spaces),
            "Trial=Space Member,a%3Db%2Cc=x%3Dy,Dev=,Ops=Space Member");
  EXPECT_EQ(encode_roles(spaces), "Space Member,x%3Dy");
  EXPECT_EQ(encode_spaces({}), "");
  EXPECT_EQ(encode_roles({{"Dev", ""}}), "");
}

struct DecodeCase {
  const char* name;
  const char* encoded;
  const char* plain;
};

class DecodeTest : public ::testing::TestWithParam<DecodeCase> {};

TEST_P(DecodeTest, LeavesWhatIsNoEscape) {
  EXPECT_EQ(decode_value(GetParam().encoded), GetParam().plain);
}

const DecodeCase kDecodeCases[] = {
    {"LowerCaseHex", "%c3%bc", "\xC3\xBC"}, {"LonePercent", "%", "%"},
    {"CutEscape", "a%4", "a%4"},            {"NoHex", "%zz%4g", "%zz%4g"},
    {"PercentBeforeEscape", "%%41", "%A"},
};

INSTANTIATE_TEST_SUITE_P(IdentityHeaders, DecodeTest, ::testing::ValuesIn(kDecodeCases),
                         [](const auto& test) { return std::string(test.param.name); });

std::string random_bytes(std::mt19937& random, std::size_t max) {
  static const std::string kHostile = ",=% \r\n\t\x7f\x80\xff";
  std::string text(random() % (max + 1), '\0');
  for (char& c : text) {
    c = random() % 3 == 0 ? kHostile[random() % kHostile.size()] : static_cast<char>(random());
  }
  return text;
}

bool is_safe(const std::string& encoded) {
  const auto safe = [](char c) { return c >= 0x20 && c <= 0x7e; };
  return std::all_of(encoded.begin(), encoded.end(), safe) &&
         (encoded.empty() || (encoded.front() != ' ' && encoded.back() != ' '));
}

TEST(IdentityHeadersProperty, ValuesComeBackAndAreSafe) {
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    const std::string plain = random_bytes(random, 40);
    const std::string encoded = encode_value(plain);
    ASSERT_TRUE(is_safe(encoded)) << encoded;
    ASSERT_EQ(decode_value(encoded), plain);
    ASSERT_TRUE(value_is(encoded, plain));
    ASSERT_FALSE(value_is(encoded, plain + "x"));
  }
}

TEST(IdentityHeadersProperty, ListsComeBackAndAreSafe) {
  std::mt19937 random(8);
  for (int i = 0; i < 20000; ++i) {
    Items items(random() % 6);
    for (std::string& item : items) item = random_bytes(random, 12);
    if (items == Items{""}) continue;  // written like no item at all
    const std::string encoded = encode_list(items);
    ASSERT_TRUE(is_safe(encoded)) << encoded;
    ASSERT_EQ(decode_list(encoded), items);
    for (const std::string& item : items) ASSERT_EQ(list_has(encoded, item), !item.empty());
  }
}

TEST(IdentityHeadersProperty, CutListsAreTheLongestPrefixOfItems) {
  std::mt19937 random(9);
  for (int i = 0; i < 5000; ++i) {
    Items items(random() % 6);
    for (std::string& item : items) {
      item = std::string(1 + random() % 5, 'a') + random_bytes(random, 2);
    }
    const std::string encoded = encode_list(items);
    const std::size_t max = random() % 40;
    std::string expected;
    for (std::size_t n = 0; n <= items.size(); ++n) {
      const std::string prefix = encode_list({items.begin(), items.begin() + n});
      if (prefix.size() <= max) expected = prefix;
    }
    ASSERT_EQ(cut_list(encoded, max), expected) << encoded << " at " << max;
  }
}

struct CutCase {
  const char* name;
  const char* encoded;
  std::size_t max;
  const char* expected;
};

class CutTest : public ::testing::TestWithParam<CutCase> {};

TEST_P(CutTest, EndsAtAnItem) {
  EXPECT_EQ(cut_list(GetParam().encoded, GetParam().max), GetParam().expected);
}

const CutCase kCutCases[] = {
    {"Fits", "ab,cd", 5, "ab,cd"},        {"OneLess", "ab,cd", 4, "ab"},
    {"CommaJustBehind", "ab,cd", 2, "ab"}, {"FirstDoesNotFit", "ab,cd", 1, ""},
    {"Nothing", "ab,cd", 0, ""},           {"Empty", "", 0, ""},
    {"PairStaysWhole", "a=b,c=d", 5, "a=b"},
};

INSTANTIATE_TEST_SUITE_P(IdentityHeaders, CutTest, ::testing::ValuesIn(kCutCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(JsonTest, Lists) {
  EXPECT_EQ(list_to_json(""), "");
  EXPECT_EQ(list_to_json("Engineering,Plat%2Cform"), R"(["Engineering","Plat,form"])");
  EXPECT_EQ(list_to_json("J%C3%BCrgen,%F0%9F%98%80"), R"(["J\u00fcrgen","\ud83d\ude00"])");
  EXPECT_EQ(list_to_json("%22%5C%0D%0A"), R"(["\"\\\u000d\u000a"])");
  EXPECT_EQ(list_to_json("%FF"), R"(["\ufffd"])");
}

TEST(JsonTest, Pairs) {
  EXPECT_EQ(pairs_to_json(""), "");
  EXPECT_EQ(pairs_to_json("Trial=Space Member,Dev="), R"({"Trial":"Space Member","Dev":""})");
  EXPECT_EQ(pairs_to_json("a%3Db=c%2Cd"), R"({"a=b":"c,d"})");
}

TEST(JsonTest, StaysValidWhenCut) {
  bool cut = true;
  EXPECT_EQ(list_to_json("ab,cd,ef", 16, &cut), R"(["ab","cd","ef"])");
  EXPECT_FALSE(cut);
  EXPECT_EQ(list_to_json("ab,cd,ef", 15, &cut), R"(["ab","cd"])");
  EXPECT_TRUE(cut);
  EXPECT_EQ(list_to_json("ab,cd,ef", 5, &cut), "");
  EXPECT_TRUE(cut);
  EXPECT_EQ(list_to_json("", 0, &cut), "");
  EXPECT_FALSE(cut);
  EXPECT_EQ(pairs_to_json("a=b,c=d", 10, &cut), R"({"a":"b"})");
  EXPECT_TRUE(cut);
}

TEST(JsonProperty, IsAsciiAndWithinTheLimit) {
  std::mt19937 random(10);
  for (int i = 0; i < 5000; ++i) {
    Items items(random() % 6);
    for (std::string& item : items) item = random_bytes(random, 12);
    const std::size_t max = random() % 80;
    const std::string json = list_to_json(encode_list(items), max);
    ASSERT_TRUE(is_safe(json)) << json;
    ASSERT_LE(json.size(), max);
    if (!json.empty()) {
      ASSERT_EQ(json.front(), '[');
      ASSERT_EQ(json.back(), ']');
    }
  }
}

TEST(MatchTest, Lists) {
  EXPECT_TRUE(list_has("a,b%2Cc", "b,c"));
  EXPECT_TRUE(list_has("a,b", "b"));
  EXPECT_FALSE(list_has("a,b", "a,b"));
  EXPECT_FALSE(list_has("ab", "a"));
  EXPECT_FALSE(list_has("a", "ab"));
  EXPECT_FALSE(list_has("", ""));
  EXPECT_FALSE(list_has("a,,b", ""));
  EXPECT_FALSE(list_has("Admin", "admin"));
}

TEST(MatchTest, Pairs) {
  constexpr std::string_view kPairs = "Trial=Space Member,a%3Db=c%2Cd,Dev=";
  EXPECT_TRUE(pairs_have(kPairs, "Trial", ""));
  EXPECT_TRUE(pairs_have(kPairs, "Trial", "Space Member"));
  EXPECT_TRUE(pairs_have(kPairs, "a=b", "c,d"));
  EXPECT_TRUE(pairs_have(kPairs, "Dev", ""));
  EXPECT_FALSE(pairs_have(kPairs, "Dev", "Space Member"));
  EXPECT_FALSE(pairs_have(kPairs, "a", ""));
  EXPECT_FALSE(pairs_have(kPairs, "Trial=Space Member", ""));
  EXPECT_FALSE(pairs_have(kPairs, "", ""));
  EXPECT_FALSE(pairs_have("", "Trial", ""));
  EXPECT_EQ(find_pair(kPairs, "a=b")->role, "c%2Cd");
  EXPECT_EQ(find_pair(kPairs, "Dev")->role, "");
  EXPECT_EQ(find_pair(kPairs, "Dev")->space, "Dev");
  EXPECT_FALSE(find_pair(kPairs, "Ops"));
}

}  // namespace
}  // namespace sallyport::policy
