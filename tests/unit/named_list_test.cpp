#include "base/named_list.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

struct Item {
  std::string name;
  int value;
};
using Items = NamedList<Item, &Item::name>;

TEST(NamedList, FindsByName) {
  Items items;
  EXPECT_TRUE(items.empty());
  EXPECT_EQ(items.find(""), nullptr);
  for (int i = 0; i < 1000; ++i) items.add(std::make_unique<Item>(Item{"n" + std::to_string(i), i}));
  EXPECT_EQ(items.size(), 1000u);
  EXPECT_EQ(items.front().value, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(items.find("n" + std::to_string(i))->value, i);
  EXPECT_EQ(items.find("n1000"), nullptr);
}

TEST(NamedList, KeepsTheOrderAndTheFirstOfOneName) {
  Items items;
  items.add(std::make_unique<Item>(Item{"b", 1}));
  items.add(std::make_unique<Item>(Item{"a", 2}));
  items.add(std::make_unique<Item>(Item{"b", 3}));
  std::vector<int> seen;
  for (const auto& item : items) seen.push_back(item->value);
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(items.find("b")->value, 1);
}

TEST(NamedList, RemovesByName) {
  Items items;
  for (int i = 0; i < 5; ++i) items.add(std::make_unique<Item>(Item{"n" + std::to_string(i), i}));
  items.remove("n2");
  items.remove("n2");
  items.remove("nobody");
  EXPECT_EQ(items.size(), 4u);
  EXPECT_EQ(items.find("n2"), nullptr);
  EXPECT_EQ(items.find("n4")->value, 4);
  items.add(std::make_unique<Item>(Item{"n2", 7}));
  EXPECT_EQ(items.find("n2")->value, 7);
}

TEST(NamedList, FindsAnObjectThatWasReplacedInPlace) {
  Items items;
  const std::string name(100, 'x');
  items.add(std::make_unique<Item>(Item{name, 1}));
  *items.find(name) = Item{std::string(100, 'x'), 2};
  EXPECT_EQ(items.find(name)->value, 2);
}

}  // namespace
}  // namespace sallyport
