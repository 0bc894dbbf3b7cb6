// From the bytes of a SAMLResponse to one assertion that is signed by the IdP (SAML Core 3.2.2,
// 3.3.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "saml/assertion.h"
#include "xml/algorithms.h"
#include "xml/document.h"
#include "xml/keys.h"

namespace sallyport::saml {

enum class RequireSigned { kAny, kResponse, kAssertion, kBoth };

// The Response's own attributes. Of an unsigned Response they can only refuse.
struct ResponseHeader {
  std::string id;
  std::optional<std::string> issuer;
  std::optional<std::string> destination;
  std::optional<std::string> in_response_to;
  Millis issue_instant = 0;
  bool is_signed = false;
  std::vector<std::string> status_codes;  // outermost first
  std::string status_message;             // for the log
};

struct VerifiedResponse {
  ResponseHeader header;
  Assertion assertion;
};

struct SignatureRules {
  const std::vector<xml::Certificate>* certificates = nullptr;
  xml::AlgorithmSet algorithms = xml::AlgorithmSet::defaults();
  RequireSigned require = RequireSigned::kAny;
};

// One Response, exactly one Assertion in it, every signature that is present valid, and as many as
// `rules` want. The assertion is read from verified octets only: the Response's when it is signed,
// else its own. A Status other than Success is refused as status_not_success before any signature
// is asked for, since IdPs send errors unsigned (it can only refuse).
Result<VerifiedResponse> read_response(std::string_view document, const SignatureRules& rules,
                                       const xml::Limits& limits);

}  // namespace sallyport::saml
