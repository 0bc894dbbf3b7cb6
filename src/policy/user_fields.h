// The list of users where a store keeps it: each KEY is a hash, its fields are the parameters of a line (user_line.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/users.h"

namespace sallyport::policy {

// The fields, as they are asked for.
inline constexpr std::string_view kUserFieldNames[] = {"idp", "disabled", "group", "space"};

// One hash. Groups and spaces (NAME:ROLE, or NAME) are lists in the encoding of the headers (identity_headers.h): split at the
// commas, then percent-decoded. Who has the field `disabled` is so, but for the texts "0", "no", "off" and "false"; without an idp
// at every IdP.
struct UserFields {
  using Field = std::optional<std::string_view>;  // nullopt: it is not there

  std::string_view key;
  Field idp;
  Field disabled;
  Field groups;
  Field spaces;

  bool is_listed() const { return idp || disabled || groups || spaces; }
};

// The KEYs under which a login may be listed, each once: its user id as it is; and where they have an "@", the user id and the
// e-mail address in lower case, with the domain in its ASCII spelling. One that is too long for a line is left out.
std::vector<std::string> listed_keys(std::string_view user, std::string_view email);

// The list that holds those alone. Of two spellings of one KEY with the same idp the first counts, and who is disabled by either
// is. Names that are empty, not UTF-8 or have control characters are left out.
UserList list_of(const std::vector<UserFields>& users);

}  // namespace sallyport::policy
