// OpenSSL objects that src/xml shares: digests fetched once, a clean error queue.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>

#include <string>
#include <string_view>

#include "xml/algorithms.h"

namespace sallyport::xml {

// Fetched at the first use and kept. Null only when OpenSSL has no such digest, or no memory.
const EVP_MD* message_digest(DigestAlgorithm algorithm);

// Empty on failure (no digest is empty).
std::string digest_bytes(std::string_view bytes, DigestAlgorithm algorithm);

// What OpenSSL queues as errors inside the scope is dropped: a refusal is no news to whoever looks
// at the thread's queue next.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

}  // namespace sallyport::xml
