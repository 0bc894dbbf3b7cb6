#include "xml/prepared_key.h"

#include <openssl/rsa.h>

#include <memory>
#include <utility>

#include "xml/evp.h"

namespace sallyport::xml {
namespace {

bool set_padding_and_digest(EVP_PKEY_CTX* context, SignatureAlgorithm algorithm) {
  const EVP_MD* method = message_digest(digest_of(algorithm));
  if (key_kind_of(algorithm) == KeyKind::kRsa) {
    const int padding = is_pss(algorithm) ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    if (EVP_PKEY_CTX_set_rsa_padding(context, padding) != 1) return false;
  }
  if (EVP_PKEY_CTX_set_signature_md(context, method) != 1) return false;
  if (!is_pss(algorithm)) return true;
  return EVP_PKEY_CTX_set_rsa_mgf1_md(context, method) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

KeyContext PreparedKey::operation(SignatureAlgorithm algorithm) const {
  const Kept* kept = kept_.load(std::memory_order_acquire);
  if (kept == nullptr || kept->algorithm != algorithm) return set_up(algorithm);
  return KeyContext(EVP_PKEY_CTX_dup(kept->context.get()));
}

void PreparedKey::keep(SignatureAlgorithm algorithm, KeyContext context) const {
  if (kept_.load(std::memory_order_relaxed) != nullptr) return;
  auto mine = std::make_unique<const Kept>(Kept{algorithm, std::move(context)});
  const Kept* earlier = nullptr;
  if (kept_.compare_exchange_strong(earlier, mine.get())) mine.release();
}

KeyContext PreparedKey::set_up(SignatureAlgorithm algorithm) const {
  KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  if (context == nullptr) return nullptr;
  const int begun = use_ == Use::kSign ? EVP_PKEY_sign_init(context.get()) : EVP_PKEY_verify_init(context.get());
  return begun == 1 && set_padding_and_digest(context.get(), algorithm) ? std::move(context) : nullptr;
}

}  // namespace sallyport::xml
