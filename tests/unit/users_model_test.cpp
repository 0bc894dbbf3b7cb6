// The list of users against one that reads the rules one after the other, over random lists and logins.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "policy/users.h"
#include "support/plain_users.h"

namespace sallyport::policy {
namespace {

using fuzz::Dice;
using fuzz::PlainUser;
using fuzz::plain_users;

// Few, so that lines and logins meet in every way.
const char* const kKeys[] = {"ada",
                             "Ada",
                             "bob",
                             "disabled",
                             "group=x",
                             "ada@example.com",
                             "Ada@Example.com",
                             "ADA@EXAMPLE.COM",
                             "bob@example.com",
                             "bob@other.example",
                             "a b \"c\" 'd' \\e; {f} #g",
                             "@",
                             "andr\xC3\xA9@example.com",
                             "ANDR\xC3\x89@example.com"};
const char* const kIdps[] = {"", "", "*", "okta", "entra", "a \"b\""};
const char* const kNames[] = {"Engineering", "R&D", "a,b", "c d", "it's", "\"q\"", "b\\s", "\xC3\xA9"};

std::vector<std::string> some_names(Dice& dice) {
  std::vector<std::string> names;
  for (const char* name : kNames) {
    if (dice.once_in(4)) names.emplace_back(name);
  }
  return names;
}

PlainUser random_user(Dice& dice) {
  PlainUser user{dice.pick(kKeys), dice.pick(kIdps), dice.once_in(4), some_names(dice), {}};
  for (const std::string& name : some_names(dice)) {
    user.spaces.emplace_back(dice.once_in(3) ? name + ":x" : name, dice.pick(kNames));
  }
  if (dice.once_in(3)) user.spaces.emplace_back("Without", "");
  return user;
}

std::vector<PlainUser> random_users(Dice& dice, bool may_repeat) {
  std::vector<PlainUser> users;
  for (std::size_t i = dice.below(12); i > 0; --i) {
    users.push_back(random_user(dice));
    if (!may_repeat && any_repeated(users)) users.pop_back();
  }
  return users;
}

UserQuery random_query(Dice& dice) {
  UserQuery query;
  query.idp = dice.pick(kIdps);
  query.user = dice.once_in(10) ? "" : dice.pick(kKeys);
  query.email = dice.once_in(5) ? "" : dice.pick(kKeys);
  query.user_is_covered = dice.once_in(2);
  query.email_is_covered = dice.once_in(2);
  query.is_sole_idp = dice.once_in(3);
  return query;
}

TEST(UserListModel, ListsAndLoginsAgree) {
  std::size_t found = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Dice dice(seed);
    const std::vector<PlainUser> users = random_users(dice, false);
    const std::string text = written(users, dice);
    unsigned line = 0;
    const auto list = UserList::parse(text, line);
    ASSERT_TRUE(list.ok()) << list.error().detail << " in line " << line << " of\n" << text;
    ASSERT_EQ(plain_users(*list), users) << text;
    for (int i = 0; i < 60; ++i) {
      const UserQuery query = random_query(dice);
      ASSERT_STREQ(disagreement(*list, users, query), nullptr)
          << text << "\nidp=" << query.idp << " user=" << query.user << " email=" << query.email
          << " covered: " << query.user_is_covered << query.email_is_covered
          << " sole: " << query.is_sole_idp;
      found += list->find(query) ? 1 : 0;
    }
  }
  EXPECT_GT(found, 20'000u);
}

TEST(UserListModel, RepeatedKeysAreRefused) {
  std::size_t refused = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Dice dice(seed);
    const std::vector<PlainUser> users = random_users(dice, true);
    unsigned line = 0;
    const auto list = UserList::parse(written(users, dice), line);
    ASSERT_EQ(list.ok(), !any_repeated(users)) << written(users, dice);
    refused += list.ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 400u);
}

TEST(UserListModel, DigestsAreEqualForEqualUsersOnly) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Dice dice(seed);
    const std::vector<PlainUser> users = random_users(dice, false);
    const std::vector<PlainUser> others = random_users(dice, false);
    unsigned line = 0;
    const auto list = UserList::parse(written(users, dice), line);
    const auto same = UserList::parse(written(users, dice), line);
    const auto other = UserList::parse(written(others, dice), line);
    ASSERT_TRUE(list.ok() && same.ok() && other.ok());
    EXPECT_EQ(list->digest(), same->digest());
    EXPECT_EQ(list->digest() == other->digest(), users == others);
  }
}

}  // namespace
}  // namespace sallyport::policy
