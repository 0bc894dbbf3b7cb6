// Certificates and keys of any kind: what is taken is strong enough, comes back the same, and a private
// key's signatures hold under its own certificate only.
#include <string>
#include <string_view>

#include "../unit/test_identity.h"
#include "base/encoding.h"
#include "support/fuzz_input.h"
#include "support/fuzz_target.h"
#include "xml/encryption_algorithms.h"
#include "xml/keys.h"

namespace {

using namespace sallyport;

void check_strength(const xml::Certificate& certificate) {
  const xml::PublicKey& key = certificate.key();
  REQUIRE(key.is_rsa() != key.is_ec());
  REQUIRE(!key.is_rsa() || key.bits() >= 2048);
  REQUIRE(certificate.fingerprint().size() == 95);
  const auto again = xml::Certificate::from_base64(certificate.base64());
  REQUIRE(again.ok() && again->fingerprint() == certificate.fingerprint());
}

void read_certificates(std::string_view text) {
  for (const std::string& each : {std::string(text), base64_encode(text)}) {
    if (const auto certificate = xml::Certificate::from_base64(each)) check_strength(*certificate);
    if (const auto certificate = xml::Certificate::from_pem(each)) check_strength(*certificate);
  }
  if (const auto key = xml::PrivateKey::from_pem(text)) REQUIRE(key->is_rsa() != key->is_ec());
}

// A good key file with some bytes replaced is refused, or is a key that still signs.
void read_edited_key(fuzz::FuzzInput& input) {
  static const std::string files[] = {
      test::private_pem(test::ec_key()), test::private_pem(test::ec_key("P-521")),
      test::private_pem(test::rsa_key()), test::certificate_pem(test::ec_key("P-384")),
      test::certificate_pem(test::rsa_key())};
  std::string file = input.pick(files);
  for (std::uint64_t edits = input.number(0, 3); edits > 0; --edits) {
    const std::size_t at = input.number(0, file.size() - 1);
    const std::size_t removed = input.number(0, 40);
    file.replace(at, removed, input.text(40));
    if (file.empty()) return;
  }
  if (const auto certificate = xml::Certificate::from_pem(file)) check_strength(*certificate);
  const auto key = xml::PrivateKey::from_pem(file);
  if (!key.ok()) return;
  REQUIRE(key->is_rsa() != key->is_ec());
  // Its parts may not fit each other: then it fails, but cleanly.
  static_cast<void>(key->sign("some bytes", key->default_algorithm()));
}

constexpr xml::SignatureAlgorithm kAlgorithms[] = {
    xml::SignatureAlgorithm::kRsaSha1,      xml::SignatureAlgorithm::kRsaSha256,
    xml::SignatureAlgorithm::kRsaSha384,    xml::SignatureAlgorithm::kRsaSha512,
    xml::SignatureAlgorithm::kRsaPssSha256, xml::SignatureAlgorithm::kRsaPssSha384,
    xml::SignatureAlgorithm::kRsaPssSha512, xml::SignatureAlgorithm::kEcdsaSha1,
    xml::SignatureAlgorithm::kEcdsaSha256,  xml::SignatureAlgorithm::kEcdsaSha384,
    xml::SignatureAlgorithm::kEcdsaSha512};

// Any value under any algorithm verifies nothing; our own verifies what it was made for.
void sign_and_verify(fuzz::FuzzInput& input) {
  const testing::Identity& identity = input.flag() ? testing::ec_identity() : testing::rsa_identity();
  const xml::PublicKey& key = identity.certificate.key();
  const xml::SignatureAlgorithm algorithm = input.pick(kAlgorithms);
  const std::string bytes = input.text(256);
  REQUIRE(!xml::verify_value(bytes, input.text(600), algorithm, key));
  auto value = identity.key.sign(bytes, algorithm);
  const bool fits = (xml::key_kind_of(algorithm) == xml::KeyKind::kRsa) == key.is_rsa();
  REQUIRE(value.ok() == fits);
  if (!value.ok()) return;
  REQUIRE(xml::verify_value(bytes, *value, algorithm, key));
  REQUIRE(!xml::verify_value(bytes + "x", *value, algorithm, key));
  char& changed = (*value)[input.number(0, value->size() - 1)];
  changed = static_cast<char>(changed ^ input.number(1, 255));
  REQUIRE(!xml::verify_value(bytes, *value, algorithm, key));
}

}  // namespace

FUZZ_TARGET(keys) {
  read_certificates(input);
  for (const std::string_view word : {input, input.substr(input.size() / 2)}) {
    if (const auto known = xml::signature_algorithm_by_name(word)) {
      REQUIRE(xml::signature_algorithm_by_name(xml::name_of(*known)) == known);
      REQUIRE(xml::signature_algorithm_by_uri(xml::uri_of(*known)) == known);
    }
  }
  if (const auto cipher = xml::data_cipher_by_name(input)) {
    REQUIRE(xml::data_cipher_by_name(xml::name_of(*cipher)) == cipher);
    REQUIRE(xml::data_cipher_by_uri(xml::uri_of(*cipher)) == cipher);
  }
  if (const auto transport = xml::key_transport_by_name(input)) {
    REQUIRE(xml::key_transport_by_name(xml::name_of(*transport)) == transport);
  }
  fuzz::FuzzInput choices(input);
  choices.flag() ? sign_and_verify(choices) : read_edited_key(choices);
}
