// An identity provider for tests and benchmarks of whole logins: responses whose every part is a
// field, and the Trust that accepts the untouched one.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "login/trust.h"
#include "saml/names.h"
#include "session/record.h"
#include "test_identity.h"
#include "xml/names.h"
#include "xml/signing.h"

namespace sallyport::login_test {

using testing::Identity;
using testing::rsa_identity;

constexpr Millis kNow = 1800000000 * kSecond;  // 2027-01-15T08:00:00Z
constexpr std::string_view kSpEntityId = "https://app.example.com/saml/metadata";
constexpr std::string_view kAcsUrl = "https://app.example.com/saml/acs";
constexpr std::string_view kIdpEntityId = "https://idp.example.org/metadata";
constexpr std::string_view kRequestId = "_0123456789abcdef0123456789abcdef01234567";

struct SentAttribute {
  std::string name;
  std::vector<std::string> values;
};

// What the IdP says; the defaults make a response that is accepted at kNow.
struct ResponseText {
  std::string issuer = std::string(kIdpEntityId);
  std::string destination = std::string(kAcsUrl);
  std::string recipient = std::string(kAcsUrl);
  std::string audience = std::string(kSpEntityId);
  std::string in_response_to = std::string(kRequestId);  // empty: unsolicited
  std::string assertion_id = "_a1";
  std::string name_id = "alice";
  std::string name_id_format = std::string(saml::kFormatPersistent);
  std::string name_qualifier;
  std::string session_index = "_s1";
  std::string authn_context = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password";
  Millis issued = kNow;
  Millis not_on_or_after = kNow + 5 * kMinute;
  Millis session_end = 0;  // SessionNotOnOrAfter; 0: none
  std::vector<SentAttribute> attributes;
};

inline std::string attribute_if(std::string_view name, std::string_view value) {
  if (value.empty()) return {};
  return " " + std::string(name) + "=\"" + xml_escape(value) + "\"";
}

inline std::string attribute_statement(const ResponseText& text) {
  if (text.attributes.empty()) return {};
  std::string xml = "<saml:AttributeStatement>";
  for (const SentAttribute& attribute : text.attributes) {
    xml += "<saml:Attribute Name=\"" + xml_escape(attribute.name) + "\">";
    for (const std::string& value : attribute.values) {
      xml += "<saml:AttributeValue>" + xml_escape(value) + "</saml:AttributeValue>";
    }
    xml += "</saml:Attribute>";
  }
  return xml + "</saml:AttributeStatement>";
}

inline std::string assertion_xml(const ResponseText& text) {
  const std::string end = format_instant(text.not_on_or_after);
  std::string xml = "<saml:Assertion xmlns:saml=\"" + std::string(xml::kNsSaml) + "\" ID=\"" +
                    text.assertion_id + "\" Version=\"2.0\" IssueInstant=\"" +
                    format_instant(text.issued) + "\"><saml:Issuer>" + xml_escape(text.issuer) +
                    "</saml:Issuer><saml:Subject>";
  xml += "<saml:NameID" + attribute_if("Format", text.name_id_format) +
         attribute_if("NameQualifier", text.name_qualifier) + ">" + xml_escape(text.name_id) +
         "</saml:NameID>";
  xml += "<saml:SubjectConfirmation Method=\"" + std::string(saml::kMethodBearer) +
         "\"><saml:SubjectConfirmationData" + attribute_if("InResponseTo", text.in_response_to) +
         attribute_if("Recipient", text.recipient) + " NotOnOrAfter=\"" + end +
         "\"/></saml:SubjectConfirmation></saml:Subject>";
  xml += "<saml:Conditions NotBefore=\"" + format_instant(text.issued) + "\" NotOnOrAfter=\"" +
         end + "\"><saml:AudienceRestriction><saml:Audience>" + xml_escape(text.audience) +
         "</saml:Audience></saml:AudienceRestriction></saml:Conditions>";
  xml += "<saml:AuthnStatement AuthnInstant=\"" + format_instant(text.issued) + "\"" +
         attribute_if("SessionIndex", text.session_index);
  if (text.session_end != 0) {
    xml += " SessionNotOnOrAfter=\"" + format_instant(text.session_end) + "\"";
  }
  xml += "><saml:AuthnContext><saml:AuthnContextClassRef>" + xml_escape(text.authn_context) +
         "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>";
  return xml + attribute_statement(text) + "</saml:Assertion>";
}

inline std::string sign_by(const std::string& document, const Identity& identity) {
  if (!xml::initialize_signing().ok()) std::abort();
  auto signed_document = xml::sign_enveloped(document, identity.key, identity.certificate);
  if (!signed_document.ok()) std::abort();
  return std::move(*signed_document);
}

// Without what a serializer may put in front of the root.
inline std::string without_declaration(const std::string& document) {
  const std::size_t root = document.rfind("<?xml", 0) == 0 ? document.find("?>") + 2 : 0;
  return document.substr(document.find('<', root));
}

enum class Signed { kNothing, kAssertion, kResponse, kBoth };

inline std::string response_xml(const ResponseText& text, Signed what = Signed::kBoth,
                                const Identity& idp = rsa_identity()) {
  std::string assertion = assertion_xml(text);
  if (what == Signed::kAssertion || what == Signed::kBoth) {
    assertion = without_declaration(sign_by(assertion, idp));
  }
  std::string response = "<samlp:Response xmlns:samlp=\"" + std::string(xml::kNsSamlp) +
                         "\" ID=\"_r1\" Version=\"2.0\" IssueInstant=\"" +
                         format_instant(text.issued) + "\"" +
                         attribute_if("Destination", text.destination) +
                         attribute_if("InResponseTo", text.in_response_to) +
                         "><saml:Issuer xmlns:saml=\"" + std::string(xml::kNsSaml) + "\">" +
                         xml_escape(text.issuer) +
                         "</saml:Issuer><samlp:Status><samlp:StatusCode Value=\"" +
                         std::string(saml::kStatusSuccess) + "\"/></samlp:Status>" + assertion +
                         "</samlp:Response>";
  if (what == Signed::kResponse || what == Signed::kBoth) response = sign_by(response, idp);
  return response;
}

inline login::Trust make_trust(const Identity& idp = rsa_identity()) {
  saml::AuthnRequestSettings request;
  request.sp_entity_id = std::string(kSpEntityId);
  request.acs_url = std::string(kAcsUrl);
  request.destination = "https://idp.example.org/sso";
  login::Trust trust{"okta",
                     "Okta",
                     std::string(kSpEntityId),
                     std::string(kAcsUrl),
                     std::string(kIdpEntityId),
                     {idp.certificate},
                     xml::AlgorithmSet::defaults(),
                     saml::RequireSigned::kAny,
                     saml::Binding::kRedirect,
                     saml::AuthnRequestTemplate(request),
                     {},
                     saml::AuthnContextComparison::kExact,
                     std::make_shared<policy::IdentityRules>(),
                     nullptr,
                     nullptr,
                     {}};
  trust.binding = session::session_binding(kSpEntityId, trust.idp_name, kIdpEntityId);
  return trust;
}

// Ten attributes and twenty groups, as a company's IdP sends them.
inline ResponseText company_response() {
  ResponseText text;
  const std::string claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/";
  std::vector<std::string> groups;
  for (int i = 0; i < 20; ++i) groups.push_back("Engineering Team " + std::to_string(i));
  text.attributes = {{claims + "emailaddress", {"alice.doe@example.com"}},
                     {claims + "givenname", {"Alice"}},
                     {claims + "surname", {"Doe"}},
                     {"http://schemas.microsoft.com/identity/claims/displayname", {"Alice Doe"}},
                     {"http://schemas.microsoft.com/ws/2008/06/identity/claims/groups", groups},
                     {"space_name", {"Trial,DevOps"}},
                     {"space_role", {"Space Member,Space Developer"}},
                     {"timezone", {"Europe/Berlin"}},
                     {"department", {"R&D"}},
                     {"account_role", {"Member"}}};
  return text;
}

}  // namespace sallyport::login_test
