#include "login/standard_headers.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sallyport::login {
namespace {

std::size_t index_of(std::string_view suffix) {
  for (std::size_t i = 0; i < kStandardHeaders.size(); ++i) {
    if (kStandardHeaders[i].suffix == suffix) return i;
  }
  ADD_FAILURE() << "no header " << suffix;
  return 0;
}

struct FitCase {
  const char* name;
  std::string user, email, spaces, groups;
  HeaderLimits limits;
  bool fits;
  const char* overflow;  // of one that fits, else a part of the detail
  std::string kept_spaces, kept_groups;
};

class FitTest : public ::testing::TestWithParam<FitCase> {};

TEST_P(FitTest, KeepsTheLimits) {
  const FitCase& test = GetParam();
  HeaderValues values{};
  values[index_of("User")] = test.user;
  values[index_of("Email")] = test.email;
  values[index_of("Spaces")] = test.spaces;
  values[index_of("Groups")] = test.groups;
  const Result<std::string> overflow = fit_headers(values, test.limits);
  ASSERT_EQ(overflow.ok(), test.fits);
  if (!test.fits) {
    EXPECT_EQ(overflow.error().reason, Reason::kIdentityTooLarge);
    EXPECT_NE(overflow.error().detail.find(test.overflow), std::string::npos)
        << overflow.error().detail;
    return;
  }
  EXPECT_EQ(*overflow, test.overflow);
  EXPECT_EQ(values[index_of("User")], test.user);
  EXPECT_EQ(values[index_of("Spaces")], test.kept_spaces);
  EXPECT_EQ(values[index_of("Groups")], test.kept_groups);
}

const FitCase kFitCases[] = {
    {"Nothing", "", "", "", "", {0, 0, false}, true, "", "", ""},
    {"JustFits", "abc", "", "a=b", "a,b", {3, 9, false}, true, "", "a=b", "a,b"},
    {"SingleTooLong", "abcd", "", "", "", {3, 99, false}, false,
     "User has 4 bytes, saml_header_limit allows 3", "", ""},
    {"SingleTooLongIsNeverCut", "abcd", "", "", "", {3, 99, true}, false, "User has 4 bytes", "",
     ""},
    {"ListTooLong", "", "", "", "a,bb", {3, 99, false}, false, "Groups has 4 bytes", "", ""},
    {"ListCut", "", "", "", "a,bb", {3, 99, true}, true, "Groups", "", "a"},
    {"BothListsCut", "", "", "a=1,b=2", "a,bb", {3, 99, true}, true, "Spaces,Groups", "a=1", "a"},
    {"ListCutToNothing", "", "", "", "abcd,e", {3, 99, true}, true, "Groups", "", ""},
    {"TotalTooLarge", "abc", "abc", "", "a,b", {3, 8, false}, false,
     "in all has 9 bytes, saml_header_limit allows 8", "", ""},
    {"TotalCutsTheLastListFirst", "abc", "", "a=1", "x,y,z", {9, 10, true}, true, "Groups", "a=1",
     "x,y"},
    {"TotalLeavesNothing", "abc", "", "a=1", "x", {9, 6, true}, true, "Groups", "a=1", ""},
    {"SinglesAloneAboveTheTotal", "abc", "abc", "", "", {3, 5, true}, false, "in all has 6 bytes",
     "", ""},
};

INSTANTIATE_TEST_SUITE_P(StandardHeaders, FitTest, ::testing::ValuesIn(kFitCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(StandardHeadersTest, NamesAndFieldsAreDistinct) {
  std::set<std::string_view> suffixes, variables;
  std::set<session::Field> fields;
  for (const StandardHeader& header : kStandardHeaders) {
    EXPECT_TRUE(suffixes.insert(header.suffix).second) << header.suffix;
    EXPECT_TRUE(variables.insert(header.variable).second) << header.variable;
    EXPECT_TRUE(fields.insert(header.field).second) << header.suffix;
    EXPECT_EQ(header.variable.substr(0, 5), "saml_");
  }
}

}  // namespace
}  // namespace sallyport::login
