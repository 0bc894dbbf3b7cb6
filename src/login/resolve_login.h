// What a login's user gets: identity, session record, and what is remembered of the user.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/instant.h"
#include "base/result.h"
#include "login/finish_login.h"
#include "policy/identity.h"
#include "session/user_memory.h"

namespace sallyport::login {

struct FinishedLogin {
  std::string record;             // session/record, complete
  Millis expires = 0;             // absolute end of the session
  Digest answer{};                // SHA-256 of issuer, NUL, assertion ID: the replay mark's key
  Millis replay_until = 0;
  session::Owner owner = 0;             // of the IdP's name and the user: index by user
  std::uint64_t idp_session_hash = 0;   // of issuer, qualifiers, NameID, SessionIndex
  saml::NameId name_id;                 // with an empty value where none came
  std::string session_index;
  policy::Identity identity;
  session::UserMemory memory;     // to be remembered of the user
  std::string changes;            // "+GRANTED -REVOKED" against the user's previous login
  std::vector<std::string> received_groups;  // values of the groups attribute, for the log
  std::string overflow;           // names of lists that will be cut, comma-separated
};

// `previous` (may be null) is what the user's previous login left; `explanation` (may be null) gets every decision;
// `listed` as policy::Known. Reasons: those of policy::resolve_identity, identity_too_large.
Result<FinishedLogin> resolve_login(const FinishLogin& input, const AcceptedLogin& login,
                                    const session::UserMemory* previous, policy::Explanation* explanation,
                                    const policy::UserList* listed = nullptr);

// accept_login() and resolve_login() of a user of whom nothing is remembered.
Result<FinishedLogin> finish_login(const FinishLogin& input);

// The index hashes (decision 11), also of what a LogoutRequest names.
session::Owner owner_of(std::string_view idp_name, std::string_view user);
std::uint64_t idp_session_hash(std::string_view issuer, const saml::NameId& name_id,
                               std::string_view session_index);

// One line for the log: "idp=... user=... spaces=... groups=... received_groups=... +... -...", escaped, each
// value in quotes where it holds a blank. nginx cuts its lines at 2 KB: long values are cut so that the changes, and
// what nginx says of the request, always find room.
std::string describe_login(const FinishedLogin& login, std::string_view idp_name);

}  // namespace sallyport::login
