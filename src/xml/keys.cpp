#include "xml/keys.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <climits>
#include <ctime>
#include <optional>

#include "base/c_ptr.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "xml/evp.h"
#include "xml/prepared_key.h"

namespace sallyport::xml {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMinWeakRsaBits = 1024;
constexpr int kMaxRsaBits = 8192;  // a verification grows with the square of it

Error invalid(std::string detail) { return {Reason::kConfigInvalid, std::move(detail)}; }

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

CPtr<BIO, BIO_free_all> read_only(std::string_view bytes) {
  if (bytes.size() > INT_MAX) return nullptr;
  return CPtr<BIO, BIO_free_all>(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

CPtr<BIGNUM, BN_free> number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  return CPtr<BIGNUM, BN_free>(number);
}

Status check_rsa(EVP_PKEY* key, bool allow_weak) {
  const int bits = EVP_PKEY_get_bits(key);
  const int least = allow_weak ? kMinWeakRsaBits : kMinRsaBits;
  if (bits < least) {
    return invalid("RSA key of " + std::to_string(bits) + " bits is too short (" +
                   std::to_string(least) + " at least)");
  }
  if (bits > kMaxRsaBits) {
    return invalid("RSA key of " + std::to_string(bits) + " bits is too long (" +
                   std::to_string(kMaxRsaBits) + " at most)");
  }
  const auto exponent = number_of(key, OSSL_PKEY_PARAM_RSA_E);
  if (exponent == nullptr || !BN_is_odd(exponent.get()) || BN_is_one(exponent.get())) {
    return invalid("RSA key with a broken public exponent");
  }
  const auto modulus = number_of(key, OSSL_PKEY_PARAM_RSA_N);
  if (modulus == nullptr || !BN_is_odd(modulus.get())) {
    return invalid("RSA key with a broken modulus");
  }
  return Done{};
}

bool is_known_curve(std::string_view name) {
  return name == "prime256v1" || name == "secp384r1" || name == "secp521r1" || name == "P-256" ||
         name == "P-384" || name == "P-521";
}

Status check_ec(EVP_PKEY* key) {
  int explicit_parameters = 1;
  if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                             &explicit_parameters) != 1 ||
      explicit_parameters != 0) {
    return invalid("EC key with parameters of its own instead of a named curve");
  }
  char name[64] = "";
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name, sizeof name, &size) != 1 ||
      !is_known_curve({name, size})) {
    return invalid("EC key on the curve \"" + std::string(name) +
                   "\" (P-256, P-384 and P-521 are taken)");
  }
  const CPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (context == nullptr || EVP_PKEY_public_check(context.get()) != 1) {
    return invalid("EC key that is no point of its curve");
  }
  return Done{};
}

Status check_key(EVP_PKEY* key, bool allow_weak) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return check_rsa(key, allow_weak);
    case EVP_PKEY_EC:
      return check_ec(key);
    default:
      return invalid("neither an RSA nor an EC key");
  }
}

using OwnedKey = CPtr<EVP_PKEY, EVP_PKEY_free>;

std::shared_ptr<const PreparedKey> prepare(OwnedKey key, PreparedKey::Use use) {
  return std::make_shared<const PreparedKey>(std::move(key), use);
}

bool is_kind(const EVP_PKEY* key, int id) { return EVP_PKEY_get_base_id(key) == id; }

// What PEM_read_bio yields, which may be a private key.
class PemBlock {
 public:
  PemBlock(char* name, char* header, unsigned char* data, long size)
      : name_(name), header_(header), data_(data), size_(static_cast<std::size_t>(size)) {}
  ~PemBlock() {
    OPENSSL_free(name_);
    OPENSSL_free(header_);
    OPENSSL_clear_free(data_, size_);
  }
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;

  std::string_view name() const { return name_; }
  std::string_view data() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  char* name_;
  char* header_;
  unsigned char* data_;
  std::size_t size_;
};

// The DER of the next certificate in PEM text; nullopt when no block follows that can be read.
std::optional<std::string> next_certificate(BIO* input) {
  while (input != nullptr) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(input, &name, &header, &data, &size) != 1) break;
    const PemBlock block(name, header, data, size);
    const std::string_view label = block.name();
    if (label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD) return std::string(block.data());
  }
  return std::nullopt;
}

// Whether reading PEM blocks ended since there are no more, and not at a broken one.
bool is_at_end_of_pem() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

// Whether one of them names another one as its issuer. An old and a new certificate of one name that sign themselves do not.
bool has_chain(const std::vector<CPtr<X509, X509_free>>& certificates) {
  for (const auto& certificate : certificates) {
    const X509_NAME* issuer = X509_get_issuer_name(certificate.get());
    if (X509_NAME_cmp(issuer, X509_get_subject_name(certificate.get())) == 0) continue;
    for (const auto& other : certificates) {
      if (X509_NAME_cmp(issuer, X509_get_subject_name(other.get())) == 0) return true;
    }
  }
  return false;
}

Millis end_of_validity(const X509* certificate) {
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return 0;
  return static_cast<Millis>(timegm(&time)) * kSecond;
}

// Never asks at a terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

bool PublicKey::is_rsa() const { return is_kind(raw(), EVP_PKEY_RSA); }
bool PublicKey::is_ec() const { return is_kind(raw(), EVP_PKEY_EC); }
int PublicKey::bits() const { return EVP_PKEY_get_bits(raw()); }
EVP_PKEY* PublicKey::raw() const { return key_->raw(); }

Result<Certificate> Certificate::from_pem(std::string_view pem, bool allow_weak) {
  const QuietErrors quiet;
  if (!contains(pem, "-----BEGIN ")) {
    const bool may_be_der = !pem.empty() && pem.front() == '\x30';
    return may_be_der ? from_der(pem, allow_weak) : invalid("not a PEM certificate");
  }
  if (const auto der = next_certificate(read_only(pem).get())) return from_der(*der, allow_weak);
  if (contains(pem, "PRIVATE KEY-----")) return invalid("a private key, not a certificate");
  return invalid("not a PEM certificate");
}

Result<std::vector<Certificate>> Certificate::all_from_pem(std::string_view pem) {
  const QuietErrors quiet;
  std::vector<Certificate> all;
  std::vector<CPtr<X509, X509_free>> decoded;
  const auto input = read_only(pem);
  while (const auto der = next_certificate(input.get())) {
    auto certificate = from_der(*der, false);
    if (!certificate) return certificate.error();
    all.push_back(std::move(certificate).value());
    const auto* at = reinterpret_cast<const unsigned char*>(der->data());
    decoded.emplace_back(d2i_X509(nullptr, &at, static_cast<long>(der->size())));
    if (decoded.back() == nullptr) return invalid("a certificate that cannot be decoded");
  }
  if (has_chain(decoded)) return invalid("a chain of CAs; leave the identity provider's own certificate, and what replaces it");
  if (!all.empty() && !is_at_end_of_pem()) return invalid("what follows the last whole certificate cannot be read");
  if (!all.empty()) return all;
  auto only = from_pem(pem);
  if (!only) return only.error();
  all.push_back(std::move(only).value());
  return all;
}

Result<Certificate> Certificate::from_base64(std::string_view text, bool allow_weak) {
  const QuietErrors quiet;
  std::string packed;
  packed.reserve(text.size());
  std::copy_if(text.begin(), text.end(), std::back_inserter(packed),
               [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
  const auto der = base64_decode(packed);
  if (!der) return invalid("a certificate that is not base64");
  return from_der(*der, allow_weak);
}

Result<Certificate> Certificate::from_der(std::string_view der, bool allow_weak) {
  if (der.empty() || der.size() > LONG_MAX) return invalid("an empty certificate");
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = at + der.size();
  const CPtr<X509, X509_free> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate == nullptr) return invalid("a certificate that cannot be decoded");
  if (at != end) return invalid("a certificate with bytes behind its end");
  OwnedKey key(X509_get_pubkey(certificate.get()));
  if (key == nullptr) return invalid("a certificate whose key cannot be used");
  SALLYPORT_TRY(check_key(key.get(), allow_weak));
  return Certificate(PublicKey(prepare(std::move(key), PreparedKey::Use::kVerify)), base64_encode(der),
                     end_of_validity(certificate.get()));
}

std::string Certificate::fingerprint() const {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (const unsigned char byte : sha256(base64_decode(base64_).value_or(""))) {
    if (!text.empty()) text += ':';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem, bool allow_weak) {
  const QuietErrors quiet;
  if (contains(pem, "ENCRYPTED")) {
    return invalid("encrypted private key: remove the passphrase with openssl pkey");
  }
  const auto input = read_only(pem);
  if (input == nullptr) return invalid("not a PEM private key");
  OwnedKey key(PEM_read_bio_PrivateKey(input.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr) {
    const bool is_certificate =
        contains(pem, "-----BEGIN CERTIFICATE") && !contains(pem, "PRIVATE KEY-----");
    return invalid(is_certificate ? "a certificate, not a private key" : "not a PEM private key");
  }
  SALLYPORT_TRY(check_key(key.get(), allow_weak));
  return PrivateKey(prepare(std::move(key), PreparedKey::Use::kSign));
}

bool PrivateKey::is_rsa() const { return is_kind(raw(), EVP_PKEY_RSA); }
bool PrivateKey::is_ec() const { return is_kind(raw(), EVP_PKEY_EC); }
EVP_PKEY* PrivateKey::raw() const { return key_->raw(); }

bool PrivateKey::matches(const Certificate& certificate) const {
  const QuietErrors quiet;
  return EVP_PKEY_eq(raw(), certificate.key().raw()) == 1;
}

SignatureAlgorithm PrivateKey::default_algorithm() const {
  return is_rsa() ? SignatureAlgorithm::kRsaSha256 : SignatureAlgorithm::kEcdsaSha256;
}

}  // namespace sallyport::xml
