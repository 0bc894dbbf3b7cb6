// Policies and attributes of any kind: nobody gets a space, role or group that the policy does not know; what headers
// hold comes back exactly; and a session's record leads to the same identity as the assertion that it was made of.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "login/identity_record.h"
#include "policy/identity.h"
#include "policy/identity_headers.h"
#include "session/record.h"
#include "support/fuzz_input.h"
#include "support/fuzz_target.h"

namespace {

using namespace sallyport;
using policy::Identity;
using policy::Policy;

const char* const kNames[] = {"Trial", "DevOps", "Admin", "Space Member", "a", "R&D", "x=y", "3f2b0c1e-0000-4000-8000-000000000001"};
const char* const kAttributes[] = {"space_name", "space_role", "groups", "department", "account_role", "timezone",
                                   "mail", "givenName", "urn:x"};

std::string word(fuzz::FuzzInput& input) { return input.flag() ? input.pick(kNames) : input.text(12); }

void add_names(fuzz::FuzzInput& input, policy::KnownNames& known) {
  for (std::size_t i = input.number(0, 3); i > 0; --i) {
    const std::string name = input.pick(kNames);
    if (known.add(name, "conf:1") && input.flag()) known.set_fallback(name);
  }
}

void add_groups(fuzz::FuzzInput& input, policy::GroupRules& groups) {
  for (std::size_t i = input.number(0, 4); i > 0; --i) {
    const auto group = groups.add_group(input.pick(kNames), "conf:2");
    if (!group) continue;
    if (input.flag()) groups.add_idp_id(*group, word(input), "conf:2");
    if (!input.flag()) continue;
    const auto condition = input.flag() ? policy::Condition::kExact : policy::Condition::kContains;
    groups.add_rule(input.pick(kAttributes), condition, word(input), *group, "conf:3");
  }
  groups.compile();
}

std::shared_ptr<Policy> make_policy(fuzz::FuzzInput& input) {
  auto policy = std::make_shared<Policy>();
  add_names(input, policy->spaces);
  add_names(input, policy->roles);
  add_names(input, policy->account_roles);
  add_groups(input, policy->groups);
  policy->keeps_first_profile = input.flag();
  return policy;
}

policy::Claims make_claims(fuzz::FuzzInput& input) {
  policy::Claims claims{saml::NameId{"user", "", "", ""}, {}};
  for (const char* name : kAttributes) {
    if (!input.flag()) continue;
    std::vector<std::string> values;
    for (std::size_t i = input.number(0, 5); i > 0; --i) values.push_back(word(input));
    claims.attributes.push_back({name, "", std::move(values)});
  }
  return claims;
}

void check_known(const Policy& policy, const Identity& identity) {
  const auto is_role = [&](const std::string& role) {
    return role.empty() || policy.roles.knows(role) || role == policy.roles.fallback();
  };
  for (const policy::SpaceRole& pair : identity.spaces) {
    REQUIRE(policy.spaces.knows(pair.space) && is_role(pair.role));
  }
  REQUIRE(identity.account_role.empty() || policy.account_roles.knows(identity.account_role));
  for (const std::string& group : identity.groups) {
    REQUIRE(!group.empty());
    REQUIRE(!policy.groups.has_groups() || policy.groups.find_group(group).has_value());
  }
}

// Split at the commas, then percent-decode.
void check_encoding(const login::EncodedIdentity& encoded, const Identity& identity) {
  for (const std::string& value : encoded) {
    REQUIRE(std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7F; }));
  }
  const std::string& groups = encoded[static_cast<std::size_t>(session::Field::kGroups)];
  REQUIRE(policy::decode_list(groups) == identity.groups);
  const std::string& spaces = encoded[static_cast<std::size_t>(session::Field::kSpaces)];
  for (const policy::SpaceRole& pair : identity.spaces) {
    const auto found = policy::find_pair(spaces, pair.space);
    REQUIRE(found && policy::decode_value(found->role) == pair.role);
  }
}

policy::Claims through_a_record(const policy::Claims& claims) {
  session::RecordBuilder record;
  record.set(session::Field::kNameId, policy::encode_value(claims.name_id->value));
  for (const saml::Attribute& attribute : claims.attributes) {
    record.add_attribute(attribute.name, policy::encode_list(attribute.values));
  }
  const auto bytes = record.build();
  REQUIRE(bytes.has_value());
  return login::claims_of(*session::RecordView::open(*bytes));
}

}  // namespace

FUZZ_TARGET(policy) {
  fuzz::FuzzInput choices(input);
  const auto policy = make_policy(choices);
  policy::IdentityRules rules;
  rules.policy = policy;
  const policy::Claims first_claims = make_claims(choices);
  const auto first = policy::resolve_identity(first_claims, rules);
  REQUIRE(first.ok());
  const policy::Claims claims = make_claims(choices);
  policy::Explanation explanation;
  const auto identity = policy::resolve_identity(claims, rules, &first->profile, &explanation);
  REQUIRE(identity.ok());
  check_known(*policy, *identity);
  const login::EncodedIdentity encoded = login::encode_identity(*identity, "okta");
  check_encoding(encoded, *identity);
  const auto again = policy::resolve_identity(through_a_record(claims), rules, &first->profile);
  REQUIRE(again.ok() && login::encode_identity(*again, "okta") == encoded);
  for (const policy::Decision& decision : explanation) {
    for (const char c : policy::describe(decision)) REQUIRE(c >= 0x20 && c < 0x7F);
  }
}
