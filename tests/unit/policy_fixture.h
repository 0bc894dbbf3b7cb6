// Policies and claims for the tests of what users get.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policy/identity.h"
#include "saml/names.h"

namespace sallyport::policy_test {

using Texts = std::vector<std::string>;

// Claims of the user "u-1" with these attributes.
inline policy::Claims claims_with(std::vector<saml::Attribute> attributes) {
  return {saml::NameId{"u-1", std::string(saml::kFormatPersistent), "", ""}, std::move(attributes)};
}

inline policy::UserList list_of(const std::string& text) {
  unsigned line = 0;
  Result<policy::UserList> list = policy::UserList::parse(text, line);
  EXPECT_TRUE(list.ok()) << line << ": " << (list.ok() ? "" : list.error().detail);
  return list.ok() ? std::move(list).value() : std::move(*policy::UserList::parse("", line));
}

// The policy of the design's example: spaces Trial and DevOps, three roles of which "Member" is the default, group
// Platform by identifier and rule, Engineering by rule, Guests by hand.
inline std::shared_ptr<policy::Policy> example_policy() {
  auto policy = std::make_shared<policy::Policy>();
  policy->name = "main";
  policy->spaces.add("Trial", "nginx.conf:2");
  policy->spaces.add("DevOps", "nginx.conf:3");
  for (const char* role : {"Admin", "Developer", "Member"}) policy->roles.add(role, "nginx.conf:4");
  policy->roles.set_fallback("Member");
  const auto platform = policy->groups.add_group("Platform", "nginx.conf:7");
  const auto engineering = policy->groups.add_group("Engineering", "nginx.conf:8");
  policy->groups.add_group("Guests", "nginx.conf:9");
  policy->groups.add_idp_id(*platform, "3f2b0c1e-0000-4000-8000-000000000001", "nginx.conf:7");
  policy->groups.add_rule("department", policy::Condition::kExact, "R&D", *engineering, "nginx.conf:10");
  policy->groups.add_rule("groups", policy::Condition::kContains, "admin", *platform, "nginx.conf:11");
  policy->groups.compile();
  return policy;
}

inline policy::IdentityRules rules_with(std::shared_ptr<const policy::Policy> policy) {
  policy::IdentityRules rules;
  rules.idp_name = "okta";
  rules.policy = std::move(policy);
  return rules;
}

// "Trial=Member" for each pair.
inline Texts pairs_of(const policy::Identity& identity) {
  Texts pairs;
  for (const policy::SpaceRole& pair : identity.spaces) pairs.push_back(pair.space + "=" + pair.role);
  return pairs;
}

inline policy::Identity resolved(const policy::Claims& claims, const policy::IdentityRules& rules,
                                 const policy::Profile* first = nullptr) {
  Result<policy::Identity> identity = policy::resolve_identity(claims, rules, first);
  EXPECT_TRUE(identity.ok()) << (identity.ok() ? "" : identity.error().detail);
  return identity.ok() ? *identity : policy::Identity();
}

}  // namespace sallyport::policy_test
