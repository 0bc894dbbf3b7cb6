// Responses: any bytes; a genuine message with any edits, which must never make another user; and
// any content that an IdP signs, which must be read or refused.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdlib>

#include "../unit/response_builder.h"
#include "saml/conditions.h"
#include "saml/response.h"

namespace {

using namespace sallyport;
using testing::Signed;

void require(bool promise) {
  if (!promise) std::abort();
}

Result<saml::VerifiedResponse> read(std::string_view document) {
  static const std::vector<xml::Certificate> certificates = {testing::ec_identity().certificate};
  saml::SignatureRules rules;
  rules.certificates = &certificates;
  return saml::read_response(document, rules, xml::message_limits(256 * 1024));
}

void check(const saml::VerifiedResponse& response) {
  saml::Expectation expected;
  expected.sp_entity_id = testing::kTestSp;
  expected.acs_url = testing::kTestAcs;
  expected.idp_entity_id = testing::kTestIdp;
  expected.request_id = testing::kTestRequest;
  expected.now = testing::kTestNow;
  const auto accepted = saml::check_response(response, expected);
  if (!accepted.ok()) return;
  require(accepted->authn != nullptr);
  require(response.assertion.issuer == testing::kTestIdp);
  require(accepted->replay_until > expected.now);
}

// Nobody but the IdP can sign, so of foreign bytes nothing is accepted.
void read_anything(const std::string& document) { require(!read(document).ok()); }

const std::string& genuine(Signed sign) {
  static const std::string both = testing::ResponseBuilder().build();
  static const std::string response =
      testing::ResponseBuilder().with_signatures(Signed::kResponse).build();
  static const std::string assertion =
      testing::ResponseBuilder().with_signatures(Signed::kAssertion).build();
  return sign == Signed::kBoth ? both : sign == Signed::kResponse ? response : assertion;
}

// Puts other bytes, or a part of the message itself, in place of a part of it.
void edit(std::string& message, FuzzedDataProvider& input) {
  const auto at = input.ConsumeIntegralInRange<std::size_t>(0, message.size());
  const auto removed = input.ConsumeIntegralInRange<std::size_t>(0, message.size() - at);
  std::string put;
  if (input.ConsumeBool()) {
    put = input.ConsumeRandomLengthString(512);
  } else {
    const auto from = input.ConsumeIntegralInRange<std::size_t>(0, message.size());
    put = message.substr(from, input.ConsumeIntegralInRange<std::size_t>(0, message.size()));
  }
  message.replace(at, removed, put);
}

void read_edited(FuzzedDataProvider& input) {
  const Signed sign =
      input.PickValueInArray({Signed::kBoth, Signed::kResponse, Signed::kAssertion});
  std::string message = genuine(sign);
  for (int edits = input.ConsumeIntegralInRange(1, 4); edits > 0; --edits) edit(message, input);
  const auto response = read(message);
  if (!response.ok()) return;
  const saml::Assertion& assertion = response->assertion;
  require(assertion.name_id && assertion.name_id->value == "jane");
  require(assertion.id == "_assertion" && assertion.attributes.size() == 2);
  require(assertion.attributes[0].values == std::vector<std::string>{"jane@example.org"});
  check(*response);
}

// The good message with a part replaced, signed as an IdP gone wrong would.
void read_signed(FuzzedDataProvider& input) {
  testing::ResponseBuilder builder;
  builder.sign = Signed::kNone;
  edit(input.ConsumeBool() ? builder.assertion : builder.response, input);
  const testing::Identity& identity = testing::ec_identity();
  const auto message = xml::sign_enveloped(builder.build(), identity.key, identity.certificate);
  if (!message.ok()) return;
  const auto response = read(*message);
  if (response.ok()) check(*response);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  xml::initialize_parser();
  require(xml::initialize_signing().ok());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  switch (input.ConsumeIntegralInRange(0, 2)) {
    case 0:
      read_anything(input.ConsumeRemainingBytesAsString());
      break;
    case 1:
      read_edited(input);
      break;
    default:
      read_signed(input);
  }
  return 0;
}
