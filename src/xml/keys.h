// Keys and certificates, over OpenSSL's EVP. The key is what is trusted: a certificate's dates and
// issuer play no part (SAML metadata interoperability profile).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "xml/algorithms.h"

struct evp_pkey_st;

namespace sallyport::xml {

// prepared_key.h
class PreparedKey;

// A public key that a signature may be checked with. Copies share the key. RSA of at least 2,048 bits or
// EC on P-256, P-384, P-521; weaker ones are refused when loaded (RSA of 1,024 bits only for the
// test corpora, see allow_weak).
class PublicKey {
 public:
  bool is_rsa() const;
  bool is_ec() const;
  int bits() const;
  evp_pkey_st* raw() const;

 private:
  friend class Certificate;
  friend bool verify_value(std::string_view, std::string_view, SignatureAlgorithm, const PublicKey&);
  explicit PublicKey(std::shared_ptr<const PreparedKey> key) : key_(std::move(key)) {}
  std::shared_ptr<const PreparedKey> key_;
};

class Certificate {
 public:
  // PEM (the first certificate) or DER bytes. Reason: config_invalid, with what is wrong in words.
  static Result<Certificate> from_pem(std::string_view pem, bool allow_weak = false);
  // Every certificate of PEM text, or the one of DER bytes. A file with one that is no good is no good, and so is one with a chain:
  // the key of a CA is none of an identity provider's.
  static Result<std::vector<Certificate>> all_from_pem(std::string_view pem);
  // The base64 text of ds:X509Certificate, white space anywhere.
  static Result<Certificate> from_base64(std::string_view text, bool allow_weak = false);

  const PublicKey& key() const { return key_; }
  // Base64 of the DER, for metadata.
  const std::string& base64() const { return base64_; }
  // SHA-256 of the DER, colon-separated upper-case hex, as operators see it elsewhere.
  std::string fingerprint() const;
  Millis not_after() const { return not_after_; }

 private:
  Certificate(PublicKey key, std::string base64, Millis not_after)
      : key_(std::move(key)), base64_(std::move(base64)), not_after_(not_after) {}
  static Result<Certificate> from_der(std::string_view der, bool allow_weak);
  PublicKey key_;
  std::string base64_;
  Millis not_after_;
};

// The service provider's own key. Copies share it. Wiped with the last copy.
class PrivateKey {
 public:
  // Unencrypted PEM (PKCS#8 or traditional). RSA of at least 2,048 bits or EC P-256/384/521; weaker
  // RSA only for the test corpora.
  static Result<PrivateKey> from_pem(std::string_view pem, bool allow_weak = false);

  bool is_rsa() const;
  bool is_ec() const;
  // Whether this key belongs to that certificate.
  bool matches(const Certificate& certificate) const;
  // RSA-SHA256 or ECDSA-SHA256.
  SignatureAlgorithm default_algorithm() const;

  // The signature value of XML-DSig over the bytes (ECDSA as r|s). Reason: internal.
  Result<std::string> sign(std::string_view bytes, SignatureAlgorithm algorithm) const;

  evp_pkey_st* raw() const;

 private:
  explicit PrivateKey(std::shared_ptr<const PreparedKey> key) : key_(std::move(key)) {}
  std::shared_ptr<const PreparedKey> key_;
};

// Whether `value` (XML-DSig form) is a signature of the bytes under one algorithm and key. An algorithm that
// does not fit the key is a plain no. For any thread, as is signing.
bool verify_value(std::string_view bytes, std::string_view value, SignatureAlgorithm algorithm,
                  const PublicKey& key);

}  // namespace sallyport::xml
