#include "policy/users.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/encoding.h"

namespace sallyport::policy {
namespace {

// Fails the test when the text is refused.
UserList parsed(std::string_view text) {
  unsigned line = 0;
  auto list = UserList::parse(text, line);
  if (list.ok()) return std::move(list).value();
  ADD_FAILURE() << "line " << line << ": " << list.error().detail;
  return std::move(UserList::parse("", line)).value();
}

// A line as text: "LINE KEY idp=I disabled groups=A|B spaces=S:R|T".
std::string told(const ListedUser& user) {
  std::string text = std::to_string(user.line()) + " " + std::string(user.key());
  if (!user.idp().empty()) text += " idp=" + std::string(user.idp());
  if (user.is_disabled()) text += " disabled";
  for (std::size_t i = 0; i < user.group_count(); ++i) {
    text += (i == 0 ? " groups=" : "|") + std::string(user.group(i));
  }
  for (std::size_t i = 0; i < user.space_count(); ++i) {
    const ListedSpace space = user.space(i);
    text += (i == 0 ? " spaces=" : "|") + std::string(space.name);
    if (!space.role.empty()) text += ":" + std::string(space.role);
  }
  return text;
}

std::vector<std::string> told(const UserList& list) {
  std::vector<std::string> lines;
  list.for_each([&lines](const ListedUser& user) { lines.push_back(told(user)); });
  return lines;
}

using Lines = std::vector<std::string>;

struct LineCase {
  const char* name;
  std::string text;
  Lines expected;
};

class UserListTest : public ::testing::TestWithParam<LineCase> {};

TEST_P(UserListTest, ReadsLines) { EXPECT_EQ(told(parsed(GetParam().text)), GetParam().expected); }

const LineCase kLines[] = {
    {"Empty", "", {}},
    {"OnlyComments", "# nobody yet\n\n", {}},
    {"KeyAlone", "user ada;", {"1 ada"}},
    {"ByteOrderMark", "\xEF\xBB\xBFuser ada;", {"1 ada"}},
    {"Everything", "user ada idp=okta disabled group=A group=B space=S:R space=T;",
     {"1 ada idp=okta disabled groups=A|B spaces=S:R|T"}},
    {"AnyOrder", "user ada space=T group=B disabled space=S:R idp=okta group=A;",
     {"1 ada idp=okta disabled groups=B|A spaces=T|S:R"}},
    {"AnyIdp", "user ada idp=*;", {"1 ada idp=*"}},
    {"LinesAreCountedFromTheirUser", "# first\n\nuser ada\n  group=A\n;\nuser bob;",
     {"3 ada groups=A", "6 bob"}},
    {"QuotedPair", "user ada \"space=Trial:Space Member\";", {"1 ada spaces=Trial:Space Member"}},
    {"QuotedValue", "user ada space=\"Trial:Space Member\" group='R and D' idp=\"o\";",
     {"1 ada idp=o groups=R and D spaces=Trial:Space Member"}},
    {"QuotedWords", "\"user\" \"ada\" 'disabled' \"group=A\";", {"1 ada disabled groups=A"}},
    {"LastColonSeparates", "user ada space=a:b:c space=\"x: y:z\";", {"1 ada spaces=a:b:c|x: y:z"}},
    {"CommasStay", "user ada group=a,b space=c,d:e,f;", {"1 ada groups=a,b spaces=c,d:e,f"}},
    {"EqualsStay", "user uid=ada,ou=people group=a=b;", {"1 uid=ada,ou=people groups=a=b"}},
    {"QuotedKeyMayLookLikeAParameter", "user \"disabled\" disabled; user 'group=A' group=A;",
     {"1 disabled disabled", "1 group=A groups=A"}},
    {"QuotedKeyUser", "user user; user \"a\" \"group=user\";", {"1 user", "1 a groups=user"}},
    {"BlanksInAKeyStay", "user \" ada \";", {"1  ada "}},
    {"SameGroupAndSpace", "user ada group=A space=A:A;", {"1 ada groups=A spaces=A:A"}},
    {"SameNamesInOtherLines", "user ada group=A space=S:R; user bob space=S:Q group=A;",
     {"1 ada groups=A spaces=S:R", "1 bob groups=A spaces=S:Q"}},
    {"CaseOfNamesMatters", "user ada group=A group=a space=S space=s;", {"1 ada groups=A|a spaces=S|s"}},
    {"SameKeyForOtherIdps", "user ada; user ada idp=*; user ada idp=a; user ada idp=b;",
     {"1 ada", "1 ada idp=*", "1 ada idp=a", "1 ada idp=b"}},
    {"CaseOfAKeyWithoutAtMatters", "user ada; user Ada;", {"1 ada", "1 Ada"}},
    {"OtherLettersHaveNoCase", "user \xC3\xA9@a; user \xC3\x89@a;", {"1 \xC3\xA9@a", "1 \xC3\x89@a"}},
};

INSTANTIATE_TEST_SUITE_P(Policy, UserListTest, ::testing::ValuesIn(kLines),
                         [](const auto& test) { return std::string(test.param.name); });

struct RefusedCase {
  const char* name;
  std::string text;
  unsigned line;
  const char* message;  // a part of it
};

class RefusedUserListTest : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedUserListTest, SaysWhereAndWhatToWrite) {
  unsigned line = 0;
  const auto list = UserList::parse(GetParam().text, line);
  ASSERT_FALSE(list.ok());
  EXPECT_EQ(list.error().reason, Reason::kConfigInvalid);
  EXPECT_EQ(line, GetParam().line);
  EXPECT_NE(list.error().detail.find(GetParam().message), std::string::npos) << list.error().detail;
}

const RefusedCase kRefused[] = {
    {"OtherStatement", "user a;\ninclude more.conf;", 2,
     "unknown word \"include\": each statement is \"user KEY ...;\""},
    {"StatementInCapitals", "User a;", 1, "unknown word \"User\""},
    {"NoKey", "user a;\nuser;", 2,
     "\"user\" has no KEY behind it: write the user id as $saml_user shows it, or an e-mail address"},
    {"EmptyKey", "user\n\"\" disabled;", 2, "the KEY is empty: write the user id"},
    {"DisabledInPlaceOfAKey", "user disabled;", 1, "has no KEY before \"disabled\""},
    {"IdpInPlaceOfAKey", "user\nidp=okta group=A;", 2, "has no KEY before \"idp=okta\""},
    {"GroupInPlaceOfAKey", "user group=\"A B\";", 1, "has no KEY before \"group=A B\""},
    {"SpaceInPlaceOfAKey", "user space=A:B;", 1, "the whole word in quotes where this is one"},
    {"UnknownWord", "user ada\n  role=Admin;", 2,
     "unknown word \"role=Admin\": behind the KEY stand \"idp=NAME\", \"disabled\", \"group=NAME\" and "
     "\"space=NAME:ROLE\""},
    {"KeyWithBlanks", "user Ada Lovelace;", 1, "what has blanks in it is written in quotes"},
    {"RoleWithBlanks", "user ada space=Trial:Space Member;", 1, "unknown word \"Member\""},
    {"DisabledInCapitals", "user ada Disabled;", 1, "unknown word \"Disabled\""},
    {"ForgottenSemicolon", "user ada\n  group=A\nuser bob;", 2,
     "the statement has no \";\" before the \"user\" of line 3: add it"},
    {"EmptyIdp", "user ada idp=;", 1, "\"idp=\" lacks the name of a saml_idp block"},
    {"EmptyGroup", "user ada\n\"group=\";", 2, "\"group=\" lacks the name of a group"},
    {"EmptyQuotedGroup", "user ada group=\"\";", 1, "lacks the name of a group"},
    {"EmptySpace", "user ada space=;", 1, "\"space=\" lacks the name of a space"},
    {"EmptySpaceBeforeARole", "user ada space=:Admin;", 1, "\"space=:Admin\" lacks the name of a space"},
    {"EmptyRole", "user ada space=Trial:;", 1,
     "\"space=Trial:\" has no role behind the colon: write \"space=NAME:ROLE\", or \"space=NAME\" for the "
     "default role"},
    {"BlankIdp", "user ada idp=\" okta\";", 1, "begins or ends with a space: remove it"},
    {"BlankBeforeAGroup", "user ada group=\" A\";", 1, "the name of a group begins or ends with a space"},
    {"BlankBehindASpace", "user ada space=\"A :B\";", 1, "the name of a space begins or ends with a space"},
    {"BlankBeforeARole", "user ada space=\"A: B\";", 1, "the name of a role begins or ends with a space"},
    {"QuotedRole", "user ada space=A:\"B\";", 1,
     "a quote opens in the middle of \"space=A:\"B\"\": write \"space=NAME:ROLE\" or space=\"NAME:ROLE\""},
    {"QuotedRoleWithBlanks", "user ada space=A:'B C';", 1, "a quote opens in the middle"},
    {"TwoIdps", "user ada idp=a\nidp=b;", 2, "\"idp=\" stands twice: write a line for each IdP"},
    {"SameIdpTwice", "user ada idp=a idp=a;", 1, "\"idp=\" stands twice"},
    {"DisabledTwice", "user ada disabled\ndisabled;", 2, "\"disabled\" stands twice: remove one"},
    {"SameGroupTwice", "user ada group=A\ngroup=B\ngroup=A;", 3,
     "the group \"A\" stands twice for one user: remove one"},
    {"SameSpaceTwice", "user ada space=A:B\nspace=A:C;", 2, "the space \"A\" stands twice for one user"},
    {"SameSpaceWithAndWithoutRole", "user ada space=A space=A:C;", 1, "the space \"A\" stands twice"},
    {"SameKey", "user ada;\nuser bob;\nuser ada disabled;", 3,
     "the KEY \"ada\" stands already in line 1: make one line of the two"},
    {"SameKeyAndIdp", "user ada;\nuser ada idp=a;\nuser ada idp=a;", 3,
     "the KEY \"ada\" stands already in line 2 with the same idp=: make"},
    {"SameKeyForAnyIdp", "user ada idp=*;\nuser ada idp=*;", 2, "in line 1 with the same idp="},
    {"SameAddressInOtherCase", "user Ada@Example.com;\nuser ada@example.COM;", 2,
     "the KEY \"ada@example.COM\" stands already in line 1"},
    {"SameKeyInOneLine", "user ada; user ada;", 1, "stands already in line 1"},
    {"NotUtf8", "user ada;\n\n# caf\xE9\nuser bob;", 3,
     "the line is not UTF-8: save the file in that encoding"},
    {"NotUtf8InTheLastLine", "user ada;\nuser \xFF;", 2, "not UTF-8"},
    {"CutUtf8", "user ada; # \xC3", 1, "not UTF-8"},
    {"Utf16", std::string("\xFF\xFEu\0s\0e\0r\0", 10), 1, "not UTF-8"},
    {"ControlInAKey", "user a;\nuser \"b\\tc\";", 2, "holds a control character: remove it"},
    {"NoSemicolon", "user a;\nuser b", 2, "the statement has no \";\": add it at the end"},
    {"LongWordsAreCut", "user ada " + std::string(1000, 'x') + ";", 1, "xxx...\": behind the KEY stand"},
};

INSTANTIATE_TEST_SUITE_P(Policy, RefusedUserListTest, ::testing::ValuesIn(kRefused),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(UserList, TellsNamesWithTheirFirstLines) {
  const UserList list = parsed(
      "user a idp=okta group=A space=S:R;\n"
      "user b idp=* group=B group=A space=T;\n"
      "user c idp=okta space=S:Q;\n"
      "user d idp=entra;\n");
  const auto names = [](const NameTable& table) {
    Lines all;
    for (std::size_t i = 0; i < table.size(); ++i) {
      all.push_back(std::to_string(table.line(i)) + " " + std::string(table.name(i)));
    }
    return all;
  };
  EXPECT_EQ(names(list.idps()), (Lines{"1 okta", "4 entra"}));
  EXPECT_EQ(names(list.groups()), (Lines{"1 A", "2 B"}));
  EXPECT_EQ(names(list.spaces()), (Lines{"1 S", "2 T"}));
  EXPECT_EQ(names(list.roles()), (Lines{"1 R", "3 Q"}));
}

TEST(UserList, TellsTheFirstLineThatSeveralIdpsCannotUse) {
  EXPECT_FALSE(parsed("").first_ambiguous());
  EXPECT_FALSE(parsed("user ada@example.com; user ada idp=okta; user ada idp=*;").first_ambiguous());
  const UserList list = parsed("user ada@example.com;\nuser bob idp=*;\nuser carol;\nuser dan;");
  ASSERT_TRUE(list.first_ambiguous());
  EXPECT_EQ(told(*list.first_ambiguous()), "3 carol");
}

TEST(UserList, DigestTellsWhatTheLinesSay) {
  const char* const text = "user ada group=A space=S:R; user bob idp=okta disabled;";
  const Digest digest = parsed(text).digest();
  const char* const kSame[] = {
      "# header\n\nuser ada # Ada\n group=A space=S:R;\n\n\n\tuser bob idp=okta disabled;\n# end",
      "\xEF\xBB\xBFuser 'ada' \"group=A\" space=\"S:R\"; user bob disabled idp=okta;",
      "user ada space=S:R group=A; user bob idp=okta disabled;"};
  for (const char* same : kSame) EXPECT_EQ(parsed(same).digest(), digest) << same;
  const char* const kOthers[] = {
      "", "user ada group=A space=S:R;", "user Ada group=A space=S:R; user bob idp=okta disabled;",
      "user ada group=A space=S:R; user bob idp=okta;", "user ada group=A space=S:R; user bob disabled;",
      "user ada group=A space=S:R; user bob idp=* disabled;",
      "user ada group=B space=S:R; user bob idp=okta disabled;",
      "user ada group=A space=S; user bob idp=okta disabled;",
      "user ada group=A space=S:Q; user bob idp=okta disabled;",
      "user ada group=A group=S space=S:R; user bob idp=okta disabled;",
      "user ada space=S:R; user bob idp=okta disabled group=A;"};
  std::vector<std::string> digests = {hex_encode(as_view(digest))};
  for (const char* other : kOthers) digests.push_back(hex_encode(as_view(parsed(other).digest())));
  std::sort(digests.begin(), digests.end());
  EXPECT_EQ(std::adjacent_find(digests.begin(), digests.end()), digests.end());
}

TEST(UserList, ViewsSurviveAMove) {
  UserList list = parsed("user a idp=b group=c space=d:e;");
  std::vector<std::string_view> views;
  list.for_each([&views](const ListedUser& user) {
    views = {user.key(), user.idp(), user.group(0), user.space(0).name, user.space(0).role};
  });
  const UserList moved = std::move(list);
  EXPECT_EQ(views, (std::vector<std::string_view>{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(told(moved), (Lines{"1 a idp=b groups=c spaces=d:e"}));
}

TEST(UserList, RefusesATooLargeFileUnread) {
  constexpr std::size_t kSize = UserList::kMaxFile + 1;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const unreadable = mmap(nullptr, kSize, PROT_NONE, kFlags, -1, 0);
  ASSERT_NE(unreadable, MAP_FAILED);
  unsigned line = 0;
  const auto list = UserList::parse({static_cast<const char*>(unreadable), kSize}, line);
  munmap(unreadable, kSize);
  ASSERT_FALSE(list.ok());
  EXPECT_EQ(line, 1u);
  EXPECT_EQ(list.error().detail, "the file is larger than 1073741824 bytes");
}

std::string many_users(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    text += "user user" + number + "@example.com group=Team" + std::to_string(i % 30) +
            " group=All space=Room" + std::to_string(i % 20) + ":Member;\n";
  }
  return text;
}

TEST(UserList, HoldsManyUsersInLittleMemory) {
  constexpr std::size_t kMany = 100'000;
  const std::string text = many_users(kMany);
  const UserList list = parsed(text);
  ASSERT_EQ(list.size(), kMany);
  EXPECT_LT(list.bytes(), text.size() + 10 * kMany);
  for (std::size_t i = 0; i < kMany; i += 7) {
    const std::string key = "user" + std::to_string(i) + "@example.com";
    const auto match = list.find({"okta", key, "", true, false, false});
    ASSERT_TRUE(match) << key;
    EXPECT_EQ(match->user.line(), i + 1);
    EXPECT_EQ(match->user.group(0), "Team" + std::to_string(i % 30));
  }
  EXPECT_FALSE(list.find({"okta", "user100000@example.com", "", true, false, false}));
}

// What would take hours if any of it were looked at more than a few times.
TEST(UserList, HostileShapesCostNoMoreThanTheirSize) {
  std::string one_key_many_idps;
  std::string one_line_many_groups = "user ada";
  std::string names_of_their_own;
  std::string letter_cases;
  for (unsigned i = 0; i < 100'000; ++i) {
    const std::string number = std::to_string(i);
    one_key_many_idps += "user ada@example.com idp=i" + number + ";";
    names_of_their_own += "user u" + number + " group=g" + number + " space=s" + number + ":r" + number + ";";
    letter_cases += "user ";
    for (unsigned bit = 0; bit < 17; ++bit) letter_cases += (i >> bit & 1) != 0 ? 'A' : 'a';
    letter_cases += ';';
    if (i < 5000) one_line_many_groups += " group=" + number;
  }
  EXPECT_EQ(parsed(one_key_many_idps).size(), 100'000u);
  EXPECT_EQ(parsed(names_of_their_own).roles().size(), 100'000u);
  EXPECT_EQ(parsed(letter_cases).size(), 100'000u);
  EXPECT_EQ(parsed(one_line_many_groups + ";").groups().size(), 5000u);
}

}  // namespace
}  // namespace sallyport::policy
