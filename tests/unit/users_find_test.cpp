// Who is meant by a login: the rules of UserList::find, and what one organisation's IdP tries on another's
// users.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "policy/users.h"

namespace sallyport::policy {
namespace {

// "by user 3", "by email 3 disabled", or "nobody".
std::string found_in(std::string_view text, const UserQuery& query) {
  unsigned line = 0;
  const auto list = UserList::parse(text, line);
  if (!list.ok()) return list.error().detail;
  const auto match = list->find(query);
  if (!match) return "nobody";
  return std::string(match->by_email ? "by email " : "by user ") + std::to_string(match->user.line()) +
         (match->user.is_disabled() ? " disabled" : "");
}

constexpr bool kCovered = true;
constexpr bool kNotCovered = false;

// Logins of a list that several IdPs use: idp, user, is it covered, email, is it covered.
UserQuery login(std::string_view idp, std::string_view user, bool user_is_covered, std::string_view email,
                bool email_is_covered) {
  return {idp, user, email, user_is_covered, email_is_covered, false};
}

UserQuery sole(UserQuery query) {
  query.is_sole_idp = true;
  return query;
}

struct FindCase {
  const char* name;
  const char* text;
  UserQuery query;
  const char* expected;
};

class UserListFindTest : public ::testing::TestWithParam<FindCase> {};

TEST_P(UserListFindTest, FollowsTheRules) {
  EXPECT_EQ(found_in(GetParam().text, GetParam().query), GetParam().expected);
}

constexpr char kAda[] = "ada@example.com";
constexpr char kMail[] = "Ada.Lovelace@Example.com";

const FindCase kFindCases[] = {
    // Which lines count for a user id.
    {"Idp_Named", "user ada idp=a;", login("a", "ada", kNotCovered, "", kNotCovered), "by user 1"},
    {"Idp_Another", "user ada idp=a;", login("b", "ada", kNotCovered, "", kNotCovered), "nobody"},
    {"Idp_AnotherThoughCovered", "user ada@example.com idp=a;", login("b", kAda, kCovered, kAda, kCovered),
     "nobody"},
    {"Idp_AnotherThoughSole", "user ada idp=a;",
     sole(login("b", "ada", kNotCovered, "", kNotCovered)), "nobody"},
    {"Idp_NameInOtherCase", "user ada idp=a;", login("A", "ada", kNotCovered, "", kNotCovered), "nobody"},
    {"Idp_Any", "user ada idp=*;", login("b", "ada", kNotCovered, "", kNotCovered), "by user 1"},
    {"Idp_AStarIsNoName", "user ada idp=a;", login("*", "ada", kNotCovered, "", kNotCovered), "nobody"},
    {"Idp_AnEmptyNameIsNone", "user ada idp=a;", login("", "ada", kCovered, "", kNotCovered), "nobody"},
    {"NoIdp_Sole", "user ada;", sole(login("a", "ada", kNotCovered, "", kNotCovered)), "by user 1"},
    {"NoIdp_Several", "user ada;", login("a", "ada", kNotCovered, "", kNotCovered), "nobody"},
    {"NoIdp_SeveralThoughSaidToBeCovered", "user ada;", login("a", "ada", kCovered, "", kCovered), "nobody"},
    {"NoIdp_AddressCovered", "user ada@example.com;",
     login("a", kAda, kCovered, "", kNotCovered), "by user 1"},
    {"NoIdp_AddressNotCovered", "user ada@example.com;",
     login("a", kAda, kNotCovered, "", kNotCovered), "nobody"},
    {"NoIdp_AddressOfTheSole", "user ada@example.com;", sole(login("a", kAda, kNotCovered, "", kNotCovered)),
     "by user 1"},

    // A user id is compared byte for byte.
    {"User_OtherCase", "user ada idp=a;", login("a", "Ada", kNotCovered, "", kNotCovered), "nobody"},
    {"User_AddressInOtherCase", "user ada@example.com idp=a;",
     login("a", "Ada@example.com", kCovered, "", kNotCovered), "nobody"},
    {"User_Longer", "user ada idp=a;", login("a", "ada ", kNotCovered, "", kNotCovered), "nobody"},
    {"User_BehindANul", "user ada idp=a;", login("a", {"ada\0", 4}, kNotCovered, "", kNotCovered), "nobody"},
    {"User_Empty", "user ada idp=a;", login("a", "", kCovered, "", kCovered), "nobody"},
    {"User_OfAnEmptyList", "", sole(login("a", "ada", kCovered, kAda, kCovered)), "nobody"},

    // An e-mail address, in any letter case, if the IdP's email_domains cover it.
    {"Email_OtherCase", "user ada.lovelace@example.com idp=a;", login("a", "x", kNotCovered, kMail, kCovered),
     "by email 1"},
    {"Email_KeyInOtherCase", "user ADA@EXAMPLE.COM;",
     login("a", "x", kNotCovered, kAda, kCovered), "by email 1"},
    {"Email_AnyIdp", "user ada@example.com idp=*;",
     login("a", "x", kNotCovered, kAda, kCovered), "by email 1"},
    {"Email_AnotherIdp", "user ada@example.com idp=b;",
     login("a", "x", kNotCovered, kAda, kCovered), "nobody"},
    {"Email_NotCovered", "user ada@example.com;", login("a", "x", kNotCovered, kAda, kNotCovered), "nobody"},
    {"Email_NotCoveredNamed", "user ada@example.com idp=a;", login("a", "x", kNotCovered, kAda, kNotCovered),
     "nobody"},
    {"Email_NotCoveredAnyIdp", "user ada@example.com idp=*;", login("a", "x", kNotCovered, kAda, kNotCovered),
     "nobody"},
    {"Email_NotCoveredSole", "user ada@example.com;", sole(login("a", "x", kNotCovered, kAda, kNotCovered)),
     "nobody"},
    {"Email_WithoutAt", "user ada idp=a;", login("a", "x", kNotCovered, "ada", kCovered), "nobody"},
    {"Email_OtherLettersHaveNoCase", "user \xC3\xA9@example.com;",
     login("a", "x", kNotCovered, "\xC3\x89@example.com", kCovered), "nobody"},
    {"Email_OnlyLettersFold", "user [@example.com;", login("a", "x", kNotCovered, "{@example.com", kCovered),
     "nobody"},
    {"Email_IsNotTheUserId", "user x@example.com;", login("a", kAda, kCovered, kAda, kCovered), "nobody"},

    // The most specific line.
    {"Most_UserBeforeEmail", "user ada@example.com idp=a; \n user u7 idp=a;",
     login("a", "u7", kNotCovered, kAda, kCovered), "by user 2"},
    {"Most_AnyByUserBeforeNamedByEmail", "user ada@example.com idp=a; \n user u7 idp=*;",
     login("a", "u7", kNotCovered, kAda, kCovered), "by user 2"},
    {"Most_NamedBeforeNone", "user ada; \n user ada idp=a;",
     sole(login("a", "ada", kNotCovered, "", kNotCovered)),
     "by user 2"},
    {"Most_NoneBeforeAny", "user ada idp=*; \n user ada;",
     sole(login("a", "ada", kNotCovered, "", kNotCovered)),
     "by user 2"},
    {"Most_NamedBeforeAny", "user ada idp=*; \n user ada idp=a;",
     login("a", "ada", kNotCovered, "", kNotCovered),
     "by user 2"},
    {"Most_AnyWhereNoneDoesNotCount", "user ada; \n user ada idp=*;",
     login("a", "ada", kNotCovered, "", kNotCovered), "by user 2"},
    {"Most_AnyWhereAnotherIsNamed", "user ada idp=a; \n user ada idp=*;",
     login("b", "ada", kNotCovered, "", kNotCovered), "by user 2"},
    {"Most_EmailNamedBeforeNone", "user ada@example.com; \n user ada@example.com idp=a;",
     login("a", "x", kNotCovered, kAda, kCovered), "by email 2"},
    {"Most_EmailNoneBeforeAny", "user ada@example.com idp=*; \n user ada@example.com;",
     login("a", "x", kNotCovered, kAda, kCovered), "by email 2"},
    {"Most_OneLineByBoth", "user ada@example.com;", login("a", kAda, kCovered, kAda, kCovered), "by user 1"},
    {"Most_OneLineByEmailAlone", "user ada@example.com;", login("a", kAda, kNotCovered, kAda, kCovered),
     "by email 1"},

    // Any line that is disabled.
    {"Disabled_Alone", "user ada idp=a disabled;", login("a", "ada", kNotCovered, "", kNotCovered),
     "by user 1 disabled"},
    {"Disabled_ByEmail", "user u7 idp=a; \n user ada@example.com disabled;",
     login("a", "u7", kNotCovered, kAda, kCovered), "by email 2 disabled"},
    {"Disabled_ByEmailOfTheSoleIdp", "user ada@example.com disabled;",
     sole(login("a", "u7", kNotCovered, kAda, kNotCovered)), "by email 1 disabled"},
    {"Disabled_ByEmailOfTheSoleIdpBesideAnother", "user ada@example.com disabled; \n user u7;",
     sole(login("a", "u7", kNotCovered, kAda, kNotCovered)), "by email 1 disabled"},
    {"Disabled_ByAnUncoveredEmailOfTheIdpNamed", "user ada@example.com idp=a disabled;",
     login("a", "u7", kNotCovered, kAda, kNotCovered), "by email 1 disabled"},
    {"Disabled_ByAnUncoveredEmailOfAnyIdp", "user ada@example.com idp=* disabled;",
     login("a", "u7", kNotCovered, kAda, kNotCovered), "by email 1 disabled"},
    {"Disabled_NotByAnUncoveredEmailOfSeveral", "user ada@example.com disabled;",
     login("a", "u7", kNotCovered, kAda, kNotCovered), "nobody"},
    {"Disabled_InAnotherSpelling", "user Ada@Example.com idp=a disabled;",
     login("a", kAda, kNotCovered, "", kNotCovered), "by user 1 disabled"},
    {"Disabled_NotInAnotherSpellingWithoutAt", "user Ada idp=a disabled;",
     login("a", "ada", kNotCovered, "", kNotCovered), "nobody"},
    {"Disabled_InTheOtherSpellingOfIdna", "user ada@bücher.example disabled;",
     login("a", "u7", kNotCovered, "ada@xn--bcher-kva.example", kCovered), "by email 1 disabled"},
    {"Disabled_InCapitalsOfIdna", "user ada@xn--bcher-kva.example disabled;",
     login("a", "u7", kNotCovered, "Ada@BÜCHER.example", kCovered), "by email 1 disabled"},
    {"Email_InTheOtherSpellingOfIdna", "user ada@bücher.example;",
     login("a", "u7", kNotCovered, "ada@xn--bcher-kva.example", kCovered), "by email 1"},
    {"UserId_IsComparedByteForByte", "user ada@bücher.example idp=a;",
     login("a", "ada@xn--bcher-kva.example", kNotCovered, "", kNotCovered), "nobody"},
    {"Disabled_ByAny", "user ada idp=a; \n user ada idp=* disabled;",
     login("a", "ada", kNotCovered, "", kNotCovered), "by user 2 disabled"},
    {"Disabled_ByNone", "user ada@example.com idp=a; \n user ada@example.com disabled;",
     login("a", kAda, kCovered, "", kNotCovered), "by user 2 disabled"},
    {"Disabled_ByEmailForAny", "user u7 idp=a; user ada@example.com; \n user ada@example.com idp=* disabled;",
     login("a", "u7", kNotCovered, kAda, kCovered), "by email 2 disabled"},
    {"Disabled_BothWays", "user ada@example.com disabled; \n user u7 idp=a disabled;",
     login("a", "u7", kNotCovered, kAda, kCovered), "by user 2 disabled"},
    {"Disabled_TheMostSpecific", "user ada idp=* disabled; \n user ada idp=a disabled;",
     login("a", "ada", kNotCovered, "", kNotCovered), "by user 2 disabled"},
    {"Disabled_ElsewhereOnly", "user ada idp=b disabled; \n user ada idp=a;",
     login("a", "ada", kNotCovered, "", kNotCovered), "by user 2"},
    {"Disabled_WhereItDoesNotCount", "user ada@example.com disabled; \n user ada@example.com idp=a;",
     login("a", kAda, kNotCovered, kAda, kNotCovered), "by user 2"},

    // The IdP b is another organisation's; its email_domains cover other.example alone.
    {"Attack_UserIdOfAnother", "user ada idp=a group=Admins;",
     login("b", "ada", kNotCovered, "", kNotCovered),
     "nobody"},
    {"Attack_AddressOfAnotherAsUserId", "user ada@example.com group=Admins;",
     login("b", kAda, kNotCovered, "", kNotCovered), "nobody"},
    {"Attack_AddressOfAnotherAsUserIdBesideAnOwnOne", "user ada@example.com group=Admins;",
     login("b", kAda, kNotCovered, "mallory@other.example", kCovered), "nobody"},
    {"Attack_AddressOfAnotherAsEmail", "user ada@example.com group=Admins;",
     login("b", "mallory", kNotCovered, kAda, kNotCovered), "nobody"},
    {"Attack_AddressInOtherCaseAsEmail", "user ada@example.com group=Admins;",
     login("b", "mallory", kNotCovered, "ADA@Example.com", kNotCovered), "nobody"},
    {"Attack_AddressOfAnotherAsBoth", "user ada@example.com idp=a group=Admins;",
     login("b", kAda, kNotCovered, kAda, kNotCovered), "nobody"},
    {"Attack_KeyIsANameIdOfAnother", "user u7@pairwise idp=a group=Admins;",
     login("b", "u7@pairwise", kNotCovered, "", kNotCovered), "nobody"},
    {"Attack_KeyIsANameIdOfAnotherWithoutIdp", "user u7@pairwise group=Admins;",
     login("b", "u7@pairwise", kNotCovered, "", kNotCovered), "nobody"},
    {"Attack_DisabledThereStandsHere", "user ada@example.com disabled;",
     login("b", kAda, kNotCovered, kAda, kNotCovered), "nobody"},
    {"Attack_OwnAddressIsOwn", "user mallory@other.example;",
     login("b", "mallory@other.example", kCovered, "", kNotCovered), "by user 1"},
    {"Word_AnyMeansAny", "user ada@example.com idp=*;", login("b", kAda, kNotCovered, "", kNotCovered),
     "by user 1"},
};

INSTANTIATE_TEST_SUITE_P(Policy, UserListFindTest, ::testing::ValuesIn(kFindCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(UserListFind, TakesHugeLogins) {
  const std::string huge(1 << 20, 'a');
  const std::string address = huge + "@example.com";
  EXPECT_EQ(found_in("user ada idp=a;", login("a", huge, kCovered, address, kCovered)), "nobody");
  const std::string longest(StatementReader::kMaxStatement - 6, 'a');
  EXPECT_EQ(found_in("user " + longest + ";",
     sole(login("a", longest, kNotCovered, "", kNotCovered))), "by user 1");
}

}  // namespace
}  // namespace sallyport::policy
