#include "base/compress.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace sallyport {
namespace {

constexpr std::string_view kDictionary = "groups and spaces and roles";

std::string random_text(std::size_t size) {
  SystemRandom random;
  std::string text(size, '\0');
  EXPECT_TRUE(random.fill(text.data(), text.size()));
  return text;
}

TEST(CompressTest, WhatWasCompressedIsExpanded) {
  for (const std::string& text : {std::string(), std::string("x"), std::string(65535, 'a'), random_text(65535),
                                  std::string("groups and spaces"), std::string("\0\0a", 3)}) {
    const auto compressed = compress(text, kDictionary);
    ASSERT_TRUE(compressed);
    EXPECT_LE(compressed->size(), text.size() + 128);
    EXPECT_EQ(text, expand(*compressed, kDictionary, text.size()));
  }
}

TEST(CompressTest, TheDictionaryHelps) {
  EXPECT_LT(compress("groups and spaces", kDictionary)->size(), compress("groups and spaces", "")->size());
  EXPECT_NE("groups and spaces", expand(*compress("groups and spaces", kDictionary), "another one of that length !", 17));
}

TEST(CompressTest, TheSizeMustBeRight) {
  const std::string text(1000, 'a');
  const std::string compressed = *compress(text, kDictionary);
  for (const std::size_t size : {0u, 1u, 999u, 1001u, 5000u}) EXPECT_FALSE(expand(compressed, kDictionary, size)) << size;
}

TEST(CompressTest, NothingElseIsExpanded) {
  const std::string text = "groups of some users";
  const std::string compressed = *compress(text, kDictionary);
  EXPECT_FALSE(expand(compressed + "x", kDictionary, text.size()));
  for (std::size_t size = 0; size < compressed.size(); ++size) {
    EXPECT_FALSE(expand(std::string_view(compressed).substr(0, size), kDictionary, text.size())) << size;
  }
  EXPECT_FALSE(expand("", kDictionary, 0));
  EXPECT_FALSE(expand("\xFF\xFF\xFF", kDictionary, 3));
}

}  // namespace
}  // namespace sallyport
