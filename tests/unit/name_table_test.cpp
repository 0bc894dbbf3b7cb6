#include "policy/name_table.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace sallyport::policy {
namespace {

TEST(NameTable, NumbersNamesInTheirOrder) {
  NameTable table;
  EXPECT_EQ(table.intern("Engineering", 3), 0u);
  EXPECT_EQ(table.intern("Platform", 4), 1u);
  EXPECT_EQ(table.intern("Engineering", 5), 0u);
  EXPECT_EQ(table.intern("engineering", 6), 2u);
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table.name(0), "Engineering");
  EXPECT_EQ(table.line(0), 3u);
  EXPECT_EQ(table.name(1), "Platform");
  EXPECT_EQ(table.line(2), 6u);
}

TEST(NameTable, FindsWhatIsThereOnly) {
  NameTable table;
  EXPECT_EQ(table.find("Engineering"), std::nullopt);
  table.intern("Engineering", 1);
  EXPECT_EQ(table.find("Engineering"), 0u);
  EXPECT_EQ(table.find("Engineerin"), std::nullopt);
  EXPECT_EQ(table.find(""), std::nullopt);
}

TEST(NameTable, HoldsManyNames) {
  NameTable table(hash_key_from(sha256("key")));
  constexpr unsigned kMany = 20000;
  for (unsigned i = 0; i < kMany; ++i) EXPECT_EQ(table.intern("name" + std::to_string(i), i), i);
  table.shrink();
  for (unsigned i = 0; i < kMany; ++i) {
    const std::string name = "name" + std::to_string(i);
    EXPECT_EQ(table.find(name), i);
    EXPECT_EQ(table.name(i), name);
    EXPECT_EQ(table.line(i), i);
  }
  EXPECT_GE(table.bytes(), kMany * (9 + 12 + 8));
}

TEST(NameTable, ViewsSurviveAMove) {
  NameTable table;
  table.intern("A", 1);
  const std::string_view name = table.name(0);
  const NameTable other = std::move(table);
  EXPECT_EQ(other.name(0).data(), name.data());
}

}  // namespace
}  // namespace sallyport::policy
