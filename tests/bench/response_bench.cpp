// A login's message, from base64 to checked record input, beside the bare libxml2 and libcrypto
// work that no implementation can avoid.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "../unit/response_builder.h"
#include "base/encoding.h"
#include "bare_verifier.h"
#include "saml/conditions.h"

namespace sallyport::saml {
namespace {

// About 7.7 KB, as real IdPs send, signed with RSA-2048.
std::string make_message(testing::Signed sign) {
  testing::ResponseBuilder builder;
  builder.sign = sign;
  builder.response_signer = &testing::rsa_identity();
  builder.assertion_signer = &testing::rsa_identity();
  std::string attributes;
  for (int i = 0; i < 8; ++i) {
    attributes += "<saml:Attribute Name=\"http://schemas.example.org/claims/attribute" +
                  std::to_string(i) +
                  "\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\">"
                  "<saml:AttributeValue xsi:type=\"xs:string\">value number " +
                  std::to_string(i) + "</saml:AttributeValue></saml:Attribute>";
  }
  builder.edit("</saml:AttributeStatement>", attributes + "</saml:AttributeStatement>");
  return base64_encode(builder.build());
}

void login(benchmark::State& state, testing::Signed sign) {
  const std::string message = make_message(sign);
  const std::vector<xml::Certificate> certificates = {testing::rsa_identity().certificate};
  SignatureRules rules;
  rules.certificates = &certificates;
  Expectation expected;
  expected.sp_entity_id = testing::kTestSp;
  expected.acs_url = testing::kTestAcs;
  expected.idp_entity_id = testing::kTestIdp;
  expected.request_id = testing::kTestRequest;
  expected.now = testing::kTestNow;
  const xml::Limits limits = xml::message_limits(256 * 1024);
  for (auto _ : state) {
    const auto document = base64_decode(message);
    const auto response = read_response(*document, rules, limits);
    if (!response.ok()) std::abort();
    auto accepted = check_response(*response, expected);
    if (!accepted.ok()) std::abort();
    benchmark::DoNotOptimize(accepted);
  }
  state.counters["bytes"] = static_cast<double>(base64_decode(message)->size());
}

void bare(benchmark::State& state, testing::Signed sign) {
  const std::string message = make_message(sign);
  BareVerifier verifier(testing::rsa_identity().certificate.key().raw());
  const int signatures = sign == testing::Signed::kBoth ? 2 : 1;
  for (auto _ : state) {
    if (verifier.verified_signatures(message) != signatures) std::abort();
  }
}

void login_both_signed(benchmark::State& state) { login(state, testing::Signed::kBoth); }
void bare_both_signed(benchmark::State& state) { bare(state, testing::Signed::kBoth); }
void login_assertion_signed(benchmark::State& state) { login(state, testing::Signed::kAssertion); }
void bare_assertion_signed(benchmark::State& state) { bare(state, testing::Signed::kAssertion); }
BENCHMARK(login_both_signed);
BENCHMARK(bare_both_signed);
BENCHMARK(login_assertion_signed);
BENCHMARK(bare_assertion_signed);

}  // namespace
}  // namespace sallyport::saml

BENCHMARK_MAIN();
