#include "policy/identity.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "policy/builtin_attributes.h"
#include "saml/names.h"

namespace sallyport::policy {
namespace {

saml::Assertion assertion_with(std::vector<saml::Attribute> attributes) {
  saml::Assertion assertion;
  assertion.name_id = saml::NameId{"u-1", std::string(saml::kFormatPersistent), "", ""};
  assertion.attributes = std::move(attributes);
  return assertion;
}

Identity resolved(const saml::Assertion& assertion, const IdentityRules& rules = {}) {
  Result<Identity> identity = resolve_identity(Claims{assertion.name_id, assertion.attributes}, rules);
  EXPECT_TRUE(identity.ok()) << (identity.ok() ? "" : identity.error().detail);
  return identity.ok() ? *identity : Identity();
}

TEST(IdentityTest, TakesEveryFieldFromTheBuiltInNames) {
  const Identity identity = resolved(assertion_with({{"mail", "", {"a@example.com"}},
                                                     {"givenName", "", {"Alice"}},
                                                     {"sn", "", {"Doe"}},
                                                     {"displayName", "", {"Alice D."}},
                                                     {"picture", "", {"https://p.example/a.png"}},
                                                     {"zoneinfo", "", {"America/New_York"}},
                                                     {"account_role", "", {"Admin"}},
                                                     {"groups", "", {"CN=Ops,OU=IT", "Dev"}},
                                                     {"space_name", "", {"Trial, DevOps"}},
                                                     {"space_role", "", {"Member"}}}));
  EXPECT_EQ(identity.user, "u-1");
  EXPECT_EQ(identity.email, "a@example.com");
  EXPECT_EQ(identity.first_name, "Alice");
  EXPECT_EQ(identity.last_name, "Doe");
  EXPECT_EQ(identity.display_name, "Alice D.");
  EXPECT_EQ(identity.picture, "https://p.example/a.png");
  EXPECT_EQ(identity.timezone, "America/New_York");
  EXPECT_EQ(identity.account_role, "Admin");
  EXPECT_EQ(identity.groups, (std::vector<std::string>{"CN=Ops,OU=IT", "Dev"}));
  ASSERT_EQ(identity.spaces.size(), 2u);
  EXPECT_EQ(identity.spaces[1].space, "DevOps");
  EXPECT_EQ(identity.spaces[1].role, "Member");
  EXPECT_TRUE(identity.warnings.empty());
}

TEST(IdentityTest, NothingSentIsNothingButTheUser) {
  const Identity identity = resolved(assertion_with({}));
  EXPECT_EQ(identity.user, "u-1");
  EXPECT_TRUE(identity.email.empty());
  EXPECT_TRUE(identity.groups.empty());
  EXPECT_TRUE(identity.spaces.empty());
}

TEST(IdentityTest, ASingleFieldIsTheFirstValueThatIsNotBlank) {
  const Identity identity =
      resolved(assertion_with({{"mail", "", {" ", "a@example.com", "b@example.com"}},
                               {"givenName", "", {""}},
                               {"sn", "", {" Doe "}}}));
  EXPECT_EQ(identity.email, "a@example.com");
  EXPECT_EQ(identity.first_name, "");
  EXPECT_EQ(identity.last_name, " Doe ") << "values stay as sent";
}

TEST(IdentityTest, EmailFallsBackToANameIdOfThatFormat) {
  saml::Assertion assertion = assertion_with({});
  assertion.name_id = saml::NameId{"a@example.com", std::string(saml::kFormatEmail), "", ""};
  EXPECT_EQ(resolved(assertion).email, "a@example.com");
  assertion.name_id->format = std::string(saml::kFormatUnspecified);
  EXPECT_EQ(resolved(assertion).email, "");
  assertion.name_id->format = std::string(saml::kFormatEmail);
  assertion.attributes = {{"mail", "", {"other@example.com"}}};
  EXPECT_EQ(resolved(assertion).email, "other@example.com");
}

TEST(IdentityTest, GroupsStayWholeWithoutBlankAndRepeatedOnes) {
  const Identity identity =
      resolved(assertion_with({{"groups", "", {"b", "", "a", "b", "  ", "A", "c,d"}}}));
  EXPECT_EQ(identity.groups, (std::vector<std::string>{"b", "a", "A", "c,d"}));
}

TEST(IdentityTest, ALinkInsteadOfGroupsIsSaidAloud) {
  const saml::Attribute link{std::string(kGroupsLinkClaim), "", {"https://graph.example/u"}};
  const Identity without = resolved(assertion_with({link}));
  EXPECT_TRUE(without.groups.empty());
  ASSERT_EQ(without.warnings.size(), 1u);
  EXPECT_NE(without.warnings[0].find("link instead of groups"), std::string::npos);
  EXPECT_TRUE(resolved(assertion_with({link, {"groups", "", {"a"}}})).warnings.empty());
}

struct TimezoneCase {
  const char* name;
  std::string value;
  bool kept;
};

class TimezoneTest : public ::testing::TestWithParam<TimezoneCase> {};

TEST_P(TimezoneTest, IsKeptOrDroppedWithAWarning) {
  const Identity identity = resolved(assertion_with({{"timezone", "", {GetParam().value}}}));
  EXPECT_EQ(identity.timezone, GetParam().kept ? GetParam().value : "");
  EXPECT_EQ(identity.warnings.empty(), GetParam().kept);
}

const TimezoneCase kTimezoneCases[] = {
    {"Usual", "Europe/Berlin", true},
    {"Plus", "Etc/GMT+5", true},
    {"Underscore", "America/New_York", true},
    {"Utc", "UTC", true},
    {"LongestAllowed", std::string(64, 'a'), true},
    {"TooLong", std::string(65, 'a'), false},
    {"Blank", "Europe/ Berlin", false},
    {"WindowsName", "W. Europe Standard Time", false},
    {"Newline", "UTC\n", false},
    {"Dots", "../../etc/passwd", false},
    {"NotAscii", "Europe/Z\xC3\xBCrich", false},
};

INSTANTIATE_TEST_SUITE_P(Identity, TimezoneTest, ::testing::ValuesIn(kTimezoneCases),
                         [](const auto& test) { return std::string(test.param.name); });

struct RefusedCase {
  const char* name;
  std::string user_source;
  std::function<void(saml::Assertion&)> change;
  Reason reason;
};

class RefusedTest : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedTest, HasItsReason) {
  saml::Assertion assertion = assertion_with({});
  GetParam().change(assertion);
  IdentityRules rules;
  rules.user_source = GetParam().user_source;
  const Result<Identity> identity = resolve_identity(Claims{assertion.name_id, assertion.attributes}, rules);
  ASSERT_FALSE(identity.ok());
  EXPECT_EQ(identity.error().reason, GetParam().reason);
  EXPECT_FALSE(identity.error().detail.empty());
}

using A = saml::Assertion;
const RefusedCase kRefusedCases[] = {
    {"NoNameId", "", [](A& a) { a.name_id.reset(); }, Reason::kNoUser},
    {"EmptyNameId", "", [](A& a) { a.name_id->value = ""; }, Reason::kNoUser},
    {"BlankNameId", "", [](A& a) { a.name_id->value = " \n"; }, Reason::kNoUser},
    {"Transient", "",
     [](A& a) { a.name_id->format = std::string(saml::kFormatTransient); }, Reason::kNoStableUser},
    {"AttributeMissing", "uid", [](A&) {}, Reason::kNoUser},
    {"AttributeWithoutValue", "uid", [](A& a) { a.attributes = {{"uid", "", {}}}; },
     Reason::kNoUser},
    {"AttributeEmpty", "uid", [](A& a) { a.attributes = {{"uid", "", {""}}}; }, Reason::kNoUser},
    {"AttributeBlank", "uid", [](A& a) { a.attributes = {{"uid", "", {"\t"}}}; }, Reason::kNoUser},
    {"SeveralValues", "uid", [](A& a) { a.attributes = {{"uid", "", {"a", "b"}}}; },
     Reason::kNoUser},
    {"AnEmptyOneIsAValue", "uid", [](A& a) { a.attributes = {{"uid", "", {"a", ""}}}; },
     Reason::kNoUser},
    {"AliasWithSeveralValues", "email", [](A& a) { a.attributes = {{"mail", "", {"a", "b"}}}; },
     Reason::kNoUser},
};

INSTANTIATE_TEST_SUITE_P(Identity, RefusedTest, ::testing::ValuesIn(kRefusedCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(IdentityTest, TheUserMayBeAnAttributeOrAnAlias) {
  saml::Assertion assertion =
      assertion_with({{"uid", "", {"alice"}}, {"mail", "", {"a@example.com"}}});
  assertion.name_id->format = std::string(saml::kFormatTransient);
  IdentityRules rules;
  rules.user_source = "uid";
  EXPECT_EQ(resolved(assertion, rules).user, "alice");
  rules.user_source = "email";
  EXPECT_EQ(resolved(assertion, rules).user, "a@example.com");
  assertion.name_id.reset();
  EXPECT_EQ(resolved(assertion, rules).user, "a@example.com");
}

TEST(IdentityTest, TwentyThousandGroupsAreNoTrouble) {
  saml::Attribute groups{"groups", "", {}};
  for (int i = 0; i < 20000; ++i) groups.values.push_back("group " + std::to_string(i));
  EXPECT_EQ(resolved(assertion_with({groups})).groups.size(), 20000u);
}

}  // namespace
}  // namespace sallyport::policy
