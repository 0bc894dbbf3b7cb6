#include "login/resolve_login.h"

#include <algorithm>
#include <utility>

#include "login/grants.h"
#include "login/identity_record.h"
#include "policy/identity_headers.h"
#include "policy/single_value.h"
#include "session/record.h"

namespace sallyport::login {
namespace {

using session::Field;
using session::RecordBuilder;

void set_subject(const saml::NameId& name_id, RecordBuilder& record) {
  record.set(Field::kNameId, policy::encode_value(name_id.value));
  record.set(Field::kNameIdFormat, policy::encode_value(name_id.format));
  record.set(Field::kNameQualifier, policy::encode_value(name_id.name_qualifier));
  record.set(Field::kSpNameQualifier, policy::encode_value(name_id.sp_name_qualifier));
}

// Blank values alone say nothing: no header of commas.
std::string encoded_values(const saml::Attribute& attribute) {
  const std::vector<std::string>& values = attribute.values;
  return std::all_of(values.begin(), values.end(), policy::is_blank) ? std::string() : policy::encode_list(values);
}

Result<std::string> build_record(const FinishLogin& input, const AcceptedLogin& login,
                                 const EncodedIdentity& encoded, std::size_t listed_spaces,
                                 const policy::UserList* listed) {
  const Trust& trust = *input.trust;
  const saml::AuthnStatement& authn = *login.accepted.authn;
  RecordBuilder record;
  record.set_binding(trust.binding);
  record.set_times(input.now, authn.authn_instant, login.expires);
  record.set_resolution({rules_digest_of(trust, listed), input.generation});
  record.set_listed_spaces(listed_spaces);
  set_identity(encoded, record);
  record.set(Field::kHost, input.host);
  if (login.claims.name_id) set_subject(*login.claims.name_id, record);
  record.set(Field::kSessionIndex, policy::encode_value(authn.session_index));
  record.set(Field::kAuthnContext, policy::encode_value(authn.context_class_ref));
  record.set(Field::kIdpEntityId, policy::encode_value(trust.idp_entity_id));
  record.set(Field::kSpEntityId, policy::encode_value(trust.sp_entity_id));
  for (const saml::Attribute& attribute : login.claims.attributes) {
    record.add_attribute(attribute.name, encoded_values(attribute));
  }
  std::optional<std::string> bytes = record.build();
  if (!bytes) return Error{Reason::kIdentityTooLarge, "all attributes together exceed 64 KB"};
  return std::move(*bytes);
}

void append_joined(std::string& out, std::string_view part) {
  out += part;
  out += '\0';  // never part of XML text, so different parts never join to the same
}

Digest answer_of(const saml::Assertion& assertion) {
  return sha256(assertion.issuer + '\0' + assertion.id);
}

const std::string& group_source(const policy::IdentityRules& rules) {
  static const std::string kDefault = "groups";
  return rules.policy == nullptr ? kDefault : rules.policy->groups_from;
}

// The first profile stays; where none is kept, none is remembered.
std::optional<policy::Profile> profile_to_keep(const policy::IdentityRules& rules,
                                               const session::UserMemory* previous,
                                               const policy::Identity& identity) {
  if (rules.policy == nullptr || !rules.policy->keeps_first_profile) return std::nullopt;
  if (previous != nullptr && previous->profile) return previous->profile;
  return identity.profile;
}

session::UserMemory memory_of(const FinishLogin& input, const AcceptedLogin& login,
                              const session::UserMemory* previous, const policy::Identity& identity) {
  session::UserMemory memory;
  memory.last_login = input.now;
  memory.groups = policy::encode_list(identity.groups);
  memory.spaces = policy::encode_spaces(identity.spaces);
  memory.profile = profile_to_keep(*input.trust->rules, previous, identity);
  for (const saml::Attribute& attribute : login.claims.attributes) {
    memory.attributes.push_back(session::attribute_tag(attribute.name));
  }
  return memory;
}

bool has(const std::vector<std::uint32_t>& tags, std::uint32_t tag) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

// An attribute that means something here and came with the previous login, but not with this one: most often
// somebody changed the IdP's settings.
void warn_of_missing(const policy::IdentityRules& rules, const session::UserMemory& previous,
                     const session::UserMemory& present, policy::Identity& identity) {
  const auto is_present = [&](std::uint32_t tag) { return has(present.attributes, tag); };
  if (std::all_of(previous.attributes.begin(), previous.attributes.end(), is_present)) return;
  rules.attributes.for_each_source([&](const std::string& name) {
    const std::uint32_t tag = session::attribute_tag(name);
    if (!has(previous.attributes, tag) || is_present(tag)) return;
    identity.warnings.push_back("the attribute " + name +
                                ", which came with this user's previous login, was not sent");
  });
}

}  // namespace

Result<FinishedLogin> resolve_login(const FinishLogin& input, const AcceptedLogin& login,
                                    const session::UserMemory* previous, policy::Explanation* explanation,
                                    const policy::UserList* listed) {
  const Trust& trust = *input.trust;
  const policy::IdentityRules& rules = *trust.rules;
  const policy::Profile* first = previous != nullptr && previous->profile ? &*previous->profile : nullptr;
  Result<policy::Identity> identity =
      policy::resolve_identity(login.account, login.claims, rules, {first, listed}, explanation);
  if (!identity) return std::move(identity).error();
  const EncodedIdentity encoded = encode_identity(*identity, trust.idp_name);
  Result<std::string> overflow = check_limits(encoded, input.limits);
  if (!overflow) return std::move(overflow).error();
  Result<std::string> record = build_record(input, login, encoded, identity->listed_spaces, listed);
  if (!record) return std::move(record).error();

  const saml::Assertion& assertion = login.response.assertion;
  FinishedLogin finished;
  finished.record = std::move(record).value();
  finished.expires = login.expires;
  finished.answer = answer_of(assertion);
  finished.replay_until = login.accepted.replay_until;
  finished.owner = owner_of(trust.idp_name, identity->user);
  finished.name_id = login.claims.name_id.value_or(saml::NameId());
  finished.session_index = login.accepted.authn->session_index;
  finished.idp_session_hash = idp_session_hash(assertion.issuer, finished.name_id, finished.session_index);
  finished.memory = memory_of(input, login, previous, *identity);
  finished.changes = describe_changes(
      previous == nullptr ? Grants() : Grants{previous->groups, previous->spaces},
      {finished.memory.groups, finished.memory.spaces});
  if (previous != nullptr) warn_of_missing(rules, *previous, finished.memory, *identity);
  finished.identity = std::move(identity).value();
  finished.received_groups =
      policy::values_of(rules.attributes, login.claims.attributes, group_source(rules));
  finished.overflow = std::move(overflow).value();
  return finished;
}

Result<FinishedLogin> finish_login(const FinishLogin& input) {
  const Result<AcceptedLogin> login = accept_login(input);
  if (!login) return login.error();
  return resolve_login(input, *login, nullptr, nullptr);
}

session::Owner owner_of(std::string_view idp_name, std::string_view user) {
  std::string joined;
  append_joined(joined, idp_name);
  append_joined(joined, user);
  return session::make_owner(hash_tag(idp_name), hash_tag(joined));
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
  constexpr std::size_t kMaxLine = 1500;
  constexpr std::size_t kMaxList = 300;
  std::string line = "idp=" + logged(idp_name);
  line += " user=" + logged(login.identity.user);
  line += " spaces=" + logged(policy::encode_spaces(login.identity.spaces), kMaxList);
  line += " groups=" + logged(policy::encode_list(login.identity.groups), kMaxList);
  const std::size_t taken = line.size() + login.changes.size();
  line += " received_groups=" +
          logged(policy::encode_list(login.received_groups), std::max(kMaxLine - std::min(taken, kMaxLine), kMaxList / 3));
  if (!login.changes.empty()) line += " " + login.changes;
  return line;
}

}  // namespace sallyport::login
