// Signature algorithms and the set of them that an IdP may use.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace sallyport::xml {

enum class SignatureAlgorithm : std::uint8_t {
  kRsaSha1,
  kRsaSha256,
  kRsaSha384,
  kRsaSha512,
  kRsaPssSha256,
  kRsaPssSha384,
  kRsaPssSha512,
  kEcdsaSha1,
  kEcdsaSha256,
  kEcdsaSha384,
  kEcdsaSha512,
};

enum class DigestAlgorithm : std::uint8_t { kSha1, kSha256, kSha384, kSha512 };

enum class KeyKind : std::uint8_t { kRsa, kEc };

// By XML-DSig URI. RSA-PSS is known by the URIs of RFC 9231 (salt as long as the digest, MGF1 with
// the same digest).
std::optional<SignatureAlgorithm> signature_algorithm_by_uri(std::string_view uri);
std::optional<DigestAlgorithm> digest_algorithm_by_uri(std::string_view uri);
std::string_view uri_of(SignatureAlgorithm algorithm);

// What the algorithm works with.
KeyKind key_kind_of(SignatureAlgorithm algorithm);
DigestAlgorithm digest_of(SignatureAlgorithm algorithm);
bool is_pss(SignatureAlgorithm algorithm);

// By the name used in `signature_algorithms`: rsa-sha256, ecdsa-sha384, rsa-pss-sha512, rsa-sha1...;
// the URI is taken too.
std::optional<SignatureAlgorithm> signature_algorithm_by_name(std::string_view name);
std::string_view name_of(SignatureAlgorithm algorithm);

class AlgorithmSet {
 public:
  AlgorithmSet() = default;
  AlgorithmSet(std::initializer_list<SignatureAlgorithm> algorithms);
  // All but SHA-1.
  static AlgorithmSet defaults();
  void add(SignatureAlgorithm algorithm);
  bool has(SignatureAlgorithm algorithm) const;
  // A digest is allowed when a signature algorithm with it is: SHA-1 only beside a named SHA-1, and
  // SHA-256/384/512 always.
  bool has_digest(DigestAlgorithm digest) const;

 private:
  std::uint32_t bits_ = 0;
};

}  // namespace sallyport::xml
