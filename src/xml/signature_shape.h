// The one shape of ds:Signature that is accepted (XML-DSig Core 4, SAML Core 5.4), read by an
// explicit walk.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "xml/algorithms.h"
#include "xml/document.h"

namespace sallyport::xml {

struct SignatureShape {
  Element element;
  Element signed_info;
  SignatureAlgorithm algorithm;
  DigestAlgorithm digest;
  std::string value;                              // decoded
  std::string digest_value;                       // decoded, as long as the digest
  std::vector<std::string> signed_info_prefixes;  // of InclusiveNamespaces
  std::vector<std::string> reference_prefixes;
};

// Reads the one Signature among the direct children of `parent`, which must refer to `parent` by
// its ID. Reasons: signature_missing, signature_malformed, algorithm_not_allowed (an unknown one).
Result<SignatureShape> read_signature_shape(const Element& parent);

}  // namespace sallyport::xml
