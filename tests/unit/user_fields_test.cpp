#include "policy/user_fields.h"

#include <gtest/gtest.h>

#include "policy_fixture.h"

namespace sallyport::policy {
namespace {

using Keys = std::vector<std::string>;

UserQuery query_of(std::string_view user, std::string_view email = {}) {
  UserQuery query;
  query.idp = "okta";
  query.user = user;
  query.email = email;
  query.is_sole_idp = true;
  return query;
}

std::vector<std::string> groups_of(const UserFields& fields) {
  const UserList list = list_of({fields});
  std::vector<std::string> groups;
  const auto match = list.find(query_of(fields.key));
  for (std::size_t i = 0; match && i < match->user.group_count(); ++i) groups.emplace_back(match->user.group(i));
  return groups;
}

std::vector<std::string> spaces_of(std::string_view spaces) {
  UserFields fields;
  fields.key = "u1";
  fields.spaces = spaces;
  const UserList list = list_of({fields});
  std::vector<std::string> out;
  const auto match = list.find(query_of("u1"));
  for (std::size_t i = 0; match && i < match->user.space_count(); ++i) {
    out.push_back(std::string(match->user.space(i).name) + "|" + std::string(match->user.space(i).role));
  }
  return out;
}

UserFields with_groups(std::string_view groups) {
  UserFields fields;
  fields.key = "u1";
  fields.groups = groups;
  return fields;
}

TEST(UserFieldsTest, KeysAreAskedOnceAndAddressesInLowerCase) {
  EXPECT_EQ((Keys{"00u4K2f9", "ada@example.com"}), listed_keys("00u4K2f9", "Ada@Example.com"));
  EXPECT_EQ((Keys{"ada@example.com"}), listed_keys("ada@example.com", "ada@EXAMPLE.com"));
  EXPECT_EQ((Keys{"Ada@example.com", "ada@example.com"}), listed_keys("Ada@example.com", "ada@EXAMPLE.com"));
  EXPECT_EQ((Keys{"u1"}), listed_keys("u1", ""));
  EXPECT_EQ((Keys{"u1"}), listed_keys("u1", "no address"));
  EXPECT_EQ((Keys{"A@m\xC3\xBCnchen.example", "a@xn--mnchen-3ya.example"}), listed_keys("A@m\xC3\xBCnchen.example", ""));
  EXPECT_EQ((Keys{"u1"}), listed_keys("u1", std::string(70000, 'x') + "@example.com"));
}

TEST(UserFieldsTest, NothingInAnyFieldIsNotListed) {
  UserFields nobody;
  nobody.key = "u1";
  EXPECT_EQ(0u, list_of({nobody}).size());
  EXPECT_FALSE(list_of({nobody}).find(query_of("u1")));
  for (UserFields::Field UserFields::*field : {&UserFields::idp, &UserFields::groups, &UserFields::spaces}) {
    UserFields somebody = nobody;
    somebody.*field = "";
    const UserList list = list_of({somebody});
    ASSERT_TRUE(list.find(query_of("u1")));
    EXPECT_FALSE(list.find(query_of("u1"))->user.is_disabled());
  }
}

TEST(UserFieldsTest, DisabledIsWhateverDoesNotSayNo) {
  for (const char* text : {"1", "yes", "true", "on", "disabled", "No thanks", "00", "", " "}) {
    UserFields fields;
    fields.key = "u1";
    fields.disabled = text;
    EXPECT_TRUE(list_of({fields}).find(query_of("u1"))->user.is_disabled()) << text;
  }
  for (const char* text : {"0", "no", "OFF", " false ", "False"}) {
    UserFields fields;
    fields.key = "u1";
    fields.disabled = text;
    EXPECT_FALSE(list_of({fields}).find(query_of("u1"))->user.is_disabled()) << text;
  }
}

TEST(UserFieldsTest, GroupsAreAnEncodedList) {
  EXPECT_EQ((Keys{"Engineering", "Ops, West", "100%"}), groups_of(with_groups("Engineering, Ops%2C West ,100%25,,Engineering")));
  EXPECT_EQ((Keys{"good"}), groups_of(with_groups("%FF%FE,a%0Ab,good, ,%00")));
}

TEST(UserFieldsTest, SpacesHaveRolesBehindTheLastColon) {
  EXPECT_EQ((Keys{"Trial|Space Member", "a:b|r", "Open|"}), spaces_of("Trial:Space Member,a:b:r,Open,Trial:Other,:r"));
}

TEST(UserFieldsTest, TheIdpCounts) {
  UserFields fields;
  fields.key = "u1";
  fields.idp = "entra";
  EXPECT_FALSE(list_of({fields}).find(query_of("u1")));
  fields.idp = "okta";
  EXPECT_TRUE(list_of({fields}).find(query_of("u1")));
  fields.idp = "*";
  EXPECT_TRUE(list_of({fields}).find(query_of("u1")));
}

TEST(UserFieldsTest, WhoIsDisabledUnderOneKeyIsDisabled) {
  UserFields by_id = with_groups("Engineering");
  UserFields by_email;
  by_email.key = "ada@example.com";
  by_email.disabled = "1";
  EXPECT_TRUE(list_of({by_id, by_email}).find(query_of("u1", "ada@example.com"))->user.is_disabled());
}

TEST(UserFieldsTest, OfSeveralIdpsWhoIsDisabledIsSoAtAll) {
  UserQuery query = query_of("u1", "ada@example.com");
  query.is_sole_idp = false;
  EXPECT_FALSE(list_of({with_groups("Engineering")}).find(query)) << "whose is it?";
  for (const char* key : {"u1", "ada@example.com"}) {
    UserFields disabled;
    disabled.key = key;
    disabled.disabled = "1";
    const UserList list = list_of({disabled});
    const auto match = list.find(query);
    ASSERT_TRUE(match) << key;
    EXPECT_TRUE(match->user.is_disabled());
    disabled.idp = "entra";
    EXPECT_FALSE(list_of({disabled}).find(query)) << key;
  }
}

// A user id counts byte for byte, and who is disabled is so in any spelling.
TEST(UserFieldsTest, SpellingsOfOneKey) {
  UserFields exact = with_groups("Engineering");
  exact.key = "Ada@example.com";
  UserFields lower = with_groups("Ops");
  lower.key = "ada@example.com";
  const auto group_of = [](const std::vector<UserFields>& users, std::string_view user) {
    const UserList list = list_of(users);
    const auto match = list.find(query_of(user));
    return !match ? "nobody" : match->user.is_disabled() ? "disabled" : std::string(match->user.group(0));
  };
  EXPECT_EQ("Engineering", group_of({exact}, "Ada@example.com"));
  EXPECT_EQ("nobody", group_of({lower}, "Ada@example.com"));
  EXPECT_EQ("Engineering", group_of({exact, lower}, "Ada@example.com"));
  lower.disabled = "1";
  EXPECT_EQ("disabled", group_of({lower}, "Ada@example.com"));
  exact.idp = "*";
  EXPECT_EQ("disabled", group_of({exact, lower}, "Ada@example.com"));
  exact.idp.reset();
  EXPECT_EQ("disabled", group_of({exact, lower}, "Ada@example.com")) << "with another idp";
}

TEST(UserFieldsTest, ListsDifferByWhatTheySay) {
  EXPECT_EQ(list_of({with_groups("a,b")}).digest(), list_of({with_groups(" a ,b,b")}).digest());
  EXPECT_NE(list_of({with_groups("a,b")}).digest(), list_of({with_groups("a")}).digest());
  EXPECT_NE(list_of({with_groups("a")}).digest(), list_of({}).digest());
}

TEST(UserFieldsTest, AListOfAStoreIsThatOfAFileWithTheSameLines) {
  UserFields fields = with_groups("a,b");
  fields.spaces = "Trial:Admin,QA";
  fields.idp = "okta";
  const UserList file = policy_test::list_of("user u1 idp=okta group=a group=b space=Trial:Admin space=QA;");
  EXPECT_EQ(list_of({fields}).digest(), file.digest());
  EXPECT_EQ(list_of({}).digest(), policy_test::list_of("").digest());
}

TEST(UserFieldsTest, APolicyWhoseListIsInAStoreLetsNobodyInWithoutIt) {
  auto policy = std::make_shared<Policy>();
  policy->users_in_store = true;
  IdentityRules rules;
  rules.policy = policy;
  Claims claims;
  claims.name_id.emplace();
  claims.name_id->value = "u1";
  const auto refused = resolve_identity(claims, rules);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(Reason::kStoreUnavailable, refused.error().reason);

  const UserList nobody = list_of({});
  EXPECT_TRUE(resolve_identity(claims, rules, {nullptr, &nobody}).ok());
  policy->must_be_listed = true;
  EXPECT_EQ(Reason::kNotProvisioned, resolve_identity(claims, rules, {nullptr, &nobody}).error().reason);

  const UserList listed = list_of({with_groups("Engineering")});
  const auto identity = resolve_identity(claims, rules, {nullptr, &listed});
  ASSERT_TRUE(identity.ok());
  EXPECT_EQ((Keys{"Engineering"}), identity->groups);

  UserFields disabled = with_groups("Engineering");
  disabled.disabled = "1";
  const UserList shut = list_of({disabled});
  EXPECT_EQ(Reason::kUserDisabled, resolve_identity(claims, rules, {nullptr, &shut}).error().reason);
}

}  // namespace
}  // namespace sallyport::policy
