// A key with an operation of OpenSSL that is set up for it: setting one up, with its look-ups by name, takes 2 to 3 us, a
// copy of it 0.1 us.
#pragma once

#include <openssl/evp.h>

#include <atomic>
#include <utility>

#include "base/c_ptr.h"
#include "xml/algorithms.h"

namespace sallyport::xml {

using KeyContext = CPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

// For any thread.
class PreparedKey {
 public:
  enum class Use { kSign, kVerify };

  PreparedKey(CPtr<EVP_PKEY, EVP_PKEY_free> key, Use use) : key_(std::move(key)), use_(use) {}
  ~PreparedKey() { delete kept_.load(); }
  PreparedKey(const PreparedKey&) = delete;
  PreparedKey& operator=(const PreparedKey&) = delete;

  EVP_PKEY* raw() const { return key_.get(); }
  // Null: OpenSSL refuses, or has no memory.
  KeyContext operation(SignatureAlgorithm algorithm) const;
  // One that has succeeded, for the next operation of the same algorithm: the first one stays, so that no stranger's message
  // chooses.
  void keep(SignatureAlgorithm algorithm, KeyContext context) const;

 private:
  struct Kept {
    SignatureAlgorithm algorithm;
    KeyContext context;
  };

  KeyContext set_up(SignatureAlgorithm algorithm) const;

  const CPtr<EVP_PKEY, EVP_PKEY_free> key_;
  const Use use_;
  mutable std::atomic<const Kept*> kept_{nullptr};
};

}  // namespace sallyport::xml
