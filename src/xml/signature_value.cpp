// Raw signature values of XML-DSig: PrivateKey::sign and verify_value of keys.h.
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "base/c_ptr.h"
#include "xml/evp.h"
#include "xml/keys.h"
#include "xml/prepared_key.h"

namespace sallyport::xml {
namespace {

using EcdsaSignature = CPtr<ECDSA_SIG, ECDSA_SIG_free>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

bool fits(SignatureAlgorithm algorithm, const EVP_PKEY* key) {
  const int id = key_kind_of(algorithm) == KeyKind::kRsa ? EVP_PKEY_RSA : EVP_PKEY_EC;
  return EVP_PKEY_get_base_id(key) == id;
}

// r and s each take the octets of the curve's order (XML-DSig 1.1 section 6.4.3).
std::size_t half_size(const EVP_PKEY* key) {
  return (static_cast<std::size_t>(EVP_PKEY_get_bits(key)) + 7) / 8;
}

// The DER that OpenSSL wants, from r|s. Empty when the length is not exactly the curve's.
std::string der_of_raw(std::string_view raw, std::size_t half) {
  if (raw.size() != 2 * half) return {};
  const EcdsaSignature signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes_of(raw), static_cast<int>(half), nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(raw) + half, static_cast<int>(half), nullptr);
  if (signature == nullptr || r == nullptr || s == nullptr ||
      ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  const int size = i2d_ECDSA_SIG(signature.get(), nullptr);
  if (size <= 0) return {};
  std::string bytes(static_cast<std::size_t>(size), '\0');
  unsigned char* at = bytes_of(bytes);
  return i2d_ECDSA_SIG(signature.get(), &at) == size ? bytes : std::string();
}

// The other way round. Empty on failure.
std::string raw_of_der(std::string_view der, std::size_t half) {
  const unsigned char* at = bytes_of(der);
  const EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (signature == nullptr) return {};
  std::string raw(2 * half, '\0');
  const int size = static_cast<int>(half);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes_of(raw), size) != size ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes_of(raw) + half, size) != size) {
    return {};
  }
  return raw;
}

std::string sign_digest(const PreparedKey& key, std::string_view digest, SignatureAlgorithm algorithm) {
  KeyContext context = key.operation(algorithm);
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key.raw()));
  std::string value(size, '\0');
  if (context == nullptr ||
      EVP_PKEY_sign(context.get(), bytes_of(value), &size, bytes_of(digest), digest.size()) != 1) {
    return {};
  }
  key.keep(algorithm, std::move(context));
  value.resize(size);
  return value;
}

bool verify_digest(const PreparedKey& key, std::string_view digest, std::string_view value, SignatureAlgorithm algorithm) {
  KeyContext context = key.operation(algorithm);
  if (context == nullptr ||
      EVP_PKEY_verify(context.get(), bytes_of(value), value.size(), bytes_of(digest), digest.size()) != 1) {
    return false;
  }
  key.keep(algorithm, std::move(context));
  return true;
}

}  // namespace

Result<std::string> PrivateKey::sign(std::string_view bytes, SignatureAlgorithm algorithm) const {
  const QuietErrors quiet;
  if (!fits(algorithm, raw())) return Error{Reason::kInternal, "algorithm and key differ"};
  const std::string digest = digest_bytes(bytes, digest_of(algorithm));
  std::string value = digest.empty() ? digest : sign_digest(*key_, digest, algorithm);
  if (!value.empty() && is_ec()) value = raw_of_der(value, half_size(raw()));
  if (value.empty()) return Error{Reason::kInternal, "signing failed"};
  return value;
}

bool verify_value(std::string_view bytes, std::string_view value, SignatureAlgorithm algorithm,
                  const PublicKey& key) {
  const QuietErrors quiet;
  if (!fits(algorithm, key.raw())) return false;
  std::string der;
  if (key.is_ec()) {
    der = der_of_raw(value, half_size(key.raw()));
    if (der.empty()) return false;
    value = der;
  } else if (value.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key.raw()))) {
    return false;
  }
  const std::string digest = digest_bytes(bytes, digest_of(algorithm));
  return !digest.empty() && verify_digest(*key.key_, digest, value, algorithm);
}

}  // namespace sallyport::xml
