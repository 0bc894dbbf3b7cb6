// The private-key and symmetric operations of XML Encryption, over OpenSSL's EVP.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "xml/encryption_algorithms.h"
#include "xml/encryption_shape.h"
#include "xml/keys.h"

namespace sallyport::xml {

// The content key of `size` bytes; empty when it cannot be had. One private-key operation. RSA 1.5
// never says no: a wrong padding yields another key, in the same time (Bleichenbacher), so that the
// failure shows in the content only.
std::string unwrap_key(const WrappedKey& wrapped, const PrivateKey& key, std::size_t size);

struct Plaintext {
  std::string bytes;
  // False after CBC with a wrong padding: who goes on with the bytes all the same, and refuses at
  // the end, tells nobody by the time taken.
  bool is_sound = false;
};

// IV | ciphertext | tag for GCM, IV | padded blocks for CBC (XML Encryption 1.1 section 5.2). GCM
// with a wrong tag gives no bytes out.
Plaintext decrypt_content(std::string_view value, std::string_view key, DataCipher cipher);

}  // namespace sallyport::xml
