#include "xml/algorithms.h"

#include <array>

namespace sallyport::xml {
namespace {

struct SignatureRow {
  SignatureAlgorithm algorithm;
  std::string_view name;
  std::string_view uri;
  KeyKind key;
  DigestAlgorithm digest;
};

// XML-DSig Core 6.4, RFC 9231 section 2.3. In the order of the enumeration.
constexpr std::array<SignatureRow, 11> kSignatures = {{
    {SignatureAlgorithm::kRsaSha1, "rsa-sha1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
     KeyKind::kRsa, DigestAlgorithm::kSha1},
    {SignatureAlgorithm::kRsaSha256, "rsa-sha256",
     "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", KeyKind::kRsa, DigestAlgorithm::kSha256},
    {SignatureAlgorithm::kRsaSha384, "rsa-sha384",
     "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", KeyKind::kRsa, DigestAlgorithm::kSha384},
    {SignatureAlgorithm::kRsaSha512, "rsa-sha512",
     "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", KeyKind::kRsa, DigestAlgorithm::kSha512},
    {SignatureAlgorithm::kRsaPssSha256, "rsa-pss-sha256",
     "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", KeyKind::kRsa,
     DigestAlgorithm::kSha256},
    {SignatureAlgorithm::kRsaPssSha384, "rsa-pss-sha384",
     "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1", KeyKind::kRsa,
     DigestAlgorithm::kSha384},
    {SignatureAlgorithm::kRsaPssSha512, "rsa-pss-sha512",
     "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1", KeyKind::kRsa,
     DigestAlgorithm::kSha512},
    {SignatureAlgorithm::kEcdsaSha1, "ecdsa-sha1",
     "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1", KeyKind::kEc, DigestAlgorithm::kSha1},
    {SignatureAlgorithm::kEcdsaSha256, "ecdsa-sha256",
     "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", KeyKind::kEc, DigestAlgorithm::kSha256},
    {SignatureAlgorithm::kEcdsaSha384, "ecdsa-sha384",
     "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", KeyKind::kEc, DigestAlgorithm::kSha384},
    {SignatureAlgorithm::kEcdsaSha512, "ecdsa-sha512",
     "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", KeyKind::kEc, DigestAlgorithm::kSha512},
}};

struct DigestRow {
  DigestAlgorithm algorithm;
  std::string_view uri;
};

constexpr std::array<DigestRow, 4> kDigests = {{
    {DigestAlgorithm::kSha1, "http://www.w3.org/2000/09/xmldsig#sha1"},
    {DigestAlgorithm::kSha256, "http://www.w3.org/2001/04/xmlenc#sha256"},
    {DigestAlgorithm::kSha384, "http://www.w3.org/2001/04/xmldsig-more#sha384"},
    {DigestAlgorithm::kSha512, "http://www.w3.org/2001/04/xmlenc#sha512"},
}};

const SignatureRow& row_of(SignatureAlgorithm algorithm) {
  return kSignatures[static_cast<std::size_t>(algorithm)];
}

constexpr std::uint32_t bit_of(SignatureAlgorithm algorithm) {
  return 1u << static_cast<unsigned>(algorithm);
}

}  // namespace

std::optional<SignatureAlgorithm> signature_algorithm_by_uri(std::string_view uri) {
  for (const SignatureRow& row : kSignatures) {
    if (row.uri == uri) return row.algorithm;
  }
  return std::nullopt;
}

std::optional<DigestAlgorithm> digest_algorithm_by_uri(std::string_view uri) {
  for (const DigestRow& row : kDigests) {
    if (row.uri == uri) return row.algorithm;
  }
  return std::nullopt;
}

std::optional<SignatureAlgorithm> signature_algorithm_by_name(std::string_view name) {
  for (const SignatureRow& row : kSignatures) {
    if (row.name == name) return row.algorithm;
  }
  return signature_algorithm_by_uri(name);
}

std::string_view uri_of(SignatureAlgorithm algorithm) { return row_of(algorithm).uri; }
std::string_view name_of(SignatureAlgorithm algorithm) { return row_of(algorithm).name; }
KeyKind key_kind_of(SignatureAlgorithm algorithm) { return row_of(algorithm).key; }
DigestAlgorithm digest_of(SignatureAlgorithm algorithm) { return row_of(algorithm).digest; }

bool is_pss(SignatureAlgorithm algorithm) {
  return algorithm == SignatureAlgorithm::kRsaPssSha256 ||
         algorithm == SignatureAlgorithm::kRsaPssSha384 ||
         algorithm == SignatureAlgorithm::kRsaPssSha512;
}

AlgorithmSet::AlgorithmSet(std::initializer_list<SignatureAlgorithm> algorithms) {
  for (const SignatureAlgorithm algorithm : algorithms) add(algorithm);
}

AlgorithmSet AlgorithmSet::defaults() {
  AlgorithmSet set;
  for (const SignatureRow& row : kSignatures) {
    if (row.digest != DigestAlgorithm::kSha1) set.add(row.algorithm);
  }
  return set;
}

void AlgorithmSet::add(SignatureAlgorithm algorithm) { bits_ |= bit_of(algorithm); }

bool AlgorithmSet::has(SignatureAlgorithm algorithm) const {
  return (bits_ & bit_of(algorithm)) != 0;
}

bool AlgorithmSet::has_digest(DigestAlgorithm digest) const {
  return digest != DigestAlgorithm::kSha1 || has(SignatureAlgorithm::kRsaSha1) ||
         has(SignatureAlgorithm::kEcdsaSha1);
}

}  // namespace sallyport::xml
