#include "policy/guid.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::policy {
namespace {

using namespace std::string_literals;

const std::string kLower = "3f2b0c1e-9a7d-4c55-8e10-00ffaabbccdd";
const std::string kUpper = "3F2B0C1E-9A7D-4C55-8E10-00FFAABBCCDD";

std::string folded(std::string_view text) { return std::string(GuidFolded(text).text()); }

TEST(GuidTest, IsFoldedToLowerCase) {
  EXPECT_EQ(folded(kLower), kLower);
  EXPECT_EQ(folded(kUpper), kLower);
  EXPECT_EQ(folded("3F2b0C1e-9a7D-4C55-8e10-00fFaAbBcCdD"), kLower);
}

TEST(GuidTest, OtherTextsStayAsTheyAre) {
  const std::string others[] = {
      "",
      "ADMIN",
      kUpper.substr(1),
      kUpper + "A",
      " " + kUpper.substr(1),
      "{" + kUpper + "}",
      "G" + kUpper.substr(1),
      "3F2B0C1E09A7D-4C55-8E10-00FFAABBCCDD",
      "3F2B0C1-E9A7D-4C55-8E10-00FFAABBCCDD",
      "3F2B0C1E-9A7D-4C55-8E10-00FFAABBCC\0D"s,
      "3F2B0C1E-9A7D-4C55-8E10-00FFAABBCC\xC3\xA9",
      std::string(36, '-'),
      std::string(36, 'A'),
      kUpper + "," + kUpper,
  };
  for (const std::string& other : others) {
    EXPECT_FALSE(is_guid(other)) << other;
    EXPECT_EQ(folded(other), other);
  }
  EXPECT_TRUE(is_guid(kLower));
  EXPECT_TRUE(is_guid(kUpper));
}

}  // namespace
}  // namespace sallyport::policy
