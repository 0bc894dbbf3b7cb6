#include "login/grants.h"

#include <gtest/gtest.h>

namespace sallyport::login {
namespace {

struct ChangeCase {
  const char* name;
  Grants before;
  Grants after;
  const char* expected;
};

class ChangesTest : public ::testing::TestWithParam<ChangeCase> {};

TEST_P(ChangesTest, AreDescribed) {
  EXPECT_EQ(describe_changes(GetParam().before, GetParam().after), GetParam().expected);
}

const ChangeCase kChanges[] = {
    {"Nothing", {"A,B", "S=r"}, {"A,B", "S=r"}, ""},
    {"Order", {"A,B", ""}, {"B,A", ""}, ""},
    {"First", {"", ""}, {"Engineering", "Trial=Admin"}, "+Engineering +Trial=Admin"},
    {"GrantedAndRevoked", {"Platform", ""}, {"Engineering", ""}, "+Engineering -Platform"},
    {"RoleChanged", {"", "Trial=Admin"}, {"", "Trial=Member"}, "+Trial=Member -Trial=Admin"},
    {"Blanks", {"", ""}, {"My Team", "Trial=Space Member"}, "\"+My Team\" \"+Trial=Space Member\""},
    {"StillEncoded", {"", ""}, {"a%2Cb", ""}, "+a%2Cb"},
    {"PartOfAName", {"AB", ""}, {"A,AB", ""}, "+A"},
};
INSTANTIATE_TEST_SUITE_P(Grants, ChangesTest, ::testing::ValuesIn(kChanges),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(GrantsTest, LongLinesAreCut) {
  std::string many;
  for (int i = 0; i < 2000; ++i) many += (i == 0 ? "group-" : ",group-") + std::to_string(i);
  const std::string text = describe_changes({}, {many, "Trial=Admin"});
  EXPECT_LE(text.size(), 604u);
  EXPECT_EQ(text.substr(text.size() - 4), " ...");
  EXPECT_EQ(text.find("Trial"), std::string::npos);
}

TEST(GrantsTest, NothingBreaksTheLine) {
  EXPECT_EQ(logged("a\r\nb\" c"), "\"a\\x0D\\x0Ab\\x22 c\"");
}

}  // namespace
}  // namespace sallyport::login
