// Responses: any bytes; a genuine message with any edits, which must never make another user; and
// any content that an IdP signs, which must be read or refused. What is accepted xmlsec1 accepts too, and reads the same.
#include <string>
#include <vector>

#include "../unit/response_builder.h"
#include "saml/claimed_issuer.h"
#include "saml/conditions.h"
#include "saml/response.h"
#include "support/fuzz_input.h"
#include "support/fuzz_target.h"
#include "support/second_opinion.h"

namespace {

using namespace sallyport;
using testing::Signed;

Result<saml::VerifiedResponse> read(std::string_view document) {
  static const std::vector<xml::Certificate> certificates = {testing::ec_identity().certificate};
  saml::SignatureRules rules;
  rules.certificates = &certificates;
  auto response = saml::read_response(document, rules, xml::message_limits(256 * 1024));
  const auto claimed = saml::claimed_issuer(document, xml::message_limits(256 * 1024));
  // What is accepted is from whom it says it is.
  REQUIRE(!response.ok() || (claimed.ok() && *claimed == response->header.issuer.value_or(response->assertion.issuer)));
  return response;
}

void confirm(std::string_view document, const saml::VerifiedResponse& response) {
  static const std::vector<EVP_PKEY*> keys = {testing::ec_identity().certificate.key().raw()};
  std::string why_not;
  if (!fuzz::is_confirmed(document, response, keys, why_not)) fuzz::broken(why_not.c_str(), __FILE__, __LINE__);
}

void check(std::string_view document, const saml::VerifiedResponse& response) {
  confirm(document, response);
  saml::Expectation expected;
  expected.sp_entity_id = testing::kTestSp;
  expected.acs_url = testing::kTestAcs;
  expected.idp_entity_id = testing::kTestIdp;
  expected.request_id = testing::kTestRequest;
  expected.now = testing::kTestNow;
  const auto accepted = saml::check_response(response, expected);
  if (!accepted.ok()) return;
  REQUIRE(accepted->authn != nullptr);
  REQUIRE(response.assertion.issuer == testing::kTestIdp);
  REQUIRE(accepted->replay_until > expected.now);
}

// Nobody but the IdP can sign, so of foreign bytes nothing is accepted.
void read_anything(const std::string& document) { REQUIRE(!read(document).ok()); }

const std::string& genuine(Signed sign) {
  static const std::string both = testing::ResponseBuilder().build();
  static const std::string response =
      testing::ResponseBuilder().with_signatures(Signed::kResponse).build();
  static const std::string assertion =
      testing::ResponseBuilder().with_signatures(Signed::kAssertion).build();
  return sign == Signed::kBoth ? both : sign == Signed::kResponse ? response : assertion;
}

// Puts other bytes, or a part of the message itself, in place of a part of it.
void edit(std::string& message, fuzz::FuzzInput& input) {
  const auto at = input.number(0, message.size());
  const auto removed = input.number(0, message.size() - at);
  std::string put;
  if (input.flag()) {
    put = input.text(512);
  } else {
    const auto from = input.number(0, message.size());
    put = message.substr(from, input.number(0, message.size()));
  }
  message.replace(at, removed, put);
}

void read_edited(fuzz::FuzzInput& input) {
  constexpr Signed kPlaces[] = {Signed::kBoth, Signed::kResponse, Signed::kAssertion};
  const Signed sign = input.pick(kPlaces);
  std::string message = genuine(sign);
  for (std::uint64_t edits = input.number(1, 4); edits > 0; --edits) edit(message, input);
  const auto response = read(message);
  if (!response.ok()) return;
  const saml::Assertion& assertion = response->assertion;
  REQUIRE(assertion.name_id && assertion.name_id->value == "jane");
  REQUIRE(assertion.id == "_assertion" && assertion.attributes.size() == 2);
  REQUIRE(assertion.attributes[0].values == std::vector<std::string>{"jane@example.org"});
  check(message, *response);
}

// The good message with a part replaced, signed as an IdP gone wrong would.
void read_signed(fuzz::FuzzInput& input) {
  testing::ResponseBuilder builder;
  builder.sign = Signed::kNone;
  edit(input.flag() ? builder.assertion : builder.response, input);
  const testing::Identity& identity = testing::ec_identity();
  const auto message = xml::sign_enveloped(builder.build(), identity.key, identity.certificate);
  if (!message.ok()) return;
  const auto response = read(*message);
  if (response.ok()) check(*message, *response);
}

}  // namespace

FUZZ_TARGET(response) {
  static const bool started = (xml::initialize_parser(), xml::initialize_signing().ok());
  REQUIRE(started);
  fuzz::FuzzInput choices(input);
  switch (choices.number(0, 2)) {
    case 0:
      read_anything(choices.rest());
      break;
    case 1:
      read_edited(choices);
      break;
    default:
      read_signed(choices);
  }
}
