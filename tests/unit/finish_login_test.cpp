#include "login/resolve_login.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

#include "login_fixture.h"
#include "policy/identity_headers.h"
#include "session/record.h"

namespace sallyport::login {
namespace {

using session::Field;
using session::RecordView;
using login_test::kNow;
using login_test::ResponseText;
using login_test::Signed;

// A login with everything that a test may bend.
struct Attempt {
  ResponseText text = login_test::company_response();
  Signed what = Signed::kBoth;
  Trust trust = login_test::make_trust();
  FinishLogin input;
  std::string message;  // instead of base64 of the response, when not empty

  // Rules of its own, to be bent.
  policy::IdentityRules& rules() {
    auto own = std::make_shared<policy::IdentityRules>(*trust.rules);
    policy::IdentityRules& changed = *own;
    trust.rules = std::move(own);
    return changed;
  }

  Attempt() {
    input.request_id = login_test::kRequestId;
    input.now = kNow;
  }

  Result<FinishedLogin> finish() {
    if (message.empty()) message = base64_encode(login_test::response_xml(text, what));
    input.trust = &trust;
    input.saml_response = message;
    return finish_login(input);
  }
};

FinishedLogin finished(Attempt& attempt) {
  Result<FinishedLogin> login = attempt.finish();
  EXPECT_TRUE(login.ok()) << (login.ok() ? "" : reason_word(login.error().reason)) << ' '
                          << (login.ok() ? "" : login.error().detail);
  return login.ok() ? *login : FinishedLogin();
}

TEST(FinishLoginTest, TheRecordHoldsTheLogin) {
  Attempt attempt;
  attempt.text.name_qualifier = "https://idp.example.org/realm";
  const FinishedLogin login = finished(attempt);
  const auto record = RecordView::open(login.record);
  ASSERT_TRUE(record.has_value());
  const std::pair<Field, std::string_view> expected[] = {
      {Field::kUser, "alice"},
      {Field::kEmail, "alice.doe@example.com"},
      {Field::kFirstName, "Alice"},
      {Field::kLastName, "Doe"},
      {Field::kDisplayName, "Alice Doe"},
      {Field::kPicture, ""},
      {Field::kTimezone, "Europe/Berlin"},
      {Field::kSpaces, "Trial=Space Member,DevOps=Space Developer"},
      {Field::kRoles, "Space Member,Space Developer"},
      {Field::kAccountRole, "Member"},
      {Field::kIdp, "okta"},
      {Field::kHost, ""},
      {Field::kNameId, "alice"},
      {Field::kNameIdFormat, saml::kFormatPersistent},
      {Field::kNameQualifier, "https://idp.example.org/realm"},
      {Field::kSpNameQualifier, ""},
      {Field::kSessionIndex, "_s1"},
      {Field::kAuthnContext, "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"},
      {Field::kIdpEntityId, login_test::kIdpEntityId},
      {Field::kSpEntityId, login_test::kSpEntityId},
  };
  for (const auto& [field, value] : expected) {
    EXPECT_EQ(record->field(field), value) << static_cast<int>(field);
  }
  EXPECT_EQ(policy::decode_list(record->field(Field::kGroups)).size(), 20u);
  EXPECT_EQ(record->attribute_count(), 10u);
  EXPECT_EQ(record->find_attribute("department"), "R&D");
  EXPECT_EQ(record->find_attribute("space_name"), "Trial%2CDevOps") << "values stay as sent";
  EXPECT_TRUE(record->is_bound_to(attempt.trust.binding));
  EXPECT_EQ(record->created(), kNow);
  EXPECT_EQ(record->authn_instant(), kNow);
  EXPECT_EQ(record->expires(), login.expires);
}

// How often a login of this attempt has to be moved on, and what came out.
std::pair<int, Result<AcceptedLogin>> step_by_step(Attempt& attempt) {
  if (attempt.message.empty()) {
    attempt.message = base64_encode(login_test::response_xml(attempt.text, attempt.what));
  }
  attempt.input.trust = &attempt.trust;
  attempt.input.saml_response = attempt.message;
  LoginSteps steps(attempt.input);
  int taken = 1;
  while (steps.advance()) ++taken;
  return {taken, steps.take_result()};
}

TEST(FinishLoginTest, EachSignatureHasAStepOfItsOwn) {
  for (const Signed what : {Signed::kBoth, Signed::kResponse, Signed::kAssertion}) {
    Attempt attempt;
    attempt.what = what;
    const auto [taken, login] = step_by_step(attempt);
    EXPECT_EQ(taken, 4) << static_cast<int>(what);
    ASSERT_TRUE(login.ok()) << login.error().detail;
    EXPECT_EQ(resolve_login(attempt.input, *login, nullptr, nullptr)->record, finished(attempt).record);
  }
}

TEST(FinishLoginTest, ARefusedStepIsTheLast) {
  Attempt not_base64;
  not_base64.message = "?";
  Attempt unsigned_one;
  unsigned_one.what = Signed::kNothing;
  Attempt for_another;
  for_another.trust.acs_url = "https://other.example.com/saml/acs";
  struct {
    Attempt& attempt;
    int taken;
    Reason reason;
  } const cases[] = {{not_base64, 1, Reason::kBase64Invalid},
                     {unsigned_one, 3, Reason::kSignatureMissing},
                     {for_another, 4, Reason::kDestinationMismatch}};
  for (const auto& one : cases) {
    const auto [taken, login] = step_by_step(one.attempt);
    EXPECT_EQ(taken, one.taken) << reason_word(one.reason);
    ASSERT_FALSE(login.ok());
    EXPECT_EQ(login.error().reason, one.reason);
  }
}

TEST(FinishLoginTest, TheResultNamesWhatTheStoreNeeds) {
  Attempt attempt;
  const FinishedLogin login = finished(attempt);
  EXPECT_EQ(login.expires, kNow + 8 * kHour);
  EXPECT_EQ(login.answer, sha256(std::string(login_test::kIdpEntityId) + '\0' + "_a1"));
  EXPECT_GE(login.replay_until, kNow + 5 * kMinute + attempt.input.skew);
  EXPECT_EQ(login.owner, owner_of("okta", "alice"));
  const saml::NameId name_id{"alice", std::string(saml::kFormatPersistent), "", ""};
  EXPECT_EQ(login.idp_session_hash, idp_session_hash(login_test::kIdpEntityId, name_id, "_s1"));
  EXPECT_EQ(login.received_groups.size(), 20u);
  EXPECT_EQ(login.identity.groups, login.received_groups);
  EXPECT_EQ(login.overflow, "");
  EXPECT_TRUE(login.identity.warnings.empty());
}

TEST(FinishLoginTest, TheFixtureOfTheMemoryGoalIsSmall) {
  Attempt attempt;
  EXPECT_LE(finished(attempt).record.size(), 2048u);
}

struct AcceptedCase {
  const char* name;
  std::function<void(Attempt&)> change;
};

class AcceptedTest : public ::testing::TestWithParam<AcceptedCase> {};

TEST_P(AcceptedTest, IsAccepted) {
  Attempt attempt;
  GetParam().change(attempt);
  EXPECT_FALSE(finished(attempt).record.empty());
}

const AcceptedCase kAcceptedCases[] = {
    {"Both", [](Attempt&) {}},
    {"AssertionSigned", [](Attempt& a) { a.what = Signed::kAssertion; }},
    {"ResponseSigned", [](Attempt& a) { a.what = Signed::kResponse; }},
    {"BothWanted", [](Attempt& a) { a.trust.require_signed = saml::RequireSigned::kBoth; }},
    {"NoAttributes", [](Attempt& a) { a.text.attributes.clear(); }},
    {"Unsolicited",
     [](Attempt& a) {
       a.text.in_response_to.clear();
       a.input.request_id.reset();
     }},
    {"JustInTimeWithSkew",
     [](Attempt& a) { a.input.now = a.text.not_on_or_after + a.input.skew - 1; }},
    {"JustYoungEnoughWithSkew",
     [](Attempt& a) {
       a.input.max_authn_age = kMinute;
       a.input.now = kNow + a.input.skew;
     }},
    {"SecondCertificate",
     [](Attempt& a) {
       a.trust.certificates = {testing::other_rsa_identity().certificate,
                               testing::rsa_identity().certificate};
     }},
    {"Base64WithLineBreaks",
     [](Attempt& a) {
       const std::string text = base64_encode(login_test::response_xml(a.text));
       for (std::size_t i = 0; i < text.size(); i += 76) a.message += text.substr(i, 76) + "\r\n";
     }},
    {"ContextAsked", [](Attempt& a) { a.trust.authn_contexts = {a.text.authn_context}; }},
};

INSTANTIATE_TEST_SUITE_P(FinishLogin, AcceptedTest, ::testing::ValuesIn(kAcceptedCases),
                         [](const auto& test) { return std::string(test.param.name); });

struct RefusedCase {
  const char* name;
  std::function<void(Attempt&)> change;
  Reason reason;
};

class RefusedLoginTest : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedLoginTest, HasItsReason) {
  Attempt attempt;
  GetParam().change(attempt);
  const Result<FinishedLogin> login = attempt.finish();
  ASSERT_FALSE(login.ok());
  EXPECT_EQ(reason_word(login.error().reason), reason_word(GetParam().reason))
      << login.error().detail;
  EXPECT_FALSE(login.error().detail.empty());
}

const RefusedCase kRefusedCases[] = {
    {"NotBase64", [](Attempt& a) { a.message = "<xml/>"; }, Reason::kBase64Invalid},
    {"NotXml", [](Attempt& a) { a.message = base64_encode("hello"); }, Reason::kXmlInvalid},
    {"WrongRoot", [](Attempt& a) { a.message = base64_encode("<a/>"); },
     Reason::kStructureInvalid},
    {"TooLargeBeforeDecoding",
     [](Attempt& a) {
       a.input.max_message_bytes = 1000;
       a.message = std::string(2004, 'A');
     },
     Reason::kTooLarge},
    {"TooLargeAfterDecoding",
     [](Attempt& a) {
       a.input.max_message_bytes = 1000;
       a.message = base64_encode(std::string(1001, ' '));
     },
     Reason::kTooLarge},
    {"Unsigned", [](Attempt& a) { a.what = Signed::kNothing; }, Reason::kSignatureMissing},
    {"OnlyOneOfBothSigned",
     [](Attempt& a) {
       a.what = Signed::kAssertion;
       a.trust.require_signed = saml::RequireSigned::kBoth;
     },
     Reason::kSignatureMissing},
    {"OtherKey",
     [](Attempt& a) { a.trust.certificates = {testing::other_rsa_identity().certificate}; },
     Reason::kSignatureInvalid},
    {"NoCertificates", [](Attempt& a) { a.trust.certificates.clear(); },
     Reason::kSignatureInvalid},
    {"MetadataExpired", [](Attempt& a) { a.trust.valid_until = kNow; }, Reason::kIdpUnavailable},
    {"Tampered",
     [](Attempt& a) {
       std::string xml = login_test::response_xml(a.text);
       xml.replace(xml.find(">alice<"), 7, ">admin<");
       a.message = base64_encode(xml);
     },
     Reason::kSignatureInvalid},
    {"OtherIssuer", [](Attempt& a) { a.text.issuer = "https://evil.example"; },
     Reason::kIssuerMismatch},
    {"OtherDestination", [](Attempt& a) { a.text.destination = "https://other.example/acs"; },
     Reason::kDestinationMismatch},
    {"OtherRecipient", [](Attempt& a) { a.text.recipient = "https://other.example/acs"; },
     Reason::kRecipientMismatch},
    {"OtherAudience", [](Attempt& a) { a.text.audience = "https://other.example"; },
     Reason::kAudienceMismatch},
    {"OtherRequest", [](Attempt& a) { a.text.in_response_to = "_other"; },
     Reason::kInResponseToMismatch},
    {"UnsolicitedWithARequest", [](Attempt& a) { a.input.request_id.reset(); },
     Reason::kInResponseToMismatch},
    {"SolicitedWithoutARequest", [](Attempt& a) { a.text.in_response_to.clear(); },
     Reason::kInResponseToMismatch},
    {"Expired", [](Attempt& a) { a.input.now = a.text.not_on_or_after + a.input.skew; },
     Reason::kExpired},
    {"NotYetValid", [](Attempt& a) { a.input.now = kNow - a.input.skew - 1; },
     Reason::kNotYetValid},
    {"OtherContext", [](Attempt& a) { a.trust.authn_contexts = {"urn:mfa"}; },
     Reason::kAuthnContextMismatch},
    {"SessionAlreadyOver", [](Attempt& a) { a.text.session_end = kNow; }, Reason::kExpired},
    {"LoginTooOld",
     [](Attempt& a) {
       a.input.max_authn_age = kMinute;
       a.input.now = kNow + a.input.skew + 1;
     },
     Reason::kAuthnTooOld},
    {"TransientUser",
     [](Attempt& a) { a.text.name_id_format = std::string(saml::kFormatTransient); },
     Reason::kNoStableUser},
    {"UserAttributeMissing", [](Attempt& a) { a.rules().user_source = "uid"; },
     Reason::kNoUser},
    {"UserTooLong", [](Attempt& a) { a.input.limits.one = 4; }, Reason::kIdentityTooLarge},
    {"GroupsTooLong",
     [](Attempt& a) { a.text.attributes[4].values = {std::string(4097, 'x')}; },
     Reason::kIdentityTooLarge},
    {"AttributesTooLargeForARecord",
     [](Attempt& a) {
       for (int i = 0; i < 20; ++i) {
         a.text.attributes.push_back({"x" + std::to_string(i), {std::string(4000 + i, 'x')}});
       }
     },
     Reason::kIdentityTooLarge},
};

INSTANTIATE_TEST_SUITE_P(FinishLogin, RefusedLoginTest, ::testing::ValuesIn(kRefusedCases),
                         [](const auto& test) { return std::string(test.param.name); });

struct ExpiryCase {
  const char* name;
  Millis session_end;
  Millis timeout;
  Millis expected;
};

class ExpiryTest : public ::testing::TestWithParam<ExpiryCase> {};

TEST_P(ExpiryTest, IsTheEarlierOne) {
  Attempt attempt;
  attempt.text.session_end = GetParam().session_end;
  attempt.input.session_timeout = GetParam().timeout;
  EXPECT_EQ(finished(attempt).expires, GetParam().expected);
}

const ExpiryCase kExpiryCases[] = {
    {"OnlyTheTimeout", 0, kHour, kNow + kHour},
    {"TheIdpIsShorter", kNow + kMinute, kHour, kNow + kMinute},
    {"TheTimeoutIsShorter", kNow + 9 * kHour, kHour, kNow + kHour},
    {"OneSecondLeft", kNow + kSecond, kHour, kNow + kSecond},
};

INSTANTIATE_TEST_SUITE_P(FinishLogin, ExpiryTest, ::testing::ValuesIn(kExpiryCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(FinishLoginTest, CutListsStayWholeInTheRecord) {
  Attempt attempt;
  attempt.input.limits.one = 100;
  attempt.input.limits.cut_lists = true;
  const FinishedLogin login = finished(attempt);
  EXPECT_EQ(login.overflow, "Groups");
  const auto record = RecordView::open(login.record);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(policy::decode_list(record->field(Field::kGroups)).size(), 20u);
}

TEST(FinishLoginTest, TheRecordNamesTheHostThatALoginWasHandedOverBy) {
  Attempt attempt;
  attempt.input.host = "acme.example.com";
  const FinishedLogin login = finished(attempt);
  const auto record = RecordView::open(login.record);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->field(Field::kHost), "acme.example.com");
  const auto front = RecordView::open_front(std::string_view(login.record).substr(0, record->front_size()));
  ASSERT_TRUE(front.has_value());
  EXPECT_EQ(front->field(Field::kHost), "acme.example.com") << "wanted at each request";
}

TEST(FinishLoginTest, HostileValuesAreSafeInTheRecord) {
  Attempt attempt;
  const std::string hostile = "a\r\nX-SSO-User: root, %41=\xE2\x80\x8F\xF0\x9F\x98\x80 ";
  attempt.text.name_id = hostile;
  for (login_test::SentAttribute& attribute : attempt.text.attributes) attribute.values = {hostile};
  attempt.text.attributes[7].values = {"UTC"};
  const FinishedLogin login = finished(attempt);
  const auto record = RecordView::open(login.record);
  ASSERT_TRUE(record.has_value());
  for (std::size_t i = 0; i < session::kFieldCount; ++i) {
    for (const char c : record->field(static_cast<Field>(i))) {
      ASSERT_TRUE(c >= 0x20 && c <= 0x7e) << i;
    }
  }
  EXPECT_EQ(policy::decode_value(record->field(Field::kUser)), hostile);
  EXPECT_EQ(policy::decode_list(record->field(Field::kGroups)), std::vector{hostile});
}

TEST(FinishLoginTest, WarningsComeAlong) {
  Attempt attempt;
  attempt.text.attributes[7].values = {"W. Europe Standard Time"};
  const FinishedLogin login = finished(attempt);
  ASSERT_EQ(login.identity.warnings.size(), 1u);
  EXPECT_NE(login.identity.warnings[0].find("W. Europe Standard Time"), std::string::npos);
}

TEST(IndexHashTest, EveryPartCounts) {
  const saml::NameId base{"n", "f", "q", "s"};
  const std::uint64_t hash = idp_session_hash("i", base, "x");
  EXPECT_EQ(idp_session_hash("i", {"n", "other format", "q", "s"}, "x"), hash);
  EXPECT_NE(idp_session_hash("j", base, "x"), hash);
  EXPECT_NE(idp_session_hash("i", {"m", "f", "q", "s"}, "x"), hash);
  EXPECT_NE(idp_session_hash("i", {"n", "f", "", "s"}, "x"), hash);
  EXPECT_NE(idp_session_hash("i", {"n", "f", "q", ""}, "x"), hash);
  EXPECT_NE(idp_session_hash("i", {"n", "f", "qs", ""}, "x"), hash);
  EXPECT_NE(idp_session_hash("i", base, ""), hash);
  EXPECT_NE(owner_of("a", "bc"), owner_of("ab", "c"));
  EXPECT_EQ(session::idp_of(owner_of("okta", "ada")), session::idp_of(owner_of("okta", "bob")));
  EXPECT_NE(session::idp_of(owner_of("okta", "ada")), session::idp_of(owner_of("acme", "ada")));
}

TEST(DescribeLoginTest, IsOneLineThatCannotBeForged) {
  FinishedLogin login;
  login.identity.user = "eve groups=Admin\r\nsaml: valid login";
  login.identity.spaces = {{"Trial", "Space Member"}, {"Dev", ""}};
  login.identity.groups = {"Ops"};
  login.received_groups = {"Ops", "a\"b"};
  EXPECT_EQ(describe_login(login, "okta"),
            "idp=okta user=\"eve groups=Admin\\x0D\\x0Asaml: valid login\" "
            "spaces=\"Trial=Space Member,Dev=\" groups=Ops received_groups=Ops,a\\x22b");
}

TEST(DescribeLoginTest, LongValuesAreCut) {
  FinishedLogin login;
  login.received_groups.assign(1000, "group");
  EXPECT_LT(describe_login(login, "okta").size(), 2200u);
}

}  // namespace
}  // namespace sallyport::login
