// Whatever an identity provider may sign, from the message to the session record: each Signature of the
// input is made good with a key that is trusted here, so that every edit gets past it; then once more with an
// Assertion that was signed before it was put into the Response. What is accepted is accepted by xmlsec1 and read as
// it was digested, and a login of it says the same.
#include <string>
#include <string_view>
#include <vector>

#include "../unit/login_fixture.h"
#include "base/digest.h"
#include "login/resolve_login.h"
#include "saml/conditions.h"
#include "session/record.h"
#include "support/fuzz_target.h"
#include "support/genuine.h"
#include "support/resign.h"
#include "support/second_opinion.h"
#include "support/xml_edits.h"
#include "xml/document.h"
#include "xml/signing.h"

namespace {

using namespace sallyport;

struct Signers {
  EVP_PKEY* ec = test::ec_key();
  EVP_PKEY* rsa = test::rsa_key();
  std::vector<EVP_PKEY*> keys = {ec, rsa};
  std::vector<xml::Certificate> certificates = {test::certificate_of(ec), test::certificate_of(rsa)};
};

const Signers& signers() {
  static const Signers all;
  return all;
}

// Contexts to ask for, as the message falls: none, or one of different strength.
void ask_for_context(login::Trust& trust, std::uint64_t choice) {
  const std::string prefix = "urn:oasis:names:tc:SAML:2.0:ac:classes:";
  const char* const names[] = {"Password", "unspecified", "PasswordProtectedTransport", "Smartcard"};
  constexpr saml::AuthnContextComparison kComparisons[] = {
      saml::AuthnContextComparison::kExact, saml::AuthnContextComparison::kMinimum,
      saml::AuthnContextComparison::kBetter, saml::AuthnContextComparison::kMaximum};
  if (choice % 2 == 0) return;
  trust.authn_contexts = {prefix + names[choice / 2 % 4]};
  trust.comparison = kComparisons[choice / 8 % 4];
}

// A trust for which the message is meant, as far as it can be.
login::Trust trust_for(const saml::VerifiedResponse& response) {
  login::Trust trust = login_test::make_trust();
  trust.certificates = signers().certificates;
  trust.idp_entity_id = response.assertion.issuer;
  const auto& restrictions = response.assertion.audience_restrictions;
  if (!restrictions.empty()) trust.sp_entity_id = restrictions.front().front();
  trust.acs_url = response.header.destination.value_or("https://app.example.com/saml/acs");
  return trust;
}

void check_record(const login::FinishedLogin& login, const saml::VerifiedResponse& response) {
  const auto view = session::RecordView::open(login.record);
  REQUIRE(view.has_value());
  REQUIRE(login.expires > 0 && login.replay_until > 0);
  REQUIRE(view->attribute_count() == response.assertion.attributes.size());
  for (std::size_t i = 0; i < session::kFieldCount; ++i) {
    for (const char c : view->field(static_cast<session::Field>(i))) REQUIRE(c >= 0x20 && c != 0x7F);
  }
  for (const char c : login::describe_login(login, "okta")) REQUIRE(c >= 0x20 && c < 0x7F);
}

void finish(std::string_view message, const saml::VerifiedResponse& response) {
  login::Trust trust = trust_for(response);
  ask_for_context(trust, hash_tag(message));
  login::FinishLogin input;
  input.trust = &trust;
  const std::string encoded = base64_encode(message);
  input.saml_response = encoded;
  if (response.header.in_response_to) input.request_id = *response.header.in_response_to;
  input.now = response.assertion.issue_instant;
  const auto login = login::finish_login(input);
  if (!login.ok()) {
    REQUIRE(!login.error().detail.empty());
    return;
  }
  check_record(*login, response);
  // Who cannot be signed in twice cannot be signed in elsewhere or later either.
  input.now = login->replay_until;
  REQUIRE(!login::finish_login(input).ok());
}

void check(const std::string& message) {
  const auto response = fuzz::read_message(message, signers().certificates);
  if (!response.ok()) return;
  std::string why_not;
  if (!fuzz::is_confirmed(message, *response, signers().keys, why_not)) {
    fuzz::broken(why_not.c_str(), __FILE__, __LINE__);
  }
  finish(message, *response);
}

[[maybe_unused]] std::string mutate(std::string_view document, unsigned seed) {
  fuzz::Dice dice(seed);
  const auto& genuine = fuzz::genuine_messages().messages;
  const std::string& other = genuine[dice.below(genuine.size())].text;
  return fuzz::edited(document, dice.pick(fuzz::kAllEdits), other, dice);
}

}  // namespace

FUZZ_MUTATOR(mutate);

FUZZ_TARGET(resigned) {
  static const bool started = (xml::initialize_parser(), xml::initialize_signing().ok());
  REQUIRE(started);
  check(fuzz::resigned(input, signers().ec, signers().rsa));
  check(fuzz::resigned_alone(input, signers().ec, signers().rsa));
}
