#include <string_view>
#include <utility>

#include "policy/email.h"
#include "policy/identity.h"
#include "policy/single_value.h"
#include "saml/names.h"

namespace sallyport::policy {
namespace {

Result<std::string> user_from_name_id(const Claims& claims) {
  if (!claims.name_id || is_blank(claims.name_id->value)) {
    return Error{Reason::kNoUser,
                 "the assertion has no NameID; choose an attribute with `user ATTRIBUTE`"};
  }
  if (claims.name_id->format == saml::kFormatTransient) {
    return Error{Reason::kNoStableUser,
                 "the NameID is transient, another one at each login; choose an attribute with "
                 "`user ATTRIBUTE`, or have the IdP send a persistent NameID (`name_id_format`)"};
  }
  return claims.name_id->value;
}

Result<std::string> user_from_attribute(const Claims& claims, const IdentityRules& rules) {
  const saml::Attribute* attribute = rules.attributes.find(claims.attributes, rules.user_source);
  const std::string what = "the attribute of `user " + rules.user_source + "`";
  if (attribute == nullptr) return Error{Reason::kNoUser, what + " was not sent"};
  if (attribute->values.size() != 1) {
    return Error{Reason::kNoUser, what + " must have one value, received " +
                                      std::to_string(attribute->values.size())};
  }
  if (is_blank(attribute->values.front())) return Error{Reason::kNoUser, what + " is empty"};
  return attribute->values.front();
}

// The values that could become the e-mail address.
std::vector<std::string> email_values(const Claims& claims, const IdentityRules& rules) {
  std::vector<std::string> values;
  for (const std::string& value : values_of(rules.attributes, claims.attributes, "email")) {
    if (!is_blank(value)) values.push_back(value);
  }
  if (values.empty() && claims.name_id && claims.name_id->format == saml::kFormatEmail &&
      !is_blank(claims.name_id->value)) {
    values.push_back(claims.name_id->value);
  }
  return values;
}

bool is_covered(const EmailDomains& domains, std::string_view address) {
  if (domains.empty()) return false;
  const std::optional<EmailAddress> parsed = parse_email(address);
  return parsed && domains.covers(parsed->domain);
}

std::string allowed(const EmailDomains& domains) {
  std::string text;
  for (const std::string& pattern : domains.patterns()) {
    if (!text.empty()) text += ", ";
    text += pattern;
  }
  return text;
}

// Exactly one address, in one of the IdP's domains.
Status check_email(const std::vector<std::string>& values, const EmailDomains& domains) {
  if (domains.empty()) return Done{};
  if (values.size() != 1) {
    return Error{Reason::kEmailDomainNotAllowed, "`email_domains` wants one e-mail address, received " +
                                                     std::to_string(values.size())};
  }
  if (is_covered(domains, values.front())) return Done{};
  return Error{Reason::kEmailDomainNotAllowed,
               expected_received("e-mail address", "one of " + allowed(domains), values.front())};
}

}  // namespace

Result<Account> resolve_account(const Claims& claims, const IdentityRules& rules) {
  Result<std::string> user =
      rules.user_source.empty() ? user_from_name_id(claims) : user_from_attribute(claims, rules);
  if (!user) return std::move(user).error();
  std::vector<std::string> emails = email_values(claims, rules);
  SALLYPORT_TRY(check_email(emails, rules.email_domains));
  Account account;
  account.user = std::move(user).value();
  account.user_is_covered = is_covered(rules.email_domains, account.user);
  if (!emails.empty()) account.email = std::move(emails.front());
  account.email_is_covered = is_covered(rules.email_domains, account.email);
  return account;
}

}  // namespace sallyport::policy
