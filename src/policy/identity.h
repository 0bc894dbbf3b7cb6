// Who logged in and what is theirs, resolved from one assertion by an IdP's settings.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "policy/attributes.h"
#include "policy/entitlements.h"
#include "saml/assertion.h"

namespace sallyport::policy {

struct Identity {
  std::string user;  // the stable user id
  std::string email;
  std::string first_name;
  std::string last_name;
  std::string display_name;
  std::string picture;
  std::string timezone;
  std::string account_role;
  std::vector<SpaceRole> spaces;
  std::vector<std::string> groups;
  // For the operator's log: what was dropped or is missing, and what to do. May hold bytes of the
  // sender; the logger escapes and cuts them.
  std::vector<std::string> warnings;
};

struct IdentityRules {
  AttributeMap attributes;
  std::string user_source;  // empty: the NameID; else an alias or attribute Name
};

// Without a policy: groups as sent (never split, blank and repeated ones left out), spaces and
// roles by the pairing rules with everything known. Where one value is wanted and several are sent,
// the first that is not blank counts, for `email` too; values stay as sent, blanks included.
// `email` falls back to a NameID of format emailAddress. A timezone that does not look like an IANA
// name is dropped with a warning.
// Reasons: no_stable_user (transient NameID as user), no_user (no NameID, or the attribute missing,
// empty or with several values).
Result<Identity> resolve_identity(const saml::Assertion& assertion, const IdentityRules& rules);

}  // namespace sallyport::policy
