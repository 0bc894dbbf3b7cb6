// A running session under changed rules (`on_change resolve`): what a login with the same words of the IdP
// would be now.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "login/trust.h"
#include "policy/profile.h"
#include "session/record.h"

namespace sallyport::login {

struct ResolvedAgain {
  std::string record;   // the session's record; binding, times and attributes are as before
  std::string changes;  // "+GRANTED -REVOKED" for the log; empty: none
  std::vector<std::string> warnings;  // as those of policy::Identity
};

// `session` is the whole record of a session of this Trust.
// Reasons: those of policy::resolve_identity; no_user where the user would be another one now.
Result<ResolvedAgain> resolve_again(const session::RecordView& session, const Trust& trust,
                                    const policy::Known& known, std::uint32_t generation);

// What a session shows of its user's profile, where nothing else is known of the first login. Spaces that the operator's list
// gave are not of it.
policy::Profile profile_of(const session::RecordView& session);

// The user of a session, as text.
std::string user_of(const session::RecordView& session);

}  // namespace sallyport::login
