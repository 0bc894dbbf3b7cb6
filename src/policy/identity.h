// Who logged in and what is theirs, resolved from what an IdP said by that IdP's settings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "policy/attributes.h"
#include "policy/email_domains.h"
#include "policy/entitlements.h"
#include "policy/explanation.h"
#include "policy/policy.h"
#include "policy/profile.h"
#include "policy/timezones.h"
#include "saml/assertion.h"

namespace sallyport::policy {

// What the IdP said of a user: from an assertion, or kept in a session's record.
struct Claims {
  std::optional<saml::NameId> name_id;
  std::vector<saml::Attribute> attributes;
};

// How one saml_idp's users are resolved. Read-only once the configuration is complete.
struct IdentityRules {
  std::string idp_name;      // of the block
  AttributeMap attributes;
  std::string user_source;   // empty: the NameID; else an alias or attribute Name
  EmailDomains email_domains;
  std::shared_ptr<const Policy> policy;        // null: none
  std::shared_ptr<const Timezones> timezones;  // null or empty: a time zone's name is judged by its letters alone
};

// A digest of all that decides what a user gets, with that of the policy: a session that was resolved by rules with another one is
// resolved anew.
std::uint64_t digest_of(const IdentityRules& rules);

// Who it is.
struct Account {
  std::string user;   // the stable user id
  std::string email;
  bool user_is_covered = false;   // `user` is an address in the IdP's email_domains
  bool email_is_covered = false;  // `email` is one
};

// What is known of somebody beside the policy; each may be null.
struct Known {
  Known() = default;
  Known(const Profile* first_profile) : first(first_profile) {}  // NOLINT: most have no more
  Known(const Profile* first_profile, const UserList* list) : first(first_profile), listed(list) {}

  // What an earlier login of this user set up; it counts where the policy keeps it.
  const Profile* first = nullptr;
  // The user's lines, where the policy's list is in a store: without them nobody gets in.
  const UserList* listed = nullptr;
};

struct Identity {
  std::string user;
  std::string email;
  std::string first_name;
  std::string last_name;
  std::string display_name;
  std::string picture;
  std::string timezone;
  std::string account_role;
  std::vector<SpaceRole> spaces;
  std::size_t listed_spaces = 0;  // at the end of `spaces`: those that the operator's list alone gives
  std::vector<std::string> groups;
  Profile profile;  // what this login would set up if it were the first
  // For the operator's log: what was dropped or is missing, and what to do. May hold bytes of the
  // sender; the logger escapes and cuts them.
  std::vector<std::string> warnings;
};

// Who somebody is, without what is theirs. `email` is the first value that is not blank, else a NameID of format
// emailAddress; with email_domains exactly one value must be there, and be an address in them.
// Reasons: no_stable_user (transient NameID as user), no_user (no NameID, or the attribute missing, empty or with
// several values), email_domain_not_allowed.
Result<Account> resolve_account(const Claims& claims, const IdentityRules& rules);

// All of it. `explanation` (may be null) gets every decision.
//
// Without a policy: groups as sent (never split, blank and repeated ones left out), spaces and roles by the
// pairing rules with everything known. Of names, picture, time zone and account role the first value that is not
// blank counts; values stay as sent, blanks included.
// Reasons: not_provisioned, user_disabled, group_overage; store_unavailable where Known::listed is missing.
Result<Identity> resolve_identity(const Account& account, const Claims& claims, const IdentityRules& rules,
                                  const Known& known, Explanation* explanation);

// Both steps.
Result<Identity> resolve_identity(const Claims& claims, const IdentityRules& rules,
                                  const Known& known = {}, Explanation* explanation = nullptr);

}  // namespace sallyport::policy
