// Users files of any bytes: refused with a line of theirs, or a list that says the same when written anew,
// and finds whom the rules mean.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "policy/users.h"
#include "support/dice.h"
#include "support/fuzz_target.h"
#include "support/plain_users.h"

namespace {

using namespace sallyport;

constexpr std::size_t kMostQueries = 40;

std::string swapped_case(std::string text) {
  for (char& c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) c = static_cast<char>(c ^ 0x20);
  }
  return text;
}

// A login whose user id and e-mail address come from two of the lines, or nearly.
void check_login(const policy::UserList& list, const std::vector<fuzz::PlainUser>& users, fuzz::Dice& dice) {
  const fuzz::PlainUser& first = users[dice.below(users.size())];
  const fuzz::PlainUser& second = users[dice.below(users.size())];
  const std::string user = dice.once_in(4) ? swapped_case(first.key) : first.key;
  const std::string email = dice.once_in(2) ? swapped_case(second.key) : second.key;
  policy::UserQuery query;
  query.idp = dice.once_in(4) ? std::string_view("okta") : std::string_view(first.idp);
  query.user = user;
  query.email = email;
  query.user_is_covered = dice.once_in(2);
  query.email_is_covered = dice.once_in(2);
  query.is_sole_idp = dice.once_in(2);
  const char* const promise = fuzz::disagreement(list, users, query);
  if (promise != nullptr) fuzz::broken(promise, __FILE__, __LINE__);
}

void check_anew(const policy::UserList& list, const std::vector<fuzz::PlainUser>& users, fuzz::Dice& dice) {
  unsigned line = 0;
  const auto same = policy::UserList::parse(fuzz::written(users, dice), line);
  REQUIRE(same.ok() && fuzz::plain_users(*same) == users && same->digest() == list.digest());
  if (users.empty()) return;
  std::vector<fuzz::PlainUser> changed = users;
  fuzz::PlainUser& one = dice.pick(changed);
  one.is_disabled = !one.is_disabled;
  const auto other = policy::UserList::parse(fuzz::written(changed, dice), line);
  REQUIRE(other.ok() && other->digest() != list.digest());
}

void check_names(const fuzz::PlainUser& user) {
  REQUIRE(!user.key.empty());
  for (const std::string& group : user.groups) REQUIRE(!group.empty());
  for (const auto& [space, role] : user.spaces) REQUIRE(!space.empty());
}

}  // namespace

FUZZ_TARGET(users) {
  unsigned line = 0;
  const auto list = policy::UserList::parse(input, line);
  if (!list.ok()) {
    const auto lines = static_cast<unsigned>(std::count(input.begin(), input.end(), '\n')) + 1;
    REQUIRE(list.error().reason == Reason::kConfigInvalid && !list.error().detail.empty());
    REQUIRE(line >= 1 && line <= lines);
    return;
  }
  const std::vector<fuzz::PlainUser> users = fuzz::plain_users(*list);
  REQUIRE(users.size() == list->size() && !fuzz::any_repeated(users));
  for (const fuzz::PlainUser& user : users) check_names(user);
  fuzz::Dice dice(hash_tag(input));
  check_anew(*list, users, dice);
  for (std::size_t i = 0; i < kMostQueries && !users.empty(); ++i) check_login(*list, users, dice);
}
