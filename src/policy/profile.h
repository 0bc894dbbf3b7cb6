// What the first login sets up and later ones leave as it is (`profile first_login`).
#pragma once

#include <string>
#include <vector>

#include "policy/entitlements.h"

namespace sallyport::policy {

// Spaces and roles as the IdP gave them, before the operator's list of users adds to them.
struct Profile {
  std::string first_name;
  std::string last_name;
  std::string display_name;
  std::string timezone;
  std::string account_role;
  std::vector<SpaceRole> spaces;
};

}  // namespace sallyport::policy
