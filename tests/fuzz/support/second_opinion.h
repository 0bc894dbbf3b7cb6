// xmlsec1 and a reader of its own octets, as second opinion over what the product accepts: neither shares
// code with src/xml or src/saml but the reading of times.
#pragma once

#include <openssl/evp.h>

#include <string>
#include <string_view>
#include <vector>

#include "saml/response.h"

namespace sallyport::fuzz {

// What is read of a Response itself and of its assertion, one line a fact.
std::string describe(const saml::ResponseHeader& header);
std::string describe(const saml::Assertion& assertion);

struct SecondOpinion {
  bool accepted = false;  // every Signature of the Response and of its Assertion, at least one of them
  std::string why_not;
  // As `describe` has it, read from the octets that xmlsec1 digested: of the Response when it is signed,
  // and of the assertion.
  std::string identity;
};

// xmlsec1 is given nothing but the keys, each of which it tries, and the one to decrypt with, if any: signatures outside of a
// ciphertext are verified as they came, over it; those inside over what xmlsec1 found there.
SecondOpinion second_opinion(std::string_view document, const std::vector<EVP_PKEY*>& keys, EVP_PKEY* recipient = nullptr);

// Whether the product's acceptance holds: xmlsec1 accepts too, and reads the same. `why_not` otherwise.
bool is_confirmed(std::string_view document, const saml::VerifiedResponse& accepted,
                  const std::vector<EVP_PKEY*>& keys, std::string& why_not, EVP_PKEY* recipient = nullptr);

}  // namespace sallyport::fuzz
