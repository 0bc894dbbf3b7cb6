#include "login/finish_login.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "login/gate.h"
#include "saml/claimed_issuer.h"
#include "saml/conditions.h"
#include "saml/response.h"

namespace sallyport::login {
namespace {

Result<std::string> decode_message(std::string_view saml_response, std::size_t max_bytes) {
  // Line breaks allow base64 to be longer than 4/3, but not twice as long.
  const Error too_large{Reason::kTooLarge, "the SAMLResponse is larger than " +
                                               std::to_string(max_bytes) + " bytes"};
  if (saml_response.size() / 2 > max_bytes) return too_large;
  std::optional<std::string> message = base64_decode(saml_response);
  if (!message) return Error{Reason::kBase64Invalid, "the SAMLResponse is not base64"};
  if (message->size() > max_bytes) return too_large;
  return std::move(*message);
}

saml::Expectation expectation_of(const FinishLogin& input) {
  const Trust& trust = *input.trust;
  saml::Expectation expected;
  expected.sp_entity_id = trust.sp_entity_id;
  expected.acs_url = trust.acs_url;
  expected.idp_entity_id = trust.idp_entity_id;
  expected.request_id = input.request_id;
  expected.now = input.now;
  expected.skew = input.skew;
  expected.max_assertion_age = input.max_assertion_age;
  expected.authn_contexts = &trust.authn_contexts;
  expected.comparison = trust.comparison;
  return expected;
}

// The clock skew lets an answer in late; it does not lengthen a session.
Result<Millis> session_end(const FinishLogin& input, const saml::Accepted& accepted) {
  const Millis longest = input.now + input.session_timeout;
  if (!accepted.session_not_on_or_after) return longest;
  const Millis end = *accepted.session_not_on_or_after;
  if (end > input.now) return std::min(longest, end);
  return Error{Reason::kExpired, "the session would end before it begins: SessionNotOnOrAfter " +
                                     format_instant(end) + ", now " + format_instant(input.now)};
}

// Step-up: the IdP was asked for a fresh login (Core 3.4.1, ForceAuthn) and may have ignored that.
Status check_authn_age(const FinishLogin& input, const saml::AuthnStatement& authn) {
  if (is_fresh({authn.authn_instant, input.now}, input.max_authn_age, input.skew, input.now)) return Done{};
  return Error{Reason::kAuthnTooOld,
               "the login at the IdP must not be older than " +
                   std::to_string(input.max_authn_age / kSecond) + " s: AuthnInstant " +
                   format_instant(authn.authn_instant) + ", now " + format_instant(input.now)};
}

// Of metadata that expired while nginx ran. (Without any, there is no certificate by which an answer could be good.)
Status check_age(const Trust& trust, Millis now) {
  auto error = trust.valid_until ? trust.unavailable(now) : std::nullopt;
  if (error) return std::move(*error);
  return Done{};
}

// Whether what was read may be believed here and now, and who it is.
Result<AcceptedLogin> accept(const FinishLogin& input, saml::VerifiedResponse response) {
  AcceptedLogin login;
  login.response = std::move(response);
  Result<saml::Accepted> accepted = saml::check_response(login.response, expectation_of(input));
  if (!accepted) return std::move(accepted).error();
  login.accepted = std::move(accepted).value();
  SALLYPORT_TRY(check_authn_age(input, *login.accepted.authn));
  Result<Millis> end = session_end(input, login.accepted);
  if (!end) return std::move(end).error();
  login.expires = *end;
  login.claims = {login.response.assertion.name_id, std::move(login.response.assertion.attributes)};
  Result<policy::Account> account = policy::resolve_account(login.claims, *input.trust->rules);
  if (!account) return std::move(account).error();
  login.account = std::move(account).value();
  return login;
}

}  // namespace

Result<std::optional<std::string>> claimed_issuer(std::string_view saml_response, std::size_t max_message_bytes) {
  const Result<std::string> message = decode_message(saml_response, max_message_bytes);
  if (!message) return Error(message.error());
  return saml::claimed_issuer(*message, xml::message_limits(max_message_bytes));
}

const LoginSteps::Step LoginSteps::kSteps[] = {&LoginSteps::open, &LoginSteps::verify,
                                              &LoginSteps::decrypt, &LoginSteps::confirm,
                                              &LoginSteps::finish};

LoginSteps::LoginSteps(const FinishLogin& input)
    : input_(input),
      reader_({&input.trust->certificates, input.trust->algorithms, input.trust->require_signed},
              {&input.trust->decryption_keys, input.trust->encryption,
               input.trust->require_encrypted},
              xml::message_limits(input.max_message_bytes)),
      result_(Error{Reason::kInternal, "the login was not worked off"}) {}

bool LoginSteps::advance() {
  Status done = (this->*kSteps[next_++])();
  if (done.ok()) return next_ < std::size(kSteps);
  result_ = std::move(done).error();
  return false;
}

Status LoginSteps::open() {
  SALLYPORT_TRY(check_age(*input_.trust, input_.now));
  const Result<std::string> message = decode_message(input_.saml_response, input_.max_message_bytes);
  if (!message) return Error(message.error());
  return reader_.open(*message);
}

Status LoginSteps::verify() {
  if (!reader_.is_encrypted()) ++next_;  // past decrypt
  return reader_.verify();
}

Status LoginSteps::decrypt() { return reader_.decrypt(); }

Status LoginSteps::confirm() { return reader_.confirm(); }

Status LoginSteps::finish() {
  Result<saml::VerifiedResponse> response = reader_.read();
  if (!response) return std::move(response).error();
  result_ = accept(input_, std::move(response).value());
  return Done{};
}

Result<AcceptedLogin> accept_login(const FinishLogin& input) {
  LoginSteps steps(input);
  while (steps.advance()) {
  }
  return steps.take_result();
}

}  // namespace sallyport::login
