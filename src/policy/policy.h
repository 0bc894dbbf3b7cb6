// A `saml_policy` block: the known spaces, roles and groups, and how an IdP's attributes and the operator's list
// of users become a user's own.
#pragma once

#include <memory>
#include <string>

#include "base/digest.h"
#include "policy/known_names.h"
#include "policy/rules.h"
#include "policy/users.h"

namespace sallyport::policy {

// Read-only once the configuration is complete. Attributes are aliases or Names (AttributeMap::find).
struct Policy {
  std::string name;
  KnownNames spaces;
  KnownNames roles;
  KnownNames account_roles;
  GroupRules groups;
  std::string spaces_from = "space_name";
  std::string roles_from = "space_role";
  std::string groups_from = "groups";
  std::string timezone_from = "timezone";
  bool group_sync = true;               // off: groups come from `users` alone
  std::shared_ptr<const UserList> users;  // null: no list
  std::string users_file;               // its path, for explanations
  bool users_in_store = false;          // instead: a store is asked for each user (Known::listed)
  bool has_one_idp = true;              // no second saml_idp block asks the same list of users
  bool must_be_listed = false;          // provisioning required
  bool keeps_first_profile = false;     // profile first_login
  bool refuses_overage = false;         // group_overage refuse
  bool resolves_on_change = true;       // on_change resolve
  Digest digest{};                      // digest_of() the complete policy
};

// Of all that decides what a login gets, without places: equal for two policies only if every login gets the same
// by both.
Digest digest_of(const Policy& policy);

}  // namespace sallyport::policy
