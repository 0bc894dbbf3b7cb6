#include "facts.h"
#include "second_opinion.h"

namespace sallyport::fuzz {
namespace {

void describe_subject(const saml::Assertion& assertion, Facts& out) {
  if (assertion.name_id) {
    out.add("NameID", assertion.name_id->value);
    out.add("Format", assertion.name_id->format);
    out.add("NameQualifier", assertion.name_id->name_qualifier);
    out.add("SPNameQualifier", assertion.name_id->sp_name_qualifier);
  }
  for (const saml::SubjectConfirmation& each : assertion.confirmations) {
    out.add("Method", each.method);
    if (!each.has_data) continue;
    out.add_if("Recipient", each.recipient);
    out.add_if("InResponseTo", each.in_response_to);
    out.add_time("NotBefore", each.not_before);
    out.add_time("NotOnOrAfter", each.not_on_or_after);
    out.add_if("Address", each.address);
  }
}

void describe_conditions(const saml::Assertion& assertion, Facts& out) {
  if (!assertion.has_conditions) return;
  out.add_time("Conditions NotBefore", assertion.not_before);
  out.add_time("Conditions NotOnOrAfter", assertion.not_on_or_after);
  for (const auto& restriction : assertion.audience_restrictions) {
    out.add("AudienceRestriction", "");
    for (const std::string& audience : restriction) out.add("Audience", audience);
  }
  if (assertion.one_time_use) out.add("OneTimeUse", "");
}

void describe_statements(const saml::Assertion& assertion, Facts& out) {
  for (const saml::AuthnStatement& each : assertion.authn_statements) {
    out.add_time("AuthnInstant", each.authn_instant);
    out.add("SessionIndex", each.session_index);
    out.add_time("SessionNotOnOrAfter", each.session_not_on_or_after);
    out.add("AuthnContextClassRef", each.context_class_ref);
  }
  for (const saml::Attribute& each : assertion.attributes) {
    out.add("Attribute", each.name);
    out.add("NameFormat", each.name_format);
    for (const std::string& value : each.values) out.add("AttributeValue", value);
  }
}

}  // namespace

std::string describe(const saml::ResponseHeader& header) {
  Facts out;
  out.add("Response", header.id);
  out.add_if("Response Issuer", header.issuer);
  out.add_if("Destination", header.destination);
  out.add_if("Response InResponseTo", header.in_response_to);
  out.add_time("Response IssueInstant", header.issue_instant);
  for (const std::string& code : header.status_codes) out.add("StatusCode", code);
  return out.text();
}

std::string describe(const saml::Assertion& assertion) {
  Facts out;
  out.add("Assertion", assertion.id);
  out.add("Issuer", assertion.issuer);
  out.add_time("IssueInstant", assertion.issue_instant);
  describe_subject(assertion, out);
  describe_conditions(assertion, out);
  describe_statements(assertion, out);
  return out.text();
}

}  // namespace sallyport::fuzz
