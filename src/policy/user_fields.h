// The list of users where a store keeps it: each KEY is a hash, its fields are the parameters of a line (user_line.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/users.h"

namespace sallyport::policy {

// The fields, as they are asked for.
inline constexpr std::string_view kUserFieldNames[] = {"idp", "disabled", "group", "space"};

// One hash. Groups and spaces (NAME:ROLE, or NAME) are lists in the encoding of the headers (identity_headers.h): split at the
// commas, then percent-decoded. `disabled` is any text but "0", "no", "off", "false" and none; without an idp
// it counts at every IdP.
struct UserFields {
  std::string_view key;
  std::string_view idp;
  std::string_view disabled;
  std::string_view groups;
  std::string_view spaces;

  // Whether the store has that hash: none of the fields is there otherwise.
  bool is_listed() const { return !idp.empty() || !disabled.empty() || !groups.empty() || !spaces.empty(); }
};

// The KEYs under which a login may be listed, each once: its user id, and its e-mail address. Those with "@" are in lower case, with
// the domain in its ASCII spelling, as the store's keys must be written. One that is too long for a line is left out.
std::vector<std::string> listed_keys(std::string_view user, std::string_view email);

// The list that holds those alone. Names that are empty, not UTF-8 or have control characters are left out.
UserList list_of(const std::vector<UserFields>& users);

}  // namespace sallyport::policy
