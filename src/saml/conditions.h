// The checks of the Web Browser SSO profile over a response whose signature holds (SAML Profiles
// 4.1.4.2 and 4.1.4.3, Core 2.5 and 3.2.2).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "saml/authn_context.h"
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
  // The latest statement with a context as asked for, the first of equals; never null.
  const AuthnStatement* authn = nullptr;
  std::optional<Millis> session_not_on_or_after;   // the earliest of all statements
  // From this instant on the same assertion cannot be accepted again: until then the replay memory
  // must know it. The latest NotOnOrAfter of all bearer confirmations, cut by Conditions and the
  // maximum age, with the skew.
  Millis replay_until = 0;
};

// Valid iff NotBefore - skew <= now < NotOnOrAfter + skew, for each bound. URLs, entity IDs and
// request IDs are compared byte for byte. The result points into `response`.
//
// Checked in this order, so that the reason is the most telling one; expected and received values
// are in the detail:
//   destination_mismatch     Destination is there and another, or absent on a signed Response
//   issuer_mismatch          Issuer of the Response (when sent) or of the Assertion
//   in_response_to_mismatch  of the Response: our request, or none at all when unsolicited
//   audience_mismatch        no AudienceRestriction, or one without us; a NameID for another SP
//   of the bearer confirmation that gets furthest (one good one is enough):
//     confirmation_invalid     none is bearer; no data; NotBefore, or no NotOnOrAfter
//     recipient_mismatch       Recipient is not our ACS URL
//     in_response_to_mismatch  as above
//     expired, lifetime_too_long  its NotOnOrAfter; too far ahead
//   not_yet_valid, expired   Conditions
//   not_yet_valid, lifetime_too_long  IssueInstant in the future, or older than the maximum age
//   not_yet_valid, expired   AuthnInstant; SessionNotOnOrAfter of any statement
//   structure_invalid        no AuthnStatement
//   authn_context_mismatch   no statement with a context as asked (saml/authn_context.h)
// SubjectConfirmationData Address is not checked: users sit behind proxies and change networks.
Result<Accepted> check_response(const VerifiedResponse& response, const Expectation& expected);

}  // namespace sallyport::saml
