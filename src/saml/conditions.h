// The checks of the Web Browser SSO profile over a response whose signature holds (SAML Profiles
// 4.1.4.2 and 4.1.4.3, Core 2.5 and 3.2.2).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "saml/authn_request.h"
#include "saml/response.h"

namespace sallyport::saml {

// What this answer must be. Views live as long as the call.
struct Expectation {
  std::string_view sp_entity_id;
  std::string_view acs_url;        // where it arrived, from the configuration
  std::string_view idp_entity_id;
  std::optional<std::string_view> request_id;  // nullopt: unsolicited, must name none
  Millis now = 0;
  Millis skew = 180 * kSecond;
  Millis max_assertion_age = 24 * kHour;
  const std::vector<std::string>* authn_contexts = nullptr;  // null or empty: any
  AuthnContextComparison comparison = AuthnContextComparison::kExact;
};

// What the checks yield beside "yes".
struct Accepted {
  const AuthnStatement* authn = nullptr;           // the statement that counts
  std::optional<Millis> session_not_on_or_after;   // the earliest of all statements
  // Until when the same assertion could be accepted again: what the replay memory must outlive.
  Millis replay_until = 0;
};

// Valid iff NotBefore - skew <= now < NotOnOrAfter + skew, for each bound. Reasons: one word each, with
// expected and received values in the detail.
Result<Accepted> check_response(const VerifiedResponse& response, const Expectation& expected);

}  // namespace sallyport::saml
