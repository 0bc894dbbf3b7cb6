// A good answer and what it must be, for the tests of check_response.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "response_builder.h"
#include "saml/conditions.h"

namespace sallyport::saml {

constexpr Millis kSkew = 180 * kSecond;

inline Expectation expectation() {
  Expectation out;
  out.sp_entity_id = testing::kTestSp;
  out.acs_url = testing::kTestAcs;
  out.idp_entity_id = testing::kTestIdp;
  out.request_id = testing::kTestRequest;
  out.now = testing::kTestNow;
  out.skew = kSkew;
  return out;
}

inline Result<VerifiedResponse> read(const testing::ResponseBuilder& builder) {
  static const std::vector<xml::Certificate> certificates = {testing::ec_identity().certificate};
  SignatureRules rules;
  rules.certificates = &certificates;
  return read_response(builder.build(), rules, xml::message_limits(256 * 1024));
}

// A message that must be readable, so that what refuses it is check_response.
inline VerifiedResponse must_read(const testing::ResponseBuilder& builder) {
  auto response = read(builder);
  EXPECT_TRUE(response.ok()) << response.error().detail;
  return response.ok() ? std::move(*response) : VerifiedResponse{};
}

inline VerifiedResponse good() { return must_read(testing::ResponseBuilder()); }

inline Millis at(std::string_view instant) { return parse_instant(instant).value_or(0); }

inline std::string word(const Result<Accepted>& result) {
  return result.ok() ? "accepted" : std::string(reason_word(result.error().reason));
}

}  // namespace sallyport::saml
