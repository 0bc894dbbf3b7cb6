#include "saml/conditions.h"

#include <gtest/gtest.h>

#include <string>

#include "conditions_fixture.h"
#include "response_builder.h"

namespace sallyport::saml {
namespace {

using testing::kTestNow;
using testing::ResponseBuilder;
using testing::Signed;

TEST(CheckResponse, AcceptsTheGoodMessage) {
  for (const Signed sign : {Signed::kResponse, Signed::kAssertion, Signed::kBoth}) {
    const VerifiedResponse response = must_read(ResponseBuilder().with_signatures(sign));
    const auto accepted = check_response(response, expectation());
    ASSERT_TRUE(accepted.ok()) << accepted.error().detail;
    EXPECT_EQ(accepted->authn, &response.assertion.authn_statements[0]);
    EXPECT_EQ(accepted->session_not_on_or_after, at("2026-11-22T05:30:00Z"));
    EXPECT_EQ(accepted->replay_until, at("2026-11-21T21:39:00Z"));
  }
}

// --- One change each, validly signed ---

struct Change {
  const char* name;
  std::string find;
  std::string put;
  const char* verdict;  // a reason word, or "accepted"
};

const std::string kDestination = "Destination=\"https://app.example.com/saml/acs\"";
const std::string kRecipient = "Recipient=\"https://app.example.com/saml/acs\"";

std::vector<Change> url_changes(const std::string& attribute, const std::string& whole,
                                const char* verdict) {
  const auto put = [&](const std::string& url) { return attribute + "=\"" + url + "\""; };
  return {
      {"another host", whole, put("https://evil.example.com/saml/acs"), verdict},
      {"another path", whole, put("https://app.example.com/saml/other"), verdict},
      {"longer", whole, put("https://app.example.com/saml/acs/1"), verdict},
      {"shorter", whole, put("https://app.example.com/saml/ac"), verdict},
      {"trailing slash", whole, put("https://app.example.com/saml/acs/"), verdict},
      {"a query", whole, put("https://app.example.com/saml/acs?a"), verdict},
      {"other case", whole, put("https://APP.example.com/saml/acs"), verdict},
      {"the default port", whole, put("https://app.example.com:443/saml/acs"), verdict},
      {"http", whole, put("http://app.example.com/saml/acs"), verdict},
      {"blank behind", whole, put("https://app.example.com/saml/acs "), verdict},
      {"empty", whole, put(""), verdict},
  };
}

const Change kChanges[] = {
    // Issuers
    {"no Destination, signed", kDestination, "", "destination_mismatch"},
    {"Issuer of another IdP", "<saml:Issuer>https://idp.example.org/metadata",
     "<saml:Issuer>https://other.example.org/metadata", "issuer_mismatch"},
    {"Issuer with a blank behind", "<saml:Issuer>https://idp.example.org/metadata",
     "<saml:Issuer>https://idp.example.org/metadata ", "issuer_mismatch"},
    {"Issuer in other case", "<saml:Issuer>https://idp.example.org/metadata",
     "<saml:Issuer>https://IDP.example.org/metadata", "issuer_mismatch"},
    {"Issuer that is a prefix", "<saml:Issuer>https://idp.example.org/metadata",
     "<saml:Issuer>https://idp.example.org", "issuer_mismatch"},
    // Audience
    {"audience of another SP", "<saml:Audience>https://app.example.com",
     "<saml:Audience>https://other.example.com", "audience_mismatch"},
    {"our audience as prefix", "saml/metadata</saml:Audience>",
     "saml/metadata/2</saml:Audience>", "audience_mismatch"},
    {"audience with a blank", "saml/metadata</saml:Audience>", "saml/metadata </saml:Audience>",
     "audience_mismatch"},
    {"two audiences, one ours", "<saml:Audience>",
     "<saml:Audience>https://other.example.com</saml:Audience><saml:Audience>", "accepted"},
    {"two restrictions, both with us", "<saml:AudienceRestriction>",
     "<saml:AudienceRestriction><saml:Audience>https://app.example.com/saml/metadata"
     "</saml:Audience></saml:AudienceRestriction><saml:AudienceRestriction>",
     "accepted"},
    {"two restrictions, one without us", "<saml:AudienceRestriction>",
     "<saml:AudienceRestriction><saml:Audience>https://other.example.com</saml:Audience>"
     "</saml:AudienceRestriction><saml:AudienceRestriction>",
     "audience_mismatch"},
    {"two restrictions, the second without us", "</saml:AudienceRestriction>",
     "</saml:AudienceRestriction><saml:AudienceRestriction><saml:Audience>"
     "https://other.example.com</saml:Audience></saml:AudienceRestriction>",
     "audience_mismatch"},
    {"no restriction",
     "<saml:AudienceRestriction><saml:Audience>https://app.example.com/saml/metadata"
     "</saml:Audience></saml:AudienceRestriction>",
     "", "audience_mismatch"},
    {"NameID for another SP", "SPNameQualifier=\"https://app.example.com/saml/metadata\"",
     "SPNameQualifier=\"https://other.example.com\"", "audience_mismatch"},
    {"NameID without qualifiers",
     "NameQualifier=\"https://idp.example.org/metadata\" "
     "SPNameQualifier=\"https://app.example.com/saml/metadata\"",
     "", "accepted"},
    // Conditions
    {"Conditions without times",
     " NotBefore=\"2026-11-21T21:30:00Z\" NotOnOrAfter=\"2026-11-21T21:37:00Z\"", "", "accepted"},
    {"OneTimeUse", "<saml:AudienceRestriction>",
     "<saml:OneTimeUse/><saml:AudienceRestriction>", "accepted"},
    {"ProxyRestriction", "<saml:AudienceRestriction>",
     "<saml:ProxyRestriction Count=\"0\"/><saml:AudienceRestriction>", "accepted"},
    // Confirmation
    {"holder of key", "cm:bearer", "cm:holder-of-key", "confirmation_invalid"},
    {"sender vouches", "cm:bearer", "cm:sender-vouches", "confirmation_invalid"},
    {"an unknown method", "cm:bearer", "cm:bearer2", "confirmation_invalid"},
    {"no confirmation",
     "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">"
     "<saml:SubjectConfirmationData Recipient=\"https://app.example.com/saml/acs\" "
     "NotOnOrAfter=\"2026-11-21T21:36:00Z\" InResponseTo=\"_request\"/>"
     "</saml:SubjectConfirmation>",
     "", "confirmation_invalid"},
    {"no data",
     "<saml:SubjectConfirmationData Recipient=\"https://app.example.com/saml/acs\" "
     "NotOnOrAfter=\"2026-11-21T21:36:00Z\" InResponseTo=\"_request\"/>",
     "", "confirmation_invalid"},
    {"no Recipient", kRecipient, "", "recipient_mismatch"},
    {"no NotOnOrAfter", "NotOnOrAfter=\"2026-11-21T21:36:00Z\"", "", "confirmation_invalid"},
    {"NotBefore", "NotOnOrAfter=\"2026-11-21T21:36:00Z\"",
     "NotOnOrAfter=\"2026-11-21T21:36:00Z\" NotBefore=\"2026-11-21T21:30:00Z\"",
     "confirmation_invalid"},
    {"another Address", "NotOnOrAfter=\"2026-11-21T21:36:00Z\"",
     "NotOnOrAfter=\"2026-11-21T21:36:00Z\" Address=\"192.0.2.1\"", "accepted"},
    {"the confirmation answers another request", "InResponseTo=\"_request\"/>",
     "InResponseTo=\"_other\"/>", "in_response_to_mismatch"},
    {"the confirmation answers none", " InResponseTo=\"_request\"/>", "/>",
     "in_response_to_mismatch"},
    {"a bad confirmation first", "<saml:SubjectConfirmation ",
     "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"/>"
     "<saml:SubjectConfirmation ",
     "accepted"},
    {"a bad confirmation behind", "</saml:Subject>",
     "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:holder-of-key\"/>"
     "</saml:Subject>",
     "accepted"},
    {"the reason is of the confirmation that got furthest", "InResponseTo=\"_request\"/>",
     "InResponseTo=\"_other\"/></saml:SubjectConfirmation><saml:SubjectConfirmation "
     "Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">",
     "in_response_to_mismatch"},
    // Statements
    {"no SessionIndex", "SessionIndex=\"_session\"", "", "accepted"},
    {"no SessionNotOnOrAfter", "SessionNotOnOrAfter=\"2026-11-22T05:30:00Z\"", "", "accepted"},
    {"no NameID",
     "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\" "
     "NameQualifier=\"https://idp.example.org/metadata\" "
     "SPNameQualifier=\"https://app.example.com/saml/metadata\">jane</saml:NameID>",
     "", "accepted"},
};

TEST(CheckResponse, OneChangeEach) {
  for (const Change& change : kChanges) {
    ResponseBuilder builder;
    builder.sign = Signed::kResponse;
    builder.edit(change.find, change.put);
    const auto result = check_response(must_read(builder), expectation());
    EXPECT_EQ(word(result), change.verdict) << change.name;
    if (!result.ok()) {
      EXPECT_FALSE(result.error().detail.empty()) << change.name;
    }
  }
}

TEST(CheckResponse, DestinationIsOurUrlExactly) {
  for (const Change& change : url_changes("Destination", kDestination, "destination_mismatch")) {
    for (const Signed sign : {Signed::kResponse, Signed::kAssertion}) {
      ResponseBuilder builder;
      builder.sign = sign;
      builder.edit_response(change.find, change.put);
      EXPECT_EQ(word(check_response(must_read(builder), expectation())), change.verdict)
          << change.name;
    }
  }
}

TEST(CheckResponse, DestinationMayBeAbsentOnAnUnsignedResponse) {
  ResponseBuilder builder;
  builder.sign = Signed::kAssertion;
  builder.edit_response(kDestination, "");
  EXPECT_EQ(word(check_response(must_read(builder), expectation())), "accepted");
}

TEST(CheckResponse, RecipientIsOurUrlExactly) {
  for (const Change& change : url_changes("Recipient", kRecipient, "recipient_mismatch")) {
    ResponseBuilder builder;
    builder.sign = Signed::kAssertion;
    builder.edit(change.find, change.put);
    EXPECT_EQ(word(check_response(must_read(builder), expectation())), change.verdict)
        << change.name;
  }
}

TEST(CheckResponse, IssuerOfTheResponse) {
  const std::string ours = ">https://idp.example.org/metadata<";
  for (const Signed sign : {Signed::kResponse, Signed::kAssertion}) {
    ResponseBuilder builder;
    builder.sign = sign;
    builder.edit_response(ours, ">https://other.example.org/metadata<");
    EXPECT_EQ(word(check_response(must_read(builder), expectation())), "issuer_mismatch");
  }
}

// --- InResponseTo: of the Response and of the confirmation, solicited or not ---

TEST(CheckResponse, InResponseTo) {
  struct Case {
    const char* name;
    std::optional<std::string_view> request;
    const char* response;      // attribute text
    const char* confirmation;
    const char* verdict;
  };
  const char* const ours = " InResponseTo=\"_request\"";
  const char* const other = " InResponseTo=\"_other\"";
  const char* const empty = " InResponseTo=\"\"";
  const char* const mismatch = "in_response_to_mismatch";
  const Case cases[] = {
      {"ours", testing::kTestRequest, ours, ours, "accepted"},
      {"another", testing::kTestRequest, other, other, mismatch},
      {"Response another", testing::kTestRequest, other, ours, mismatch},
      {"confirmation another", testing::kTestRequest, ours, other, mismatch},
      {"none", testing::kTestRequest, "", "", mismatch},
      {"Response none", testing::kTestRequest, "", ours, mismatch},
      {"confirmation none", testing::kTestRequest, ours, "", mismatch},
      {"empty", testing::kTestRequest, empty, empty, mismatch},
      {"a prefix", testing::kTestRequest, " InResponseTo=\"_reques\"", ours, mismatch},
      {"unsolicited", std::nullopt, "", "", "accepted"},
      {"unsolicited, Response names one", std::nullopt, ours, "", mismatch},
      {"unsolicited, confirmation names one", std::nullopt, "", ours, mismatch},
      {"unsolicited, empty", std::nullopt, empty, "", mismatch},
  };
  for (const Case& c : cases) {
    ResponseBuilder builder;
    builder.sign = Signed::kAssertion;
    builder.edit_response(ours, c.response);
    builder.edit(ours, c.confirmation);
    Expectation expected = expectation();
    expected.request_id = c.request;
    EXPECT_EQ(word(check_response(must_read(builder), expected)), c.verdict) << c.name;
  }
}

// --- Authentication statements ---

TEST(CheckResponse, AsksForAStatement) {
  VerifiedResponse response = good();
  response.assertion.authn_statements.clear();
  EXPECT_EQ(word(check_response(response, expectation())), "structure_invalid");
}

TEST(CheckResponse, AuthnContext) {
  const std::string transport =
      "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
  const std::string x509 = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509";
  struct Case {
    const char* name;
    std::vector<std::string> asked;
    AuthnContextComparison comparison;
    std::vector<std::string> sent;
    const char* verdict;
    std::size_t chosen;
  };
  const auto exact = AuthnContextComparison::kExact;
  const auto minimum = AuthnContextComparison::kMinimum;
  const Case cases[] = {
      {"nothing asked", {}, exact, {"", x509}, "accepted", 0},
      {"as asked", {transport}, exact, {transport}, "accepted", 0},
      {"the second statement", {x509}, exact, {transport, x509}, "accepted", 1},
      {"the first of two that fit", {transport}, minimum, {x509, transport}, "accepted", 0},
      {"weaker", {x509}, minimum, {transport}, "authn_context_mismatch", 0},
      {"none sent", {x509}, minimum, {""}, "authn_context_mismatch", 0},
      {"a stronger one, exactly asked", {transport}, exact, {x509}, "authn_context_mismatch", 0},
  };
  for (const Case& c : cases) {
    VerifiedResponse response = good();
    response.assertion.authn_statements.clear();
    for (const std::string& sent : c.sent) {
      response.assertion.authn_statements.push_back({kTestNow, "", std::nullopt, sent});
    }
    Expectation expected = expectation();
    expected.authn_contexts = &c.asked;
    expected.comparison = c.comparison;
    const auto result = check_response(response, expected);
    ASSERT_EQ(word(result), c.verdict) << c.name;
    if (result.ok()) {
      EXPECT_EQ(result->authn, &response.assertion.authn_statements[c.chosen]) << c.name;
    }
  }
}

TEST(CheckResponse, TheLatestStatementThatFitsCounts) {
  const std::vector<std::string> asked = {"urn:asked"};
  const std::string other = "urn:other";
  struct {
    std::vector<std::pair<Millis, std::string>> sent;
    std::size_t chosen;
  } const cases[] = {
      {{{kTestNow - kHour, asked[0]}, {kTestNow, asked[0]}}, 1},
      {{{kTestNow, asked[0]}, {kTestNow - kHour, asked[0]}}, 0},
      {{{kTestNow, asked[0]}, {kTestNow, asked[0]}}, 0},
      {{{kTestNow - kHour, asked[0]}, {kTestNow, other}}, 0},
  };
  for (const auto& one : cases) {
    VerifiedResponse response = good();
    response.assertion.authn_statements.clear();
    for (const auto& [instant, context] : one.sent) {
      response.assertion.authn_statements.push_back({instant, "", std::nullopt, context});
    }
    Expectation expected = expectation();
    expected.authn_contexts = &asked;
    const auto result = check_response(response, expected);
    ASSERT_TRUE(result.ok()) << one.chosen;
    EXPECT_EQ(result->authn, &response.assertion.authn_statements[one.chosen]);
  }
}

TEST(CheckResponse, TheSessionEndsWithTheFirstStatement) {
  VerifiedResponse response = good();
  AuthnStatement other = response.assertion.authn_statements[0];
  other.session_not_on_or_after = at("2026-11-21T22:00:00Z");
  response.assertion.authn_statements.push_back(other);
  other.session_not_on_or_after = std::nullopt;
  response.assertion.authn_statements.push_back(other);
  const auto accepted = check_response(response, expectation());
  ASSERT_TRUE(accepted.ok());
  EXPECT_EQ(accepted->session_not_on_or_after, at("2026-11-21T22:00:00Z"));
}

// --- Several faults: the most telling one first ---

TEST(CheckResponse, OrderOfReasons) {
  VerifiedResponse response = good();
  response.assertion.authn_statements.clear();
  response.assertion.not_on_or_after = 0;
  response.assertion.confirmations[0].recipient = "a";
  response.assertion.audience_restrictions.clear();
  response.header.in_response_to = "a";
  response.assertion.issuer = "a";
  response.header.destination = "a";
  const auto next = [&response] { return word(check_response(response, expectation())); };
  const VerifiedResponse fixed = good();
  EXPECT_EQ(next(), "destination_mismatch");
  response.header.destination = fixed.header.destination;
  EXPECT_EQ(next(), "issuer_mismatch");
  response.assertion.issuer = fixed.assertion.issuer;
  EXPECT_EQ(next(), "in_response_to_mismatch");
  response.header.in_response_to = fixed.header.in_response_to;
  EXPECT_EQ(next(), "audience_mismatch");
  response.assertion.audience_restrictions = fixed.assertion.audience_restrictions;
  EXPECT_EQ(next(), "recipient_mismatch");
  response.assertion.confirmations = fixed.assertion.confirmations;
  EXPECT_EQ(next(), "expired");
  response.assertion.not_on_or_after = fixed.assertion.not_on_or_after;
  EXPECT_EQ(next(), "structure_invalid");
  response.assertion.authn_statements = fixed.assertion.authn_statements;
  EXPECT_EQ(next(), "accepted");
}

TEST(CheckResponse, DetailsHoldWhatWasExpectedAndWhatCame) {
  VerifiedResponse response = good();
  response.header.destination = "https://evil.example.com/";
  const auto result = check_response(response, expectation());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().detail, expected_received("Destination", testing::kTestAcs,
                                                     "https://evil.example.com/"));
}

}  // namespace
}  // namespace sallyport::saml
