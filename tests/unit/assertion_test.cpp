#include "saml/assertion.h"

#include <gtest/gtest.h>

#include <string>

#include "response_builder.h"
#include "saml/names.h"
#include "saml/response.h"

namespace sallyport::saml {
namespace {

using testing::ResponseBuilder;
using testing::Signed;

Result<Assertion> read(const ResponseBuilder& builder) {
  static const std::vector<xml::Certificate> certificates = {testing::ec_identity().certificate};
  SignatureRules rules;
  rules.certificates = &certificates;
  auto response = read_response(builder.build(), rules, xml::message_limits(256 * 1024));
  if (!response.ok()) return std::move(response).error();
  return std::move(response->assertion);
}

// The good assertion with one edit, in the octets of a signed Response.
Result<Assertion> edited(std::string_view find, std::string_view put) {
  ResponseBuilder builder;
  builder.sign = Signed::kResponse;
  builder.edit(find, put);
  return read(builder);
}

std::string text_between(std::string_view begin, std::string_view end) {
  const std::string_view all = testing::kTestAssertion;
  const std::size_t from = all.find(begin);
  return std::string(all.substr(from, all.find(end, from) + end.size() - from));
}
const std::string kSubject = text_between("<saml:Subject>", "</saml:Subject>");
const std::string kNameIdElement = text_between("<saml:NameID", "</saml:NameID>");
const std::string kConditionsElement = text_between("<saml:Conditions", "</saml:Conditions>");
const std::string kAuthn = text_between("<saml:AuthnStatement", "</saml:AuthnStatement>");
const std::string kContext = text_between("<saml:AuthnContext>", "</saml:AuthnContext>");
const std::string kAttributes =
    text_between("<saml:AttributeStatement>", "</saml:AttributeStatement>");

TEST(ParseAssertion, ReadsEverything) {
  for (const Signed sign : {Signed::kResponse, Signed::kAssertion, Signed::kBoth}) {
    const auto assertion = read(ResponseBuilder().with_signatures(sign));
    ASSERT_TRUE(assertion.ok()) << assertion.error().detail;
    EXPECT_EQ(assertion->id, "_assertion");
    EXPECT_EQ(assertion->issuer, testing::kTestIdp);
    EXPECT_EQ(assertion->issue_instant, parse_instant("2026-11-21T21:30:55Z"));

    ASSERT_TRUE(assertion->name_id);
    EXPECT_EQ(assertion->name_id->value, "jane");
    EXPECT_EQ(assertion->name_id->format, kFormatPersistent);
    EXPECT_EQ(assertion->name_id->name_qualifier, testing::kTestIdp);
    EXPECT_EQ(assertion->name_id->sp_name_qualifier, testing::kTestSp);

    ASSERT_EQ(assertion->confirmations.size(), 1u);
    const SubjectConfirmation& confirmation = assertion->confirmations[0];
    EXPECT_EQ(confirmation.method, kMethodBearer);
    EXPECT_TRUE(confirmation.has_data);
    EXPECT_EQ(confirmation.recipient, testing::kTestAcs);
    EXPECT_EQ(confirmation.in_response_to, testing::kTestRequest);
    EXPECT_EQ(confirmation.not_before, std::nullopt);
    EXPECT_EQ(confirmation.not_on_or_after, parse_instant("2026-11-21T21:36:00Z"));
    EXPECT_EQ(confirmation.address, std::nullopt);

    EXPECT_TRUE(assertion->has_conditions);
    EXPECT_EQ(assertion->not_before, parse_instant("2026-11-21T21:30:00Z"));
    EXPECT_EQ(assertion->not_on_or_after, parse_instant("2026-11-21T21:37:00Z"));
    const std::vector<std::vector<std::string>> audiences = {{std::string(testing::kTestSp)}};
    EXPECT_EQ(assertion->audience_restrictions, audiences);
    EXPECT_FALSE(assertion->one_time_use);

    ASSERT_EQ(assertion->authn_statements.size(), 1u);
    const AuthnStatement& authn = assertion->authn_statements[0];
    EXPECT_EQ(authn.authn_instant, parse_instant("2026-11-21T21:29:00Z"));
    EXPECT_EQ(authn.session_index, "_session");
    EXPECT_EQ(authn.session_not_on_or_after, parse_instant("2026-11-22T05:30:00Z"));
    EXPECT_EQ(authn.context_class_ref,
              "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport");

    ASSERT_EQ(assertion->attributes.size(), 2u);
    EXPECT_EQ(assertion->attributes[0].name, "mail");
    EXPECT_EQ(assertion->attributes[0].name_format,
              "urn:oasis:names:tc:SAML:2.0:attrname-format:basic");
    EXPECT_EQ(assertion->attributes[0].values, std::vector<std::string>{"jane@example.org"});
    const std::vector<std::string> groups = {"admins", "users"};
    EXPECT_EQ(assertion->attributes[1].values, groups);
  }
}

TEST(ParseAssertion, TakesWhatTheSchemaAllows) {
  struct Case {
    const char* name;
    std::string find;
    std::string put;
  };
  const Case cases[] = {
      {"no Subject", kSubject, ""},
      {"no NameID", kNameIdElement, ""},
      {"no Conditions", kConditionsElement, ""},
      {"no AuthnStatement", kAuthn, ""},
      {"no AttributeStatement", kAttributes, ""},
      {"an empty AttributeStatement", kAttributes, "<saml:AttributeStatement/>"},
      {"NameID bare", kNameIdElement, "<saml:NameID>jane</saml:NameID>"},
      {"Issuer with Format entity", "<saml:Issuer>",
       "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\">"},
      {"Advice", "<saml:AuthnStatement ",
       "<saml:Advice><a xmlns=\"urn:a\"/></saml:Advice><saml:AuthnStatement "},
      {"AuthzDecisionStatement", kAttributes,
       "<saml:AuthzDecisionStatement Resource=\"a\" Decision=\"Permit\"/>" + kAttributes},
      {"statements in another order", kAuthn + kAttributes, kAttributes + kAuthn},
      {"SubjectLocality", "<saml:AuthnContext>",
       "<saml:SubjectLocality Address=\"192.0.2.1\"/><saml:AuthnContext>"},
      {"AuthenticatingAuthority", "</saml:AuthnContext>",
       "<saml:AuthenticatingAuthority>a</saml:AuthenticatingAuthority>"
       "<saml:AuthenticatingAuthority>b</saml:AuthenticatingAuthority></saml:AuthnContext>"},
      {"AuthnContextDeclRef only", kContext,
       "<saml:AuthnContext><saml:AuthnContextDeclRef>urn:a</saml:AuthnContextDeclRef>"
       "</saml:AuthnContext>"},
      {"AuthnContextDecl", "</saml:AuthnContext>",
       "<saml:AuthnContextDecl><a xmlns=\"urn:a\">b</a></saml:AuthnContextDecl>"
       "</saml:AuthnContext>"},
      {"a confirmation with NameID", "<saml:SubjectConfirmationData",
       "<saml:NameID>other</saml:NameID><saml:SubjectConfirmationData"},
      {"ProxyRestriction", "<saml:AudienceRestriction>",
       "<saml:ProxyRestriction Count=\"0\"/><saml:AudienceRestriction>"},
      {"white space between the elements", "<saml:AudienceRestriction>",
       "\n <saml:AudienceRestriction>\n "},
  };
  for (const Case& c : cases) {
    const auto assertion = edited(c.find, c.put);
    EXPECT_TRUE(assertion.ok()) << c.name << ": " << assertion.error().detail;
  }
}

// --- Faults, each validly signed ---

struct Fault {
  const char* name;
  std::string find;
  std::string put;
  Reason reason = Reason::kStructureInvalid;
};

const std::string kStart =
    "ID=\"_assertion\" Version=\"2.0\" IssueInstant=\"2026-11-21T21:30:55Z\"";

const Fault kHeadFaults[] = {
    {"no ID", kStart, "Version=\"2.0\" IssueInstant=\"2026-11-21T21:30:55Z\""},
    {"no Version", kStart, "ID=\"_assertion\" IssueInstant=\"2026-11-21T21:30:55Z\"",
     Reason::kVersionMismatch},
    {"Version 1.1", "_assertion\" Version=\"2.0", "_assertion\" Version=\"1.1",
     Reason::kVersionMismatch},
    {"Version 2.00", "_assertion\" Version=\"2.0", "_assertion\" Version=\"2.00",
     Reason::kVersionMismatch},
    {"no IssueInstant", kStart, "ID=\"_assertion\" Version=\"2.0\""},
    {"IssueInstant without zone", "21:30:55Z", "21:30:55"},
    {"IssueInstant with offset", "21:30:55Z", "21:30:55+14:00"},
    {"IssueInstant on February 30", "2026-11-21T21:30:55Z", "2026-02-30T21:30:55Z"},
    {"IssueInstant at 24 h", "21:30:55Z", "24:00:00Z"},
    {"IssueInstant of an odd year", "2026-11-21T21:30:55Z", "292277026597-11-21T21:30:55Z"},
    {"no Issuer", "<saml:Issuer>https://idp.example.org/metadata</saml:Issuer>", ""},
    {"empty Issuer", "<saml:Issuer>https://idp.example.org/metadata</saml:Issuer>",
     "<saml:Issuer> </saml:Issuer>"},
    {"two Issuers", "<saml:Subject>", "<saml:Issuer>a</saml:Issuer><saml:Subject>"},
    {"Issuer of another Format", "<saml:Issuer>", "<saml:Issuer Format=\"urn:a\">",
     Reason::kIssuerMismatch},
    {"Issuer with SPNameQualifier", "<saml:Issuer>", "<saml:Issuer SPNameQualifier=\"a\">",
     Reason::kIssuerMismatch},
    {"Issuer with SPProvidedID", "<saml:Issuer>", "<saml:Issuer SPProvidedID=\"a\">",
     Reason::kIssuerMismatch},
    {"an unknown element", "<saml:AuthnStatement ", "<saml:Extra/><saml:AuthnStatement "},
    {"an element at the end", kAttributes, kAttributes + "<saml:Extra/>"},
    {"an element of another namespace", kAttributes, kAttributes + "<a xmlns=\"urn:a\"/>"},
    {"a Statement of unknown type", kAttributes,
     kAttributes + "<saml:Statement xsi:type=\"xs:string\"/>"},
    {"two Subjects", kSubject, kSubject + "<saml:Subject/>"},
    {"two Conditions", kConditionsElement, kConditionsElement + "<saml:Conditions/>"},
    {"two Advice", kAuthn, "<saml:Advice/><saml:Advice/>" + kAuthn},
    {"Conditions before Subject", kSubject + kConditionsElement, kConditionsElement + kSubject},
    {"statement before Conditions", kConditionsElement + kAuthn, kAuthn + kConditionsElement},
    {"text between the elements", kConditionsElement, "text" + kConditionsElement},
};

const Fault kSubjectFaults[] = {
    {"blank NameID", ">jane<", "> \n<"},
    {"empty NameID", ">jane<", "><"},
    {"NameID over 1024 bytes", ">jane<", ">" + std::string(1025, 'j') + "<"},
    {"NameID with an element", ">jane<", ">ja<a/>ne<"},
    {"two NameIDs", kNameIdElement, kNameIdElement + kNameIdElement},
    {"NameID behind the confirmation", "</saml:Subject>", kNameIdElement + "</saml:Subject>"},
    {"BaseID", kNameIdElement, "<saml:BaseID/>"},
    {"EncryptedID", kNameIdElement, "<saml:EncryptedID/>", Reason::kDecryptionFailed},
    {"EncryptedID beside NameID", kNameIdElement, kNameIdElement + "<saml:EncryptedID/>"},
    {"confirmation without Method", "Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"", ""},
    {"confirmation with an unknown child", "</saml:SubjectConfirmation>",
     "<saml:Extra/></saml:SubjectConfirmation>"},
    {"two data", "</saml:SubjectConfirmation>",
     "<saml:SubjectConfirmationData/></saml:SubjectConfirmation>"},
    {"bad NotOnOrAfter", "2026-11-21T21:36:00Z", "soon"},
    {"empty NotOnOrAfter", "2026-11-21T21:36:00Z", ""},
    {"bad NotBefore", "InResponseTo=\"_request\"/>", "InResponseTo=\"_request\" NotBefore=\"0\"/>"},
};

const Fault kConditionFaults[] = {
    {"bad NotBefore", "2026-11-21T21:30:00Z", "2026-11-21 21:30:00Z"},
    {"bad NotOnOrAfter", "2026-11-21T21:37:00Z", "2026-11-21T21:37:60Z"},
    {"NotBefore equals NotOnOrAfter", "2026-11-21T21:30:00Z", "2026-11-21T21:37:00Z"},
    {"NotBefore behind NotOnOrAfter", "2026-11-21T21:30:00Z", "2026-11-21T21:37:01Z"},
    {"Condition of unknown type", "<saml:AudienceRestriction>",
     "<saml:Condition xsi:type=\"xs:string\"/><saml:AudienceRestriction>",
     Reason::kConditionUnknown},
    {"condition of another namespace", "<saml:AudienceRestriction>",
     "<OneTimeUse xmlns=\"urn:a\"/><saml:AudienceRestriction>", Reason::kConditionUnknown},
    {"two OneTimeUse", "<saml:AudienceRestriction>",
     "<saml:OneTimeUse/><saml:OneTimeUse/><saml:AudienceRestriction>", Reason::kConditionUnknown},
    {"two ProxyRestriction", "<saml:AudienceRestriction>",
     "<saml:ProxyRestriction/><saml:ProxyRestriction/><saml:AudienceRestriction>",
     Reason::kConditionUnknown},
    {"an assertion's element among them", "<saml:AudienceRestriction>",
     "<saml:Subject/><saml:AudienceRestriction>", Reason::kConditionUnknown},
    {"no Audience", "<saml:Audience>https://app.example.com/saml/metadata</saml:Audience>", ""},
    {"empty Audience", "<saml:Audience>https://app.example.com/saml/metadata</saml:Audience>",
     "<saml:Audience/>"},
    {"Audience with an element", "<saml:Audience>", "<saml:Audience><a/>"},
    {"unknown child beside Audience", "</saml:AudienceRestriction>",
     "<saml:Extra/></saml:AudienceRestriction>"},
};

const Fault kStatementFaults[] = {
    {"no AuthnInstant", "AuthnInstant=\"2026-11-21T21:29:00Z\"", ""},
    {"bad AuthnInstant", "2026-11-21T21:29:00Z", "2026-11-21T21:29:00z"},
    {"bad SessionNotOnOrAfter", "2026-11-22T05:30:00Z", "tomorrow"},
    {"no AuthnContext", kContext, ""},
    {"two AuthnContexts", kContext, kContext + kContext},
    {"SubjectLocality behind", kContext, kContext + "<saml:SubjectLocality/>"},
    {"empty class", "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", " "},
    {"two classes", "<saml:AuthnContextClassRef>",
     "<saml:AuthnContextClassRef>urn:a</saml:AuthnContextClassRef><saml:AuthnContextClassRef>"},
    {"Attribute without Name", "Name=\"mail\"", ""},
    {"Attribute with empty Name", "Name=\"mail\"", "Name=\"\""},
    {"unknown child of Attribute", "<saml:AttributeValue>admins",
     "<saml:Extra/><saml:AttributeValue>admins"},
    {"unknown child of AttributeStatement", "<saml:AttributeStatement>",
     "<saml:AttributeStatement><saml:Extra/>"},
    {"EncryptedAttribute", "<saml:AttributeStatement>",
     "<saml:AttributeStatement><saml:EncryptedAttribute/>", Reason::kDecryptionFailed},
    {"text in Attribute", "<saml:AttributeValue>admins", "text<saml:AttributeValue>admins"},
};

template <std::size_t kCount>
void expect_refused(const Fault (&faults)[kCount]) {
  for (const Fault& fault : faults) {
    const auto assertion = edited(fault.find, fault.put);
    ASSERT_FALSE(assertion.ok()) << fault.name;
    EXPECT_EQ(reason_word(assertion.error().reason), reason_word(fault.reason))
        << fault.name << ": " << assertion.error().detail;
  }
}

TEST(ParseAssertion, RefusesFaultsOfTheHead) { expect_refused(kHeadFaults); }
TEST(ParseAssertion, RefusesFaultsOfTheSubject) { expect_refused(kSubjectFaults); }
TEST(ParseAssertion, RefusesFaultsOfTheConditions) { expect_refused(kConditionFaults); }
TEST(ParseAssertion, RefusesFaultsOfTheStatements) { expect_refused(kStatementFaults); }

// --- What values become ---

TEST(ParseAssertion, KeepsTheNameIdAsSent) {
  const std::string longest(1024, 'j');
  struct Case {
    const char* name;
    std::string sent;
    std::string value;
  };
  const Case cases[] = {
      {"blanks around", " jane\n", " jane\n"},
      {"1024 bytes", longest, longest},
      {"markup as text", "&lt;b&gt;&amp;", "<b>&"},
      {"CDATA", "<![CDATA[<saml:NameID>admin</saml:NameID>]]>", "<saml:NameID>admin</saml:NameID>"},
      {"CDATA beside text", "ja<![CDATA[ne]]>", "jane"},
      {"not ASCII", "j\xC3\xA4ne", "j\xC3\xA4ne"},
      {"line breaks as references", "a&#13;&#10;b", "a\r\nb"},
  };
  for (const Case& c : cases) {
    const auto assertion = edited(">jane<", ">" + c.sent + "<");
    ASSERT_TRUE(assertion.ok()) << c.name << ": " << assertion.error().detail;
    EXPECT_EQ(assertion->name_id->value, c.value) << c.name;
  }
}

std::vector<std::string> groups_of(const Assertion& assertion) {
  for (const Attribute& attribute : assertion.attributes) {
    if (attribute.name == "groups") return attribute.values;
  }
  return {"(no such attribute)"};
}

TEST(ParseAssertion, AttributeValues) {
  const std::string find = "<saml:AttributeValue>admins</saml:AttributeValue>";
  struct Case {
    const char* name;
    std::string put;
    std::vector<std::string> values;
  };
  const std::string open = "<saml:AttributeValue>";
  const std::string close = "</saml:AttributeValue>";
  const Case cases[] = {
      {"none", "", {"users"}},
      {"empty", open + close, {"", "users"}},
      {"blanks are kept", open + " a b\n" + close, {" a b\n", "users"}},
      {"commas are kept", open + "CN=a,OU=b" + close, {"CN=a,OU=b", "users"}},
      {"nil true", "<saml:AttributeValue xsi:nil=\"true\"/>", {"", "users"}},
      {"nil 1", "<saml:AttributeValue xsi:nil=\"1\">a" + close, {"", "users"}},
      {"nil false", "<saml:AttributeValue xsi:nil=\"false\">a" + close, {"a", "users"}},
      {"nil of no namespace", "<saml:AttributeValue nil=\"true\">a" + close, {"a", "users"}},
      {"elements", open + "<a xmlns=\"urn:a\">b</a>" + close, {"", "users"}},
      {"a NameID", open + "<saml:NameID>admin</saml:NameID>" + close, {"", "users"}},
      {"text and elements", open + "a<b xmlns=\"urn:b\"/>" + close, {"", "users"}},
  };
  for (const Case& c : cases) {
    const auto assertion = edited(find, c.put);
    ASSERT_TRUE(assertion.ok()) << c.name << ": " << assertion.error().detail;
    EXPECT_EQ(groups_of(*assertion), c.values) << c.name;
  }
}

TEST(ParseAssertion, JoinsTheValuesOfOneName) {
  const std::string more =
      "<saml:Attribute Name=\"groups\" NameFormat=\"urn:b\" FriendlyName=\"mail\">"
      "<saml:AttributeValue>late</saml:AttributeValue></saml:Attribute>"
      "<saml:Attribute Name=\"Groups\"/>";
  const auto assertion = edited("</saml:AttributeStatement>",
                                more + "</saml:AttributeStatement><saml:AttributeStatement>" +
                                    more + "</saml:AttributeStatement>");
  ASSERT_TRUE(assertion.ok()) << assertion.error().detail;
  ASSERT_EQ(assertion->attributes.size(), 3u);
  const std::vector<std::string> groups = {"admins", "users", "late", "late"};
  EXPECT_EQ(groups_of(*assertion), groups);
  EXPECT_EQ(assertion->attributes[1].name_format, "");
  EXPECT_EQ(assertion->attributes[0].values, std::vector<std::string>{"jane@example.org"});
  EXPECT_EQ(assertion->attributes[2].name, "Groups");
  EXPECT_TRUE(assertion->attributes[2].values.empty());
}

TEST(ParseAssertion, SeveralConfirmationsAudiencesAndStatements) {
  ResponseBuilder builder;
  builder.sign = Signed::kResponse;
  builder.edit("<saml:SubjectConfirmation ",
               "<saml:SubjectConfirmation Method=\"urn:a\"/><saml:SubjectConfirmation ");
  builder.edit("</saml:AudienceRestriction>",
               "<saml:Audience>b</saml:Audience></saml:AudienceRestriction><saml:OneTimeUse/>"
               "<saml:AudienceRestriction><saml:Audience>c</saml:Audience>"
               "</saml:AudienceRestriction>");
  builder.edit(kAuthn, "<saml:AuthnStatement AuthnInstant=\"2026-11-21T21:00:00.5Z\">"
                       "<saml:AuthnContext/></saml:AuthnStatement>" + kAuthn);
  const auto assertion = read(builder);
  ASSERT_TRUE(assertion.ok()) << assertion.error().detail;
  ASSERT_EQ(assertion->confirmations.size(), 2u);
  EXPECT_EQ(assertion->confirmations[0].method, "urn:a");
  EXPECT_FALSE(assertion->confirmations[0].has_data);
  const std::vector<std::vector<std::string>> audiences = {{std::string(testing::kTestSp), "b"},
                                                           {"c"}};
  EXPECT_EQ(assertion->audience_restrictions, audiences);
  EXPECT_TRUE(assertion->one_time_use);
  ASSERT_EQ(assertion->authn_statements.size(), 2u);
  EXPECT_EQ(assertion->authn_statements[0].authn_instant, parse_instant("2026-11-21T21:00:00.5Z"));
  EXPECT_EQ(assertion->authn_statements[0].context_class_ref, "");
  EXPECT_EQ(assertion->authn_statements[0].session_not_on_or_after, std::nullopt);
  EXPECT_EQ(assertion->authn_statements[1].session_index, "_session");
}

}  // namespace
}  // namespace sallyport::saml
