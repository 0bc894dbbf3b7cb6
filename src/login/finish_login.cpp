#include "login/finish_login.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "login/gate.h"
#include "login/standard_headers.h"
#include "policy/identity_headers.h"
#include "saml/conditions.h"
#include "saml/response.h"
#include "session/record.h"

namespace sallyport::login {
namespace {

using session::Field;
using session::RecordBuilder;

// Everything of one login on its way to the record.
struct Login {
  saml::VerifiedResponse response;
  saml::Accepted accepted;  // points into `response`
  Millis expires = 0;
};

Result<std::string> decode_message(const FinishLogin& input) {
  // Line breaks allow base64 to be longer than 4/3, but not twice as long.
  const Error too_large{Reason::kTooLarge, "the SAMLResponse is larger than " +
                                               std::to_string(input.max_message_bytes) + " bytes"};
  if (input.saml_response.size() / 2 > input.max_message_bytes) return too_large;
  std::optional<std::string> message = base64_decode(input.saml_response);
  if (!message) return Error{Reason::kBase64Invalid, "the SAMLResponse is not base64"};
  if (message->size() > input.max_message_bytes) return too_large;
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

struct EncodedIdentity {
  std::array<std::string, kStandardHeaders.size()> values;  // beside kStandardHeaders
};

EncodedIdentity encode_identity(const policy::Identity& identity, std::string_view idp_name) {
  return {{policy::encode_value(identity.user), policy::encode_value(identity.email),
           policy::encode_value(identity.first_name), policy::encode_value(identity.last_name),
           policy::encode_value(identity.display_name), policy::encode_value(identity.picture),
           policy::encode_value(identity.timezone), policy::encode_spaces(identity.spaces),
           policy::encode_roles(identity.spaces), policy::encode_list(identity.groups),
           policy::encode_value(identity.account_role), policy::encode_value(idp_name)}};
}

Result<std::string> check_limits(const EncodedIdentity& encoded, const HeaderLimits& limits) {
  HeaderValues values;
  std::copy(encoded.values.begin(), encoded.values.end(), values.begin());
  return fit_headers(values, limits);
}

void set_subject(const saml::NameId& name_id, RecordBuilder& record) {
  record.set(Field::kNameId, policy::encode_value(name_id.value));
  record.set(Field::kNameIdFormat, policy::encode_value(name_id.format));
  record.set(Field::kNameQualifier, policy::encode_value(name_id.name_qualifier));
  record.set(Field::kSpNameQualifier, policy::encode_value(name_id.sp_name_qualifier));
}

Result<std::string> build_record(const FinishLogin& input, const Login& login,
                                 const EncodedIdentity& encoded) {
  const Trust& trust = *input.trust;
  const saml::AuthnStatement& authn = *login.accepted.authn;
  RecordBuilder record;
  record.set_binding(trust.binding);
  record.set_times(input.now, authn.authn_instant, login.expires);
  for (std::size_t i = 0; i < kStandardHeaders.size(); ++i) {
    record.set(kStandardHeaders[i].field, encoded.values[i]);
  }
  if (login.response.assertion.name_id) set_subject(*login.response.assertion.name_id, record);
  record.set(Field::kSessionIndex, policy::encode_value(authn.session_index));
  record.set(Field::kAuthnContext, policy::encode_value(authn.context_class_ref));
  record.set(Field::kIdpEntityId, policy::encode_value(trust.idp_entity_id));
  record.set(Field::kSpEntityId, policy::encode_value(trust.sp_entity_id));
  for (const saml::Attribute& attribute : login.response.assertion.attributes) {
    record.add_attribute(attribute.name, policy::encode_list(attribute.values));
  }
  std::optional<std::string> bytes = record.build();
  if (!bytes) return Error{Reason::kIdentityTooLarge, "all attributes together exceed 64 KB"};
  return std::move(*bytes);
}

// Step-up: the IdP was asked for a fresh login (Core 3.4.1, ForceAuthn) and may have ignored that.
Status check_authn_age(const FinishLogin& input, const saml::AuthnStatement& authn) {
  if (is_fresh(authn.authn_instant, input.max_authn_age, input.skew, input.now)) return Done{};
  return Error{Reason::kAuthnTooOld,
               "the login at the IdP must not be older than " +
                   std::to_string(input.max_authn_age / kSecond) + " s: AuthnInstant " +
                   format_instant(authn.authn_instant) + ", now " + format_instant(input.now)};
}

// Whether what was read may be believed here and now.
Result<Login> accept(const FinishLogin& input, saml::VerifiedResponse response) {
  Login login;
  login.response = std::move(response);
  Result<saml::Accepted> accepted = saml::check_response(login.response, expectation_of(input));
  if (!accepted) return std::move(accepted).error();
  login.accepted = std::move(accepted).value();
  SALLYPORT_TRY(check_authn_age(input, *login.accepted.authn));
  Result<Millis> end = session_end(input, login.accepted);
  if (!end) return std::move(end).error();
  login.expires = *end;
  return login;
}

void append_joined(std::string& out, std::string_view part) {
  out += part;
  out += '\0';  // never part of XML text, so different parts never join to the same
}

Digest answer_of(const saml::Assertion& assertion) {
  return sha256(assertion.issuer + '\0' + assertion.id);
}

// What the application will see of it, and the record that keeps that.
Result<FinishedLogin> resolve(const FinishLogin& input, const Login& login) {
  const Trust& trust = *input.trust;
  const saml::Assertion& assertion = login.response.assertion;
  Result<policy::Identity> identity = policy::resolve_identity(assertion, trust.identity_rules);
  if (!identity) return std::move(identity).error();
  const EncodedIdentity encoded = encode_identity(*identity, trust.idp_name);
  Result<std::string> overflow = check_limits(encoded, input.limits);
  if (!overflow) return std::move(overflow).error();
  Result<std::string> record = build_record(input, login, encoded);
  if (!record) return std::move(record).error();

  FinishedLogin finished;
  finished.record = std::move(record).value();
  finished.expires = login.expires;
  finished.answer = answer_of(assertion);
  finished.replay_until = login.accepted.replay_until;
  finished.user_hash = user_hash(trust.idp_name, identity->user);
  finished.idp_session_hash =
      idp_session_hash(assertion.issuer, assertion.name_id.value_or(saml::NameId()),
                       login.accepted.authn->session_index);
  finished.identity = std::move(identity).value();
  const saml::Attribute* groups =
      trust.identity_rules.attributes.find(assertion.attributes, "groups");
  if (groups != nullptr) finished.received_groups = groups->values;
  finished.overflow = std::move(overflow).value();
  return finished;
}

// `name=value`, with quotes where a blank would make the line ambiguous.
void append_field(std::string& line, std::string_view name, std::string_view value) {
  constexpr std::size_t kMaxLogged = 2048;
  if (!line.empty()) line += ' ';
  line += name;
  line += '=';
  const bool quoted = value.find(' ') != std::string_view::npos;
  if (quoted) line += '"';
  line += log_escape(value, kMaxLogged);
  if (quoted) line += '"';
}

}  // namespace

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
  const Result<std::string> message = decode_message(input_);
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
  const Result<Login> login = accept(input_, std::move(response).value());
  if (!login) return Error(login.error());
  result_ = resolve(input_, *login);
  return Done{};
}

Result<FinishedLogin> finish_login(const FinishLogin& input) {
  LoginSteps steps(input);
  while (steps.advance()) {
  }
  return steps.take_result();
}

std::uint64_t user_hash(std::string_view idp_name, std::string_view user) {
  std::string joined;
  append_joined(joined, idp_name);
  append_joined(joined, user);
  return hash_tag(joined);
}

std::uint64_t idp_session_hash(std::string_view issuer, const saml::NameId& name_id,
                               std::string_view session_index) {
  std::string joined;
  append_joined(joined, issuer);
  append_joined(joined, name_id.name_qualifier);
  append_joined(joined, name_id.sp_name_qualifier);
  append_joined(joined, name_id.value);
  append_joined(joined, session_index);
  return hash_tag(joined);
}

std::string describe_login(const FinishedLogin& login, std::string_view idp_name) {
  std::string line;
  append_field(line, "idp", idp_name);
  append_field(line, "user", login.identity.user);
  append_field(line, "spaces", policy::encode_spaces(login.identity.spaces));
  append_field(line, "groups", policy::encode_list(login.identity.groups));
  append_field(line, "received_groups", policy::encode_list(login.received_groups));
  return line;
}

}  // namespace sallyport::login
