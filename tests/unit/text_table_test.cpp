#include "policy/text_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::policy {
namespace {

using namespace std::string_literals;

TEST(TextTableTest, NumbersTextsInOrderAndEachOnce) {
  TextTable table;
  EXPECT_EQ(table.add("one"), std::pair(0u, true));
  EXPECT_EQ(table.add("two"), std::pair(1u, true));
  EXPECT_EQ(table.add("one"), std::pair(0u, false));
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.text(0), "one");
  EXPECT_EQ(table.text(1), "two");
}

TEST(TextTableTest, FindsWhatWasAddedOnly) {
  TextTable table;
  EXPECT_EQ(table.find(""), std::nullopt);
  EXPECT_EQ(table.find("one"), std::nullopt);
  table.add("one");
  EXPECT_EQ(table.find("one"), 0u);
  EXPECT_EQ(table.find("One"), std::nullopt);
  EXPECT_EQ(table.find("on"), std::nullopt);
  EXPECT_EQ(table.find("one "), std::nullopt);
  EXPECT_EQ(table.find(""), std::nullopt);
}

TEST(TextTableTest, TakesAnyBytes) {
  TextTable table;
  for (const std::string& text : {""s, "\0"s, "\0\0"s, "a\0b"s, "a"s, "\xF0\x9F\x9A\xA2"s, "\xFF\xFE"s}) {
    EXPECT_TRUE(table.add(text).second);
    EXPECT_EQ(table.find(text), table.size() - 1);
    EXPECT_EQ(table.text(table.size() - 1), text);
  }
}

TEST(TextTableTest, TakesAViewOfItsOwnText) {
  TextTable table;
  table.add("one");
  EXPECT_EQ(table.add(table.text(0)), std::pair(0u, false));
}

TEST(TextTableTest, ACopyStandsByItself) {
  TextTable table;
  table.add("one");
  TextTable copy = table;
  copy.add("two");
  const TextTable moved = std::move(table);
  EXPECT_EQ(moved.find("two"), std::nullopt);
  EXPECT_EQ(moved.text(0), "one");
  EXPECT_EQ(copy.text(1), "two");
}

// Whoever finds a text of the same hash has not found the text.
TEST(TextTableTest, TellsTextsOfNearlyTheSameHashApart) {
  // What a small table keeps and uses of a hash: the upper half, and the place among 16.
  std::vector<std::pair<std::uint64_t, std::string>> texts;
  for (int i = 0; i < 1000000; ++i) {
    std::string text = std::to_string(i);
    const std::uint64_t hash = std::hash<std::string_view>()(text);
    texts.emplace_back(hash >> 32 << 4 | (hash & 15), std::move(text));
  }
  std::sort(texts.begin(), texts.end());
  int pairs = 0;
  for (std::size_t i = 1; i < texts.size(); ++i) {
    if (texts[i].first != texts[i - 1].first) continue;
    ++pairs;
    TextTable table;
    table.add(texts[i - 1].second);
    EXPECT_EQ(table.find(texts[i].second), std::nullopt);
    EXPECT_EQ(table.add(texts[i].second), std::pair(1u, true));
    EXPECT_EQ(table.find(texts[i].second), 1u);
    EXPECT_EQ(table.find(texts[i - 1].second), 0u);
  }
  EXPECT_GT(pairs, 0);
}

TEST(TextTableProperty, EqualsAMap) {
  std::mt19937 random(20260102);
  TextTable table;
  std::map<std::string, std::uint32_t> model;
  for (int i = 0; i < 100000; ++i) {
    std::string text(random() % 5, ' ');
    for (char& c : text) c = static_cast<char>(random() % 10);
    const auto known = model.find(text);
    ASSERT_EQ(table.find(text), known == model.end() ? std::nullopt : std::optional(known->second));
    if (random() % 4 != 0) continue;
    const auto [entry, is_new] = model.try_emplace(text, static_cast<std::uint32_t>(model.size()));
    ASSERT_EQ(table.add(text), std::pair(entry->second, is_new));
    if (random() % 1000 == 0) table.shrink();
  }
  for (const auto& [text, number] : model) ASSERT_EQ(table.text(number), text);
}

}  // namespace
}  // namespace sallyport::policy
