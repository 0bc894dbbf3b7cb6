#include "saml/conditions.h"

#include <algorithm>

#include "saml/names.h"

namespace sallyport::saml {

namespace {

std::string_view or_none(const std::optional<std::string>& value) {
  return value ? std::string_view(*value) : std::string_view("(none)");
}

Error mismatch(Reason reason, std::string_view what, std::string_view expected,
               std::string_view received) {
  return {reason, expected_received(what, expected, received)};
}

// --- Where the answer belongs ---

// Bindings 3.5.5.2: a signed message must say where it is sent.
Status check_destination(const ResponseHeader& header, const Expectation& expected) {
  if (!header.destination && !header.is_signed) return Done{};
  if (header.destination == expected.acs_url) return Done{};
  return mismatch(Reason::kDestinationMismatch, "Destination", expected.acs_url,
                  or_none(header.destination));
}

Status check_issuers(const VerifiedResponse& response, const Expectation& expected) {
  const auto& outer = response.header.issuer;
  if (outer && *outer != expected.idp_entity_id) {
    return mismatch(Reason::kIssuerMismatch, "Issuer of the Response", expected.idp_entity_id,
                    *outer);
  }
  if (response.assertion.issuer != expected.idp_entity_id) {
    return mismatch(Reason::kIssuerMismatch, "Issuer of the Assertion", expected.idp_entity_id,
                    response.assertion.issuer);
  }
  return Done{};
}

// Core 3.2.2; an unsolicited answer names no request (Profiles 4.1.5).
Status check_in_response_to(const std::optional<std::string>& received, std::string_view where,
                            const Expectation& expected) {
  if (received == expected.request_id) return Done{};
  return mismatch(Reason::kInResponseToMismatch, "InResponseTo of the " + std::string(where),
                  expected.request_id.value_or("(none)"), or_none(received));
}

// Every restriction must name us (Core 2.5.1.4), and there must be one (Profiles 4.1.4.2).
Status check_audience(const Assertion& assertion, const Expectation& expected) {
  if (assertion.audience_restrictions.empty()) {
    return mismatch(Reason::kAudienceMismatch, "Audience", expected.sp_entity_id, "(none)");
  }
  for (const std::vector<std::string>& audiences : assertion.audience_restrictions) {
    const auto ours = std::find(audiences.begin(), audiences.end(), expected.sp_entity_id);
    if (ours != audiences.end()) continue;
    return mismatch(Reason::kAudienceMismatch, "Audience", expected.sp_entity_id,
                    audiences.front());
  }
  return Done{};
}

// An identifier that the IdP made for another service provider means another user.
Status check_name_id_scope(const Assertion& assertion, const Expectation& expected) {
  if (!assertion.name_id) return Done{};
  const std::string& scope = assertion.name_id->sp_name_qualifier;
  if (scope.empty() || scope == expected.sp_entity_id) return Done{};
  return mismatch(Reason::kAudienceMismatch, "SPNameQualifier of the NameID",
                  expected.sp_entity_id, scope);
}

// --- Times: valid iff NotBefore - skew <= now < NotOnOrAfter + skew ---

Error outside(Reason reason, std::string_view what, Millis bound, const Expectation& expected) {
  std::string detail(what);
  detail += ' ' + format_instant(bound) + ", now " + format_instant(expected.now) +
            ", clock skew " + std::to_string(expected.skew / kSecond) + " s";
  return {reason, std::move(detail)};
}

Status check_begun(std::string_view what, Millis not_before, const Expectation& expected) {
  if (not_before - expected.skew <= expected.now) return Done{};
  return outside(Reason::kNotYetValid, what, not_before, expected);
}

Status check_not_ended(std::string_view what, Millis not_on_or_after,
                       const Expectation& expected) {
  if (expected.now < not_on_or_after + expected.skew) return Done{};
  return outside(Reason::kExpired, what, not_on_or_after, expected);
}

Status check_issue_instant(std::string_view what, Millis issued, const Expectation& expected) {
  SALLYPORT_TRY(check_begun(what, issued, expected));
  if (issued + expected.max_assertion_age + expected.skew >= expected.now) return Done{};
  return outside(Reason::kLifetimeTooLong, what, issued, expected);
}

Status check_times(const VerifiedResponse& response, const Expectation& expected) {
  const Assertion& assertion = response.assertion;
  if (assertion.not_before) {
    SALLYPORT_TRY(check_begun("Conditions NotBefore", *assertion.not_before, expected));
  }
  if (assertion.not_on_or_after) {
    SALLYPORT_TRY(check_not_ended("Conditions NotOnOrAfter", *assertion.not_on_or_after, expected));
  }
  SALLYPORT_TRY(check_issue_instant("IssueInstant of the Response", response.header.issue_instant,
                                    expected));
  return check_issue_instant("IssueInstant of the Assertion", assertion.issue_instant, expected);
}

// --- Subject confirmation (Profiles 4.1.4.2 and 4.1.4.3) ---

Status check_confirmation_times(const SubjectConfirmation& confirmation,
                                const Expectation& expected) {
  constexpr std::string_view kWhat = "SubjectConfirmationData NotOnOrAfter";
  if (!confirmation.not_on_or_after) {
    return Error{Reason::kConfirmationInvalid, "bearer SubjectConfirmationData: no NotOnOrAfter"};
  }
  const Millis end = *confirmation.not_on_or_after;
  SALLYPORT_TRY(check_not_ended(kWhat, end, expected));
  if (end > expected.now + expected.max_assertion_age + expected.skew) {
    return outside(Reason::kLifetimeTooLong, kWhat, end, expected);
  }
  return Done{};
}

// The steps in the order in which a better confirmation gets further.
constexpr int kConfirmationSteps = 5;

Status confirmation_step(int step, const SubjectConfirmation& confirmation,
                         const Expectation& expected) {
  switch (step) {
    case 0:
      if (confirmation.has_data) return Done{};
      return Error{Reason::kConfirmationInvalid, "bearer without SubjectConfirmationData"};
    case 1:
      if (confirmation.recipient == expected.acs_url) return Done{};
      return mismatch(Reason::kRecipientMismatch, "Recipient", expected.acs_url,
                      or_none(confirmation.recipient));
    case 2:
      return check_in_response_to(confirmation.in_response_to, "SubjectConfirmationData", expected);
    case 3:
      if (!confirmation.not_before) return Done{};
      return Error{Reason::kConfirmationInvalid, "bearer SubjectConfirmationData with NotBefore"};
    default:
      return check_confirmation_times(confirmation, expected);
  }
}

// One good bearer confirmation is enough; else the error of the one that got furthest.
Status check_confirmations(const Assertion& assertion, const Expectation& expected) {
  int furthest = -1;
  Error error{Reason::kConfirmationInvalid, "no bearer SubjectConfirmation"};
  for (const SubjectConfirmation& confirmation : assertion.confirmations) {
    if (confirmation.method != kMethodBearer) continue;
    int step = 0;
    Status status = Done{};
    while (step < kConfirmationSteps) {
      status = confirmation_step(step, confirmation, expected);
      if (!status.ok()) break;
      ++step;
    }
    if (status.ok()) return Done{};
    if (step > furthest) {
      furthest = step;
      error = std::move(status).error();
    }
  }
  return error;
}

// --- Authentication statements ---

Status check_authn_instants(const Assertion& assertion, const Expectation& expected) {
  for (const AuthnStatement& statement : assertion.authn_statements) {
    SALLYPORT_TRY(check_begun("AuthnInstant", statement.authn_instant, expected));
    if (!statement.session_not_on_or_after) continue;
    SALLYPORT_TRY(check_not_ended("SessionNotOnOrAfter", *statement.session_not_on_or_after,
                                  expected));
  }
  return Done{};
}

bool fits(const AuthnStatement& statement, const Expectation& expected) {
  return expected.authn_contexts == nullptr || expected.authn_contexts->empty() ||
         context_satisfies(statement.context_class_ref, *expected.authn_contexts,
                           expected.comparison);
}

// Of the statements whose context is as asked for the one with the latest AuthnInstant, the first of equals:
// after a step-up an IdP may list the earlier login too.
Result<const AuthnStatement*> choose_statement(const Assertion& assertion,
                                               const Expectation& expected) {
  if (assertion.authn_statements.empty()) {
    return Error{Reason::kStructureInvalid, "an Assertion without AuthnStatement"};
  }
  const AuthnStatement* latest = nullptr;
  for (const AuthnStatement& statement : assertion.authn_statements) {
    if (!fits(statement, expected)) continue;
    if (latest == nullptr || statement.authn_instant > latest->authn_instant) latest = &statement;
  }
  if (latest != nullptr) return latest;
  std::string what = "AuthnContextClassRef (";
  what += comparison_word(expected.comparison);
  what += ')';
  return mismatch(Reason::kAuthnContextMismatch, what, expected.authn_contexts->front(),
                  assertion.authn_statements.front().context_class_ref);
}

// The last instant, exclusive, at which any of the bearer confirmations could still be accepted.
Millis replay_until(const Assertion& assertion, const Expectation& expected) {
  Millis end = expected.now;
  for (const SubjectConfirmation& confirmation : assertion.confirmations) {
    if (confirmation.method != kMethodBearer) continue;
    end = std::max(end, confirmation.not_on_or_after.value_or(expected.now));
  }
  if (assertion.not_on_or_after) end = std::min(end, *assertion.not_on_or_after);
  end = std::min(end, assertion.issue_instant + expected.max_assertion_age + 1);
  return end + expected.skew;
}

}  // namespace

Result<Accepted> check_response(const VerifiedResponse& response, const Expectation& expected) {
  const Assertion& assertion = response.assertion;
  SALLYPORT_TRY(check_destination(response.header, expected));
  SALLYPORT_TRY(check_issuers(response, expected));
  SALLYPORT_TRY(check_in_response_to(response.header.in_response_to, "Response", expected));
  SALLYPORT_TRY(check_audience(assertion, expected));
  SALLYPORT_TRY(check_name_id_scope(assertion, expected));
  SALLYPORT_TRY(check_confirmations(assertion, expected));
  SALLYPORT_TRY(check_times(response, expected));
  SALLYPORT_TRY(check_authn_instants(assertion, expected));
  auto statement = choose_statement(assertion, expected);
  if (!statement.ok()) return std::move(statement).error();

  Accepted out;
  out.authn = *statement;
  for (const AuthnStatement& each : assertion.authn_statements) {
    const auto end = each.session_not_on_or_after;
    if (end && (!out.session_not_on_or_after || *end < *out.session_not_on_or_after)) {
      out.session_not_on_or_after = end;
    }
  }
  out.replay_until = replay_until(assertion, expected);
  return out;
}

}  // namespace sallyport::saml
