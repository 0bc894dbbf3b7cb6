#include "policy/identity.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/encoding.h"
#include "policy/builtin_attributes.h"
#include "saml/names.h"

namespace sallyport::policy {
namespace {

constexpr std::size_t kMaxTimezone = 64;

bool is_blank(std::string_view text) { return trim_blanks(text).empty(); }

// The first value that is not blank; empty when there is none.
std::string single_value(const saml::Assertion& assertion, const IdentityRules& rules,
                         std::string_view alias) {
  const saml::Attribute* attribute = rules.attributes.find(assertion.attributes, alias);
  if (attribute == nullptr) return {};
  for (const std::string& value : attribute->values) {
    if (!is_blank(value)) return value;
  }
  return {};
}

Result<std::string> user_from_name_id(const saml::Assertion& assertion) {
  if (!assertion.name_id || is_blank(assertion.name_id->value)) {
    return Error{Reason::kNoUser,
                 "the assertion has no NameID; choose an attribute with `user ATTRIBUTE`"};
  }
  if (assertion.name_id->format == saml::kFormatTransient) {
    return Error{Reason::kNoStableUser,
                 "the NameID is transient, another one at each login; choose an attribute with "
                 "`user ATTRIBUTE`, or have the IdP send a persistent NameID (`name_id_format`)"};
  }
  return assertion.name_id->value;
}

Result<std::string> user_from_attribute(const saml::Assertion& assertion,
                                        const IdentityRules& rules) {
  const saml::Attribute* attribute =
      rules.attributes.find(assertion.attributes, rules.user_source);
  const std::string what = "the attribute of `user " + rules.user_source + "`";
  if (attribute == nullptr) return Error{Reason::kNoUser, what + " was not sent"};
  if (attribute->values.size() != 1) {
    return Error{Reason::kNoUser, what + " must have one value, received " +
                                      std::to_string(attribute->values.size())};
  }
  if (is_blank(attribute->values.front())) return Error{Reason::kNoUser, what + " is empty"};
  return attribute->values.front();
}

std::string email_of(const saml::Assertion& assertion, const IdentityRules& rules) {
  std::string email = single_value(assertion, rules, "email");
  if (email.empty() && assertion.name_id && assertion.name_id->format == saml::kFormatEmail &&
      !is_blank(assertion.name_id->value)) {
    email = assertion.name_id->value;
  }
  return email;
}

// The letters of tz database names; whether the zone exists is for whoever has that database.
bool looks_like_timezone(std::string_view name) {
  if (name.empty() || name.size() > kMaxTimezone) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-' || c == '/';
  });
}

void resolve_timezone(const saml::Assertion& assertion, const IdentityRules& rules,
                      Identity& identity) {
  std::string timezone = single_value(assertion, rules, "timezone");
  if (timezone.empty()) return;
  if (looks_like_timezone(timezone)) {
    identity.timezone = std::move(timezone);
  } else {
    identity.warnings.push_back("timezone dropped, it is not an IANA name: " + timezone);
  }
}

void resolve_groups(const saml::Assertion& assertion, const IdentityRules& rules,
                    Identity& identity) {
  const saml::Attribute* attribute = rules.attributes.find(assertion.attributes, "groups");
  if (attribute == nullptr) {
    const auto is_link = [](const saml::Attribute& a) { return a.name == kGroupsLinkClaim; };
    if (std::any_of(assertion.attributes.begin(), assertion.attributes.end(), is_link)) {
      identity.warnings.emplace_back(
          "the IdP sent a link instead of groups (Entra ID does so above 150 groups), so none are "
          "known; have it send only the groups assigned to the application");
    }
    return;
  }
  std::unordered_set<std::string_view> seen;
  for (const std::string& value : attribute->values) {
    if (!is_blank(value) && seen.insert(value).second) identity.groups.push_back(value);
  }
}

std::vector<std::string> items_of(const saml::Assertion& assertion, const IdentityRules& rules,
                                  std::string_view alias) {
  const saml::Attribute* attribute = rules.attributes.find(assertion.attributes, alias);
  return attribute == nullptr ? std::vector<std::string>() : split_items(attribute->values);
}

}  // namespace

Result<Identity> resolve_identity(const saml::Assertion& assertion, const IdentityRules& rules) {
  Result<std::string> user = rules.user_source.empty() ? user_from_name_id(assertion)
                                                       : user_from_attribute(assertion, rules);
  if (!user) return std::move(user).error();
  Identity identity;
  identity.user = std::move(user).value();
  identity.email = email_of(assertion, rules);
  identity.first_name = single_value(assertion, rules, "first_name");
  identity.last_name = single_value(assertion, rules, "last_name");
  identity.display_name = single_value(assertion, rules, "display_name");
  identity.picture = single_value(assertion, rules, "picture");
  identity.account_role = single_value(assertion, rules, "account_role");
  resolve_timezone(assertion, rules, identity);
  resolve_groups(assertion, rules, identity);
  identity.spaces = pair_spaces_with_roles(items_of(assertion, rules, "space_name"),
                                           items_of(assertion, rules, "space_role"), KnownNames{},
                                           KnownNames{});
  return identity;
}

}  // namespace sallyport::policy
