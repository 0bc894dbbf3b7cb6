// Signed responses whose private keys were thrown away when they were made (make_genuine.py): whatever is
// accepted under their certificates says what they say.
#pragma once

#include <openssl/evp.h>

#include <string>
#include <string_view>
#include <vector>

#include "saml/response.h"
#include "xml/keys.h"

namespace sallyport::fuzz {

struct Genuine {
  std::string name;
  std::string text;
  std::string header;     // what the Response says, see `describe`
  std::string assertion;  // and the assertion
};

struct GenuineMessages {
  std::vector<Genuine> messages;
  std::vector<xml::Certificate> certificates;  // of all of them
  std::vector<EVP_PKEY*> keys;                 // of the certificates

  // The one that says the same, by its assertion and, where the Response is signed, by that; null when
  // there is none.
  const Genuine* find(const saml::VerifiedResponse& response) const;
};

// Read once from tests/fuzz/genuine. Ends the process when one of them is missing, refused, or read
// otherwise by the second opinion.
const GenuineMessages& genuine_messages();

// As the product reads it, under these certificates.
Result<saml::VerifiedResponse> read_message(std::string_view document,
                                            const std::vector<xml::Certificate>& certificates);

}  // namespace sallyport::fuzz
