#include "policy/substring_matcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace sallyport::policy {
namespace {

using namespace std::string_literals;

using Texts = std::vector<std::string>;
using Numbers = std::vector<std::uint32_t>;

SubstringMatcher matcher_of(const Texts& patterns) {
  return SubstringMatcher(std::vector<std::string_view>(patterns.begin(), patterns.end()));
}

// The patterns found, ascending, as a caller does it that wants each once.
Numbers found(const SubstringMatcher& matcher, std::size_t patterns, std::string_view text) {
  std::vector<bool> seen(patterns, false);
  matcher.search(text, [&](std::uint32_t pattern) {
    const bool is_new = !seen[pattern];
    seen[pattern] = true;
    return is_new;
  });
  Numbers numbers;
  for (std::uint32_t i = 0; i < patterns; ++i) {
    if (seen[i]) numbers.push_back(i);
  }
  return numbers;
}

struct SearchCase {
  const char* name;
  Texts patterns;
  std::string text;
  Numbers expected;
};

class SearchTest : public ::testing::TestWithParam<SearchCase> {};

TEST_P(SearchTest, FindsWhatTheTextContains) {
  const SearchCase& test = GetParam();
  EXPECT_EQ(found(matcher_of(test.patterns), test.patterns.size(), test.text), test.expected);
}

const SearchCase kSearchCases[] = {
    {"NoPattern", {}, "admin", {}},
    {"EmptyText", {"a"}, "", {}},
    {"EmptyPatternIsInNothing", {"", "a"}, "ba", {1}},
    {"OnlyAnEmptyPattern", {""}, "a", {}},
    {"Whole", {"admin"}, "admin", {0}},
    {"AtTheBeginning", {"admin"}, "admins", {0}},
    {"AtTheEnd", {"admin"}, "sysadmin", {0}},
    {"InTheMiddle", {"admin"}, "cn=admins,dc=example", {0}},
    {"AlmostAtTheEnd", {"admin"}, "sysadmi", {}},
    {"CaseMatters", {"admin"}, "Admin ADMIN", {}},
    {"Scattered", {"abc"}, "a b c ab bc", {}},
    {"RestartsInsideAMismatch", {"aab"}, "aaab", {0}},
    {"RestartsDeep", {"abcabd"}, "abcabcabd", {0}},
    {"Overlapping", {"abc", "bcd", "cde"}, "abcde", {0, 1, 2}},
    {"APrefixOfAnother", {"ab", "abcd"}, "abc", {0}},
    {"APrefixAndTheOther", {"ab", "abcd"}, "abcd", {0, 1}},
    {"ASuffixOfAnother", {"d", "cd", "abcd"}, "abcd", {0, 1, 2}},
    {"ASuffixOfAnUnfinishedOne", {"bc", "abcx"}, "abcy", {0}},
    {"InsideAnother", {"b", "abc"}, "abd", {0}},
    {"ASuffixAfterTheLonger", {"he", "she", "his", "hers"}, "ushers", {0, 1, 3}},
    {"RunsOfOneByte", {"a", "aa", "aaa", "aaaa"}, "aaa", {0, 1, 2}},
    {"OfEqualPatternsTheFirst", {"x", "ab", "ab", "x"}, "xab", {0, 1}},
    {"Nul", {"a\0b"s, "\0"s, "ab"}, "xa\0by"s, {0, 1}},
    {"AfterANul", {"admin"}, "\0admin"s, {0}},
    {"HighBytes", {"\xFF", "\x80\xFF"}, "a\x80\xFF", {0, 1}},
    {"FourByteCharacters", {"\xF0\x9F\x9A\xA2", "\xF0\x9F\x9A\xA3"}, "ship \xF0\x9F\x9A\xA2!", {0}},
    {"CommasAndEqualsSigns", {"OU=Ops,DC=", "=Ops"}, "CN=x,OU=Ops,DC=example", {0, 1}},
};

INSTANTIATE_TEST_SUITE_P(Substring, SearchTest, ::testing::ValuesIn(kSearchCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(SubstringMatcherTest, OneMadeOfNothingFindsNothing) {
  EXPECT_EQ(found(SubstringMatcher(), 0, "admin"), Numbers{});
}

TEST(SubstringMatcherTest, ReportsTheLongestFirstAndStopsWhereToldTo) {
  const SubstringMatcher matcher = matcher_of({"c", "bc", "abc"});
  Numbers all;
  matcher.search("abc", [&](std::uint32_t pattern) {
    all.push_back(pattern);
    return true;
  });
  EXPECT_EQ(all, (Numbers{2, 1, 0}));
  Numbers stopped;
  matcher.search("abc", [&](std::uint32_t pattern) {
    stopped.push_back(pattern);
    return pattern != 1;
  });
  EXPECT_EQ(stopped, (Numbers{2, 1}));
}

TEST(SubstringMatcherTest, EveryByteCanFollowEveryState) {
  Texts patterns;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; second += 1 + first) {
      patterns.push_back({static_cast<char>(first), static_cast<char>(second)});
    }
  }
  const SubstringMatcher matcher = matcher_of(patterns);
  for (std::uint32_t i = 0; i < patterns.size(); ++i) {
    ASSERT_EQ(found(matcher, patterns.size(), patterns[i]), Numbers{i});
  }
}

TEST(SubstringMatcherTest, AStateOfManyChildrenFallsBackToItsSuffix) {
  Texts patterns = {"yz", "xyzz"};
  for (char c = 'a'; c <= 'w'; ++c) patterns.push_back({'x', 'y', c});
  const SubstringMatcher matcher = matcher_of(patterns);
  EXPECT_EQ(found(matcher, patterns.size(), "xyz"), Numbers{0});
  EXPECT_EQ(found(matcher, patterns.size(), "xyxyyz"), Numbers{0});
  EXPECT_EQ(found(matcher, patterns.size(), "xyxya"), Numbers{2});
}

TEST(SubstringMatcherTest, ManyNestedPatternsInALongTextStayLinear) {
  Texts patterns;
  for (std::size_t size = 1; size <= 2000; ++size) patterns.push_back(std::string(size, 'a'));
  EXPECT_EQ(found(matcher_of(patterns), patterns.size(), std::string(4 << 20, 'a')).size(), patterns.size());
}

TEST(SubstringMatcherTest, LongFailuresStayLinear) {
  std::string text;
  while (text.size() < 4 << 20) text += std::string(1999, 'a') + 'c';
  EXPECT_EQ(found(matcher_of({std::string(2000, 'a') + 'b'}), 1, text), Numbers{});
}

std::string random_text(std::mt19937& random, std::size_t max, unsigned letters) {
  std::string text(random() % (max + 1), ' ');
  for (char& c : text) c = static_cast<char>('\0' + random() % letters);
  return text;
}

TEST(SubstringMatcherProperty, FindsWhatASearchForEachFinds) {
  std::mt19937 random(20260103);
  for (int i = 0; i < 5000; ++i) {
    // Few letters for long suffixes in common, more for states of many children.
    const bool is_dense = i % 50 == 0;
    const auto letters = static_cast<unsigned>(is_dense ? 24 : 2 + random() % 3);
    Texts patterns(random() % (is_dense ? 1000 : 40));
    for (std::string& pattern : patterns) pattern = random_text(random, is_dense ? 3 : 6, letters);
    const SubstringMatcher matcher = matcher_of(patterns);
    const std::string text = random_text(random, 60, letters);
    Numbers expected;
    for (std::uint32_t n = 0; n < patterns.size(); ++n) {
      const auto here = patterns.begin() + n;
      if (patterns[n].empty() || std::find(patterns.begin(), here, patterns[n]) != here) continue;
      if (text.find(patterns[n]) != std::string::npos) expected.push_back(n);
    }
    ASSERT_EQ(found(matcher, patterns.size(), text), expected) << "round " << i;
  }
}

}  // namespace
}  // namespace sallyport::policy
