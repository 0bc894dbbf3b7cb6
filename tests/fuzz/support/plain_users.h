// A list of users as plain values, for tests: written as a file in many ways, and searched by reading the
// rules one after the other.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dice.h"
#include "policy/users.h"

namespace sallyport::fuzz {

struct PlainUser {
  std::string key;
  std::string idp;
  bool is_disabled = false;
  std::vector<std::string> groups;
  std::vector<std::pair<std::string, std::string>> spaces;  // with their roles

  bool operator==(const PlainUser& other) const;
};

std::vector<PlainUser> plain_users(const policy::UserList& list);

// The text of a file, with quotes, blanks, comments and the parameters' order as the dice fall.
std::string written(const std::vector<PlainUser>& users, Dice& dice);

// Whether two of them answer for the same KEY and idp=.
bool any_repeated(const std::vector<PlainUser>& users);

struct PlainMatch {
  std::size_t index;
  bool by_email;
};
std::optional<PlainMatch> find_plainly(const std::vector<PlainUser>& users, const policy::UserQuery& query);

// A promise of UserList::find that was not kept; null when the list and the plain users agree.
const char* disagreement(const policy::UserList& list, const std::vector<PlainUser>& users,
                         const policy::UserQuery& query);

}  // namespace sallyport::fuzz
