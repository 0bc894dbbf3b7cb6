// Documents whose EncryptedAssertion, EncryptedID and EncryptedAttribute elements hold what shall be
// encrypted: with it encrypted, or in the clear.
#pragma once

#include <openssl/evp.h>

#include <string>
#include <string_view>

#include "dice.h"

namespace sallyport::fuzz {

struct Peers {
  EVP_PKEY* ec;         // signs
  EVP_PKEY* rsa;        // signs
  EVP_PKEY* recipient;  // RSA: the key to encrypt for
};

struct Encrypted {
  std::string document;
  bool all_read;  // a reader of responses opens all of it
};

// Every such element's content is signed again (see `resigned`) and encrypted, inner ones first, with
// ciphers as the dice fall; then the whole is signed again. Elements that hold an EncryptedData stay as
// they are.
Encrypted with_encrypted(std::string_view document, const Peers& peers, Dice& dice);

// The same with the contents in place of these elements.
std::string in_the_clear(std::string_view document, const Peers& peers);

}  // namespace sallyport::fuzz
