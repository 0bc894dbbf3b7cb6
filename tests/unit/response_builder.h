// SAML responses as an IdP makes them: a good message as text, edited before it is signed, so that
// each test changes one thing and the signature still holds.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "test_identity.h"
#include "xml/document.h"
#include "xml/signing.h"

namespace sallyport::testing {

// What the good message holds, and when it is good.
constexpr std::string_view kTestSp = "https://app.example.com/saml/metadata";
constexpr std::string_view kTestAcs = "https://app.example.com/saml/acs";
constexpr std::string_view kTestIdp = "https://idp.example.org/metadata";
constexpr std::string_view kTestRequest = "_request";
constexpr Millis kTestNow = 1795296660000;  // 2026-11-21T21:31:00Z

constexpr std::string_view kTestResponse =
    R"(<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_response" )"
    R"(Version="2.0" IssueInstant="2026-11-21T21:30:50Z" )"
    R"(Destination="https://app.example.com/saml/acs" InResponseTo="_request">)"
    R"(<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">)"
    R"(https://idp.example.org/metadata</saml:Issuer>)"
    R"(<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>)"
    R"(</samlp:Status>)"
    R"(@ASSERTION@)"
    R"(</samlp:Response>)";

constexpr std::string_view kTestAssertion =
    R"(<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" )"
    R"(xmlns:xs="http://www.w3.org/2001/XMLSchema" )"
    R"(xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" )"
    R"(ID="_assertion" Version="2.0" IssueInstant="2026-11-21T21:30:55Z">)"
    R"(<saml:Issuer>https://idp.example.org/metadata</saml:Issuer>)"
    R"(<saml:Subject>)"
    R"(<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" )"
    R"(NameQualifier="https://idp.example.org/metadata" )"
    R"(SPNameQualifier="https://app.example.com/saml/metadata">jane</saml:NameID>)"
    R"(<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">)"
    R"(<saml:SubjectConfirmationData Recipient="https://app.example.com/saml/acs" )"
    R"(NotOnOrAfter="2026-11-21T21:36:00Z" InResponseTo="_request"/>)"
    R"(</saml:SubjectConfirmation>)"
    R"(</saml:Subject>)"
    R"(<saml:Conditions NotBefore="2026-11-21T21:30:00Z" NotOnOrAfter="2026-11-21T21:37:00Z">)"
    R"(<saml:AudienceRestriction>)"
    R"(<saml:Audience>https://app.example.com/saml/metadata</saml:Audience>)"
    R"(</saml:AudienceRestriction>)"
    R"(</saml:Conditions>)"
    R"(<saml:AuthnStatement AuthnInstant="2026-11-21T21:29:00Z" SessionIndex="_session" )"
    R"(SessionNotOnOrAfter="2026-11-22T05:30:00Z">)"
    R"(<saml:AuthnContext><saml:AuthnContextClassRef>)"
    R"(urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport)"
    R"(</saml:AuthnContextClassRef></saml:AuthnContext>)"
    R"(</saml:AuthnStatement>)"
    R"(<saml:AttributeStatement>)"
    R"(<saml:Attribute Name="mail" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic">)"
    R"(<saml:AttributeValue xsi:type="xs:string">jane@example.org</saml:AttributeValue>)"
    R"(</saml:Attribute>)"
    R"(<saml:Attribute Name="groups">)"
    R"(<saml:AttributeValue>admins</saml:AttributeValue>)"
    R"(<saml:AttributeValue>users</saml:AttributeValue>)"
    R"(</saml:Attribute>)"
    R"(</saml:AttributeStatement>)"
    R"(</saml:Assertion>)";

enum class Signed { kNone, kResponse, kAssertion, kBoth };

// A mistake in a test or benchmark itself.
[[noreturn]] inline void give_up(const std::string& why) {
  std::fprintf(stderr, "response_builder: %s\n", why.c_str());
  std::abort();
}

// An enveloped signature by xmlsec1, without the XML declaration, so that it can be put into
// another document.
inline std::string sign_element(const std::string& element, const Identity& signer) {
  xml::initialize_parser();
  if (!xml::initialize_signing().ok()) give_up("no signing");
  auto out = xml::sign_enveloped(element, signer.key, signer.certificate);
  if (!out.ok()) give_up(out.error().detail + " in " + element);
  std::string text = std::move(*out);
  if (text.rfind("<?xml", 0) == 0) text.erase(0, text.find("?>") + 2);
  text.erase(0, text.find('<'));
  text.erase(text.rfind('>') + 1);
  return text;
}

class ResponseBuilder {
 public:
  std::string response{kTestResponse};
  std::string assertion{kTestAssertion};
  Signed sign = Signed::kBoth;
  const Identity* response_signer = &ec_identity();
  const Identity* assertion_signer = &ec_identity();

  // Replaces the first `find`, in the assertion if it is there, else in the Response around it.
  ResponseBuilder& edit(std::string_view find, std::string_view put) {
    std::string& text = assertion.find(find) != std::string::npos ? assertion : response;
    return replace(text, find, put);
  }
  ResponseBuilder& edit_response(std::string_view find, std::string_view put) {
    return replace(response, find, put);
  }
  ResponseBuilder& with_signatures(Signed wanted) {
    sign = wanted;
    return *this;
  }

  std::string signed_assertion() const {
    const bool wanted = sign == Signed::kAssertion || sign == Signed::kBoth;
    return wanted ? sign_element(assertion, *assertion_signer) : assertion;
  }
  // `child` stands where the assertion is.
  std::string around(const std::string& child) const {
    std::string out = response;
    const std::size_t place = out.find("@ASSERTION@");
    if (place != std::string::npos) out.replace(place, 11, child);
    const bool wanted = sign == Signed::kResponse || sign == Signed::kBoth;
    return wanted ? sign_element(out, *response_signer) : out;
  }
  std::string build() const { return around(signed_assertion()); }

 private:
  ResponseBuilder& replace(std::string& text, std::string_view find, std::string_view put) {
    const std::size_t place = text.find(find);
    if (place == std::string::npos) give_up("nothing to edit: " + std::string(find));
    text.replace(place, find.size(), put);
    return *this;
  }
};

}  // namespace sallyport::testing
