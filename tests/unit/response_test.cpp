#include "saml/response.h"

#include <gtest/gtest.h>

#include <string>

#include "response_builder.h"
#include "saml/names.h"
#include "schema_test_util.h"

namespace sallyport::saml {
namespace {

using testing::ec_identity;
using testing::ResponseBuilder;
using testing::rsa_identity;
using testing::Signed;

Result<VerifiedResponse> read(const std::string& document,
                              RequireSigned require = RequireSigned::kAny) {
  static const std::vector<xml::Certificate> certificates = {rsa_identity().certificate,
                                                             ec_identity().certificate};
  SignatureRules rules;
  rules.certificates = &certificates;
  rules.require = require;
  return read_response(document, rules, xml::message_limits(256 * 1024));
}

std::string replaced(std::string text, std::string_view find, std::string_view put) {
  const std::size_t place = text.find(find);
  EXPECT_NE(place, std::string::npos) << find;
  return place == std::string::npos ? text : text.replace(place, find.size(), put);
}

// The elements of a message as text, to be put together in other ways.
std::string element_text(const std::string& document, const std::string& name) {
  const std::size_t begin = document.find("<" + name);
  const std::string end_tag = "</" + name + ">";
  const std::size_t end = document.rfind(end_tag);
  EXPECT_TRUE(begin != std::string::npos && end != std::string::npos) << name;
  return document.substr(begin, end + end_tag.size() - begin);
}

TEST(ReadResponse, TheTestMessageIsValidAgainstTheSchema) {
  if (!testing::has_schemas()) GTEST_SKIP() << "no SAML schemas on this machine";
  EXPECT_EQ(testing::schema_errors(ResponseBuilder().build(), "saml-schema-protocol-2.0.xsd"), "");
}

TEST(ReadResponse, YieldsHeaderAndAssertion) {
  for (const Signed sign : {Signed::kResponse, Signed::kAssertion, Signed::kBoth}) {
    const auto response = read(ResponseBuilder().with_signatures(sign).build());
    ASSERT_TRUE(response.ok()) << response.error().detail;
    EXPECT_EQ(response->header.id, "_response");
    EXPECT_EQ(response->header.issuer, testing::kTestIdp);
    EXPECT_EQ(response->header.destination, testing::kTestAcs);
    EXPECT_EQ(response->header.in_response_to, testing::kTestRequest);
    EXPECT_EQ(response->header.issue_instant, parse_instant("2026-11-21T21:30:50Z"));
    EXPECT_EQ(response->header.is_signed, sign != Signed::kAssertion);
    EXPECT_EQ(response->header.status_codes, std::vector<std::string>{std::string(kStatusSuccess)});
    EXPECT_EQ(response->assertion.id, "_assertion");
    ASSERT_TRUE(response->assertion.name_id);
    EXPECT_EQ(response->assertion.name_id->value, "jane");
  }
}

TEST(ReadResponse, TakesAnyOfTheIdpsKeys) {
  ResponseBuilder builder;
  builder.response_signer = &rsa_identity();
  const auto response = read(builder.build());
  EXPECT_TRUE(response.ok()) << response.error().detail;
}

TEST(ReadResponse, AsksForTheSignaturesThatTheRulesWant) {
  struct Case {
    const char* name;
    Signed sign;
    RequireSigned require;
    const char* missing;  // empty: accepted
  };
  const Case cases[] = {
      {"none, any", Signed::kNone, RequireSigned::kAny, "neither"},
      {"none, response", Signed::kNone, RequireSigned::kResponse, "the Response is not signed"},
      {"none, assertion", Signed::kNone, RequireSigned::kAssertion, "the Assertion is not signed"},
      {"none, both", Signed::kNone, RequireSigned::kBoth, "the Response is not signed"},
      {"response, any", Signed::kResponse, RequireSigned::kAny, ""},
      {"response, response", Signed::kResponse, RequireSigned::kResponse, ""},
      {"response, assertion", Signed::kResponse, RequireSigned::kAssertion,
       "the Assertion is not signed"},
      {"response, both", Signed::kResponse, RequireSigned::kBoth, "the Assertion is not signed"},
      {"assertion, any", Signed::kAssertion, RequireSigned::kAny, ""},
      {"assertion, response", Signed::kAssertion, RequireSigned::kResponse,
       "the Response is not signed"},
      {"assertion, assertion", Signed::kAssertion, RequireSigned::kAssertion, ""},
      {"assertion, both", Signed::kAssertion, RequireSigned::kBoth, "the Response is not signed"},
      {"both, any", Signed::kBoth, RequireSigned::kAny, ""},
      {"both, response", Signed::kBoth, RequireSigned::kResponse, ""},
      {"both, assertion", Signed::kBoth, RequireSigned::kAssertion, ""},
      {"both, both", Signed::kBoth, RequireSigned::kBoth, ""},
  };
  for (const Case& c : cases) {
    const auto response = read(ResponseBuilder().with_signatures(c.sign).build(), c.require);
    EXPECT_EQ(response.ok(), c.missing[0] == '\0') << c.name;
    if (response.ok()) continue;
    EXPECT_EQ(response.error().reason, Reason::kSignatureMissing) << c.name;
    EXPECT_NE(response.error().detail.find(c.missing), std::string::npos)
        << c.name << ": " << response.error().detail;
  }
}

// A signature that does not hold fails the message, whatever the other one is worth.
TEST(ReadResponse, RefusesAnyInvalidSignature) {
  struct Case {
    const char* name;
    Signed sign;
    bool foreign_response;
    bool foreign_assertion;
  };
  const Case cases[] = {{"response", Signed::kResponse, true, false},
                        {"assertion", Signed::kAssertion, false, true},
                        {"both, response", Signed::kBoth, true, false},
                        {"both, assertion", Signed::kBoth, false, true},
                        {"both, both", Signed::kBoth, true, true}};
  for (const Case& c : cases) {
    ResponseBuilder builder;
    builder.sign = c.sign;
    if (c.foreign_response) builder.response_signer = &testing::other_rsa_identity();
    if (c.foreign_assertion) builder.assertion_signer = &testing::other_rsa_identity();
    for (const RequireSigned require :
         {RequireSigned::kAny, RequireSigned::kResponse, RequireSigned::kAssertion}) {
      const auto response = read(builder.build(), require);
      ASSERT_FALSE(response.ok()) << c.name;
      EXPECT_EQ(response.error().reason, Reason::kSignatureInvalid) << c.name;
    }
  }
}

TEST(ReadResponse, RefusesWhatWasChangedAfterSigning) {
  struct Case {
    const char* name;
    Signed sign;
    const char* find;
    const char* put;
  };
  const Case cases[] = {
      {"NameID", Signed::kAssertion, ">jane<", ">root<"},
      {"NameID, Response signed", Signed::kResponse, ">jane<", ">root<"},
      {"NameID, both", Signed::kBoth, ">jane<", ">root<"},
      {"attribute", Signed::kBoth, "admins", "owners"},
      {"audience", Signed::kAssertion, "saml/metadata</saml:Audience>", "</saml:Audience>"},
      {"Destination", Signed::kResponse, "Destination=\"https://app", "Destination=\"https://bpp"},
      {"blank in the assertion", Signed::kAssertion, "<saml:Subject>", "<saml:Subject> "},
      {"an attribute more", Signed::kAssertion, "<saml:Subject>", "<saml:Subject a=\"b\">"},
  };
  for (const Case& c : cases) {
    const std::string message =
        replaced(ResponseBuilder().with_signatures(c.sign).build(), c.find, c.put);
    const auto response = read(message);
    ASSERT_FALSE(response.ok()) << c.name;
    EXPECT_EQ(response.error().reason, Reason::kSignatureInvalid) << c.name;
  }
}

// The Response's signature holds, but not that of the Assertion inside.
TEST(ReadResponse, RefusesABadAssertionInAGoodResponse) {
  const ResponseBuilder builder;
  const std::string assertion = builder.signed_assertion();
  const std::string signature = element_text(assertion, "ds:Signature");
  struct Case {
    const char* name;
    std::string assertion;
    Reason reason;
  };
  const Case cases[] = {
      {"changed", replaced(assertion, ">jane<", ">root<"), Reason::kSignatureInvalid},
      {"two signatures", replaced(assertion, signature, signature + signature),
       Reason::kSignatureMalformed},
      {"signature in another place",
       replaced(replaced(assertion, signature, ""), "</saml:Subject>",
                "</saml:Subject>" + signature),
       Reason::kSignatureMalformed},
      {"signature of another element", replaced(assertion, "ID=\"_assertion\"", "ID=\"_other\""),
       Reason::kSignatureMalformed},
      {"unknown algorithm", replaced(assertion, "#ecdsa-sha256", "#hmac-sha256"),
       Reason::kAlgorithmNotAllowed},
  };
  for (const Case& c : cases) {
    const auto response = read(builder.around(c.assertion));
    ASSERT_FALSE(response.ok()) << c.name;
    EXPECT_EQ(reason_word(response.error().reason), reason_word(c.reason))
        << c.name << ": " << response.error().detail;
  }
  EXPECT_TRUE(read(builder.around(assertion)).ok());
}

// What an unsigned Response says may have been changed; it is reported, and never as signed.
TEST(ReadResponse, ReportsAnUnsignedResponseAsSuch) {
  const std::string message =
      replaced(ResponseBuilder().with_signatures(Signed::kAssertion).build(),
               "Destination=\"https://app", "Destination=\"https://bpp");
  const auto response = read(message);
  ASSERT_TRUE(response.ok()) << response.error().detail;
  EXPECT_FALSE(response->header.is_signed);
  EXPECT_EQ(response->header.destination, "https://bpp.example.com/saml/acs");
}

// --- Faults of structure, each validly signed ---

struct Fault {
  const char* name;
  const char* find;
  const char* put;
  Reason reason;
  const char* words = "";
};

const Fault kResponseFaults[] = {
    {"no Version", "Version=\"2.0\" IssueInstant=\"2026-11-21T21:30:50Z\"",
     "IssueInstant=\"2026-11-21T21:30:50Z\"", Reason::kVersionMismatch},
    {"Version 1.1", "Version=\"2.0\" IssueInstant=\"2026-11-21T21:30:50Z\"",
     "Version=\"1.1\" IssueInstant=\"2026-11-21T21:30:50Z\"", Reason::kVersionMismatch},
    {"Version 2.1", "Version=\"2.0\" IssueInstant=\"2026-11-21T21:30:50Z\"",
     "Version=\"2.1\" IssueInstant=\"2026-11-21T21:30:50Z\"", Reason::kVersionMismatch},
    {"no IssueInstant", "IssueInstant=\"2026-11-21T21:30:50Z\"", "", Reason::kStructureInvalid,
     "Response without IssueInstant"},
    {"IssueInstant in local time", "IssueInstant=\"2026-11-21T21:30:50Z\"",
     "IssueInstant=\"2026-11-21T21:30:50+01:00\"", Reason::kStructureInvalid, "a UTC time"},
    {"another root", "samlp:Response xmlns:samlp", "samlp:LogoutResponse xmlns:samlp",
     Reason::kStructureInvalid, "received LogoutResponse"},
    {"no Status", "<samlp:Status>", "<samlp:Extensions>", Reason::kStructureInvalid,
     "without Status"},
    {"Status without code",
     "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>", "",
     Reason::kStructureInvalid, "without StatusCode"},
    {"code without Value", "Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"", "",
     Reason::kStructureInvalid, "StatusCode without Value"},
    {"two codes", "<samlp:Status>",
     "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>",
     Reason::kStructureInvalid, "StatusCode is not expected"},
    {"two Status", "<samlp:Status>",
     "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>"
     "</samlp:Status><samlp:Status>",
     Reason::kStructureInvalid, "Status is not expected"},
    {"text between the elements", "<samlp:Status>", "text<samlp:Status>",
     Reason::kStructureInvalid, "text between"},
    {"unknown child", "@ASSERTION@", "@ASSERTION@<samlp:Extra/>", Reason::kStructureInvalid,
     "Extra is not expected"},
    {"child before Status", "<samlp:Status>", "<samlp:Extra/><samlp:Status>",
     Reason::kStructureInvalid},
    {"child of another namespace", "<samlp:Status>", "<a:Status xmlns:a=\"urn:a\"/><samlp:Status>",
     Reason::kStructureInvalid},
    {"second Issuer", "<samlp:Status>",
     "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">a</saml:Issuer>"
     "<samlp:Status>",
     Reason::kStructureInvalid},
    {"empty Issuer", "https://idp.example.org/metadata", "", Reason::kStructureInvalid,
     "Issuer is empty"},
    {"Issuer with an element", "https://idp.example.org/metadata", "<a/>",
     Reason::kStructureInvalid, "elements instead of text"},
    {"Issuer of another Format", "<saml:Issuer ",
     "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\" ",
     Reason::kIssuerMismatch, "Issuer Format"},
    {"Issuer with NameQualifier", "<saml:Issuer ", "<saml:Issuer NameQualifier=\"a\" ",
     Reason::kIssuerMismatch, "NameQualifier"},
    {"no assertion", "@ASSERTION@", "", Reason::kStructureInvalid, "without assertion"},
    {"an encrypted assertion", "@ASSERTION@",
     "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>",
     Reason::kDecryptionFailed, "names no RSA key"},
    {"assertion in Extensions only", "<samlp:Status>",
     "<samlp:Extensions><saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>"
     "</samlp:Extensions><samlp:Status>",
     Reason::kStructureInvalid, "several assertions"},
    {"a status from elsewhere", "status:Success\"/>", "status:Responder\"/>",
     Reason::kStatusNotSuccess, "Responder"},
    {"Success inside of Requester", "Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>",
     "Value=\"urn:oasis:names:tc:SAML:2.0:status:Requester\">"
     "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:StatusCode>",
     Reason::kStatusNotSuccess, "Requester / Success"},
};

TEST(ReadResponse, RefusesFaultsOfTheResponse) {
  for (const Fault& fault : kResponseFaults) {
    for (const Signed sign : {Signed::kResponse, Signed::kAssertion, Signed::kNone}) {
      ResponseBuilder builder;
      builder.sign = sign;
      builder.edit_response(fault.find, fault.put);
      // The end tags of what was renamed.
      if (std::string_view(fault.put).find("samlp:LogoutResponse") == 0) {
        builder.edit_response("</samlp:Response>", "</samlp:LogoutResponse>");
      }
      if (std::string_view(fault.put) == "<samlp:Extensions>") {
        builder.edit_response("</samlp:Status>", "</samlp:Extensions>");
      }
      const auto response = read(builder.build());
      ASSERT_FALSE(response.ok()) << fault.name;
      EXPECT_EQ(reason_word(response.error().reason), reason_word(fault.reason))
          << fault.name << ": " << response.error().detail;
      EXPECT_NE(response.error().detail.find(fault.words), std::string::npos)
          << fault.name << ": " << response.error().detail;
    }
  }
}

TEST(ReadResponse, TakesWhatMayBeLeftOutOrAdded) {
  struct Case {
    const char* name;
    const char* find;
    const char* put;
  };
  const Case cases[] = {
      {"no Destination", "Destination=\"https://app.example.com/saml/acs\"", ""},
      {"no InResponseTo", " InResponseTo=\"_request\"", ""},
      {"Consent", "Version=\"2.0\"", "Version=\"2.0\" Consent=\"urn:a\""},
      {"Extensions", "<samlp:Status>",
       "<samlp:Extensions><a xmlns=\"urn:a\"/></samlp:Extensions><samlp:Status>"},
      {"StatusMessage and StatusDetail", "</samlp:Status>",
       "<samlp:StatusMessage>fine</samlp:StatusMessage><samlp:StatusDetail><a xmlns=\"urn:a\"/>"
       "</samlp:StatusDetail></samlp:Status>"},
      {"Issuer with Format entity", "<saml:Issuer ",
       "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\" "},
      {"white space between the elements", "<samlp:Status>", "\n  <samlp:Status>\n  "},
  };
  for (const Case& c : cases) {
    for (const Signed sign : {Signed::kResponse, Signed::kAssertion, Signed::kBoth}) {
      ResponseBuilder builder;
      builder.sign = sign;
      builder.edit_response(c.find, c.put);
      const auto response = read(builder.build());
      EXPECT_TRUE(response.ok()) << c.name << ": " << response.error().detail;
    }
  }
}

TEST(ReadResponse, TakesAnUnsignedResponseWithoutIssuer) {
  const std::string issuer = element_text(std::string(testing::kTestResponse), "saml:Issuer");
  ResponseBuilder builder;
  builder.sign = Signed::kAssertion;
  builder.edit_response(issuer, "");
  const auto response = read(builder.build());
  ASSERT_TRUE(response.ok()) << response.error().detail;
  EXPECT_EQ(response->header.issuer, std::nullopt);
}

// IdPs send errors unsigned and without an assertion; the words of the IdP reach the log.
TEST(ReadResponse, ReportsTheStatusBeforeAnySignature) {
  ResponseBuilder builder;
  builder.sign = Signed::kNone;
  builder.edit_response(
      "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>",
      "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\">"
      "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed\"/>"
      "</samlp:StatusCode><samlp:StatusMessage>no such user</samlp:StatusMessage>");
  for (const char* assertion : {"", "<saml:Assertion xmlns:saml=\"urn:a\"/>"}) {
    const auto response = read(builder.around(assertion));
    ASSERT_FALSE(response.ok());
    EXPECT_EQ(response.error().reason, Reason::kStatusNotSuccess);
    EXPECT_EQ(response.error().detail,
              "the IdP answered Responder / AuthnFailed: no such user");
  }
}

TEST(ReadResponse, PassesOnWhatTheXmlLayerRefuses) {
  struct Case {
    const char* name;
    std::string document;
    Reason reason;
  };
  const std::string good = ResponseBuilder().build();
  const Case cases[] = {
      {"empty", "", Reason::kXmlInvalid},
      {"not XML", "SAMLResponse", Reason::kXmlInvalid},
      {"cut", good.substr(0, good.size() / 2), Reason::kXmlInvalid},
      {"DTD", "<!DOCTYPE a []>" + good, Reason::kXmlForbidden},
      {"comment in the NameID", replaced(good, ">jane<", ">ja<!-- -->ne<"), Reason::kXmlForbidden},
      {"doubled ID", replaced(good, "ID=\"_assertion\"", "ID=\"_response\""), Reason::kXmlInvalid},
  };
  for (const Case& c : cases) {
    const auto response = read(c.document);
    ASSERT_FALSE(response.ok()) << c.name;
    EXPECT_EQ(reason_word(response.error().reason), reason_word(c.reason))
        << c.name << ": " << response.error().detail;
  }
}

}  // namespace
}  // namespace sallyport::saml
