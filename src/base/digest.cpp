// For the SHA256 functions, which OpenSSL 3 calls deprecated; see sha256().
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <atomic>
#include <memory>
#include <new>

#include "base/c_ptr.h"

namespace sallyport {

namespace {

// Only memory can be wanting where these fail: as with the strings around them, std::bad_alloc. What a
// static object needs is then asked for again by the next call.
void require(bool done) {
  if (!done) throw std::bad_alloc();
}
template <class T>
T* required(T* object) {
  require(object != nullptr);
  return object;
}

class HmacSha256 {
 public:
  HmacSha256() {
    static EVP_MAC* const algorithm = required(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    context_.reset(required(EVP_MAC_CTX_new(algorithm)));
    char name[] = "SHA2-256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end()};
    require(EVP_MAC_CTX_set_params(context_.get(), parameters) == 1);
  }

  Digest compute(std::string_view key, std::string_view bytes) {
    // An empty key must not be a null pointer: that would mean the key of the call before.
    const auto* key_bytes = reinterpret_cast<const unsigned char*>(key.empty() ? "" : key.data());
    Digest digest;
    std::size_t size = 0;
    require(EVP_MAC_init(context_.get(), key_bytes, key.size(), nullptr) == 1 &&
            EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                           bytes.size()) == 1 &&
            EVP_MAC_final(context_.get(), digest.data(), &size, digest.size()) == 1 &&
            size == digest.size());
    return digest;
  }

 private:
  CPtr<EVP_MAC_CTX, EVP_MAC_CTX_free> context_;
};

}  // namespace

// Not by EVP, whose way to its provider costs three times as much as a digest of 32 bytes when other work's code and data
// are in the caches, as they are between two requests.
Digest sha256(std::string_view bytes) {
  Digest digest;
  SHA256_CTX context;
  require(SHA256_Init(&context) == 1 && SHA256_Update(&context, bytes.data(), bytes.size()) == 1 &&
          SHA256_Final(digest.data(), &context) == 1);
  return digest;
}

// Creating a context costs more than the code of a short text: one is kept between the calls, and whoever finds
// it lent to another thread makes its own. Not thread_local, which loaded modules pay for with a call each, and
// which LeakSanitizer at times cannot read.
Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  struct Kept {
    ~Kept() { delete spare.load(); }
    std::atomic<HmacSha256*> spare{nullptr};
  };
  static Kept kept;
  std::unique_ptr<HmacSha256> context(kept.spare.exchange(nullptr, std::memory_order_acquire));
  if (context == nullptr) context = std::make_unique<HmacSha256>();
  const Digest digest = context->compute(key, bytes);
  context.reset(kept.spare.exchange(context.release(), std::memory_order_acq_rel));
  return digest;
}

Digest derive_key(std::string_view secret, std::string_view info) {
  // RFC 5869: an empty salt is a key of zeros as long as the digest; one block is 32 bytes.
  constexpr Digest kNoSalt{};
  Digest extracted = hmac_sha256(as_view(kNoSalt), secret);
  std::string block(info);
  block += '\x01';
  const Digest key = hmac_sha256(as_view(extracted), block);
  OPENSSL_cleanse(extracted.data(), extracted.size());
  return key;
}

std::uint64_t hash_tag(std::string_view bytes) {
  const Digest digest = sha256(bytes);
  std::uint64_t tag = 0;
  for (std::size_t i = 0; i < sizeof(tag); ++i) tag = tag << 8 | digest[i];
  return tag;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace sallyport
