// Encryption algorithms and the set of them that an IdP may use (XML Encryption 1.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::xml {

// What the content is encrypted with.
enum class DataCipher : std::uint8_t {
  kAes128Gcm,
  kAes192Gcm,
  kAes256Gcm,
  kAes128Cbc,
  kAes192Cbc,
  kAes256Cbc,
};

// How the content's key travels. RSA-OAEP goes by two URIs: that of XML Encryption 1.0 (MGF1 with
// SHA-1) and that of 1.1 (which names its mask function).
enum class KeyTransport : std::uint8_t { kRsaOaep, kRsa15 };

std::optional<DataCipher> data_cipher_by_uri(std::string_view uri);
std::optional<KeyTransport> key_transport_by_uri(std::string_view uri);

// By the names used in `encryption_algorithms`: aes128-gcm, aes256-cbc..., rsa-oaep, rsa-1_5; URIs are
// taken too.
std::optional<DataCipher> data_cipher_by_name(std::string_view name);
std::optional<KeyTransport> key_transport_by_name(std::string_view name);
std::string_view name_of(DataCipher cipher);
std::string_view name_of(KeyTransport transport);
std::string_view uri_of(DataCipher cipher);

std::size_t key_size(DataCipher cipher);  // bytes
bool is_authenticated(DataCipher cipher);

class EncryptionSet {
 public:
  EncryptionSet() = default;
  // AES-128-GCM and AES-256-GCM with RSA-OAEP.
  static EncryptionSet defaults();

  void add(DataCipher cipher) { ciphers_ |= 1u << static_cast<unsigned>(cipher); }
  void add(KeyTransport transport) { transports_ |= 1u << static_cast<unsigned>(transport); }
  bool has(DataCipher cipher) const { return (ciphers_ >> static_cast<unsigned>(cipher) & 1) != 0; }
  bool has(KeyTransport transport) const {
    return (transports_ >> static_cast<unsigned>(transport) & 1) != 0;
  }
  // A kind of which nothing was named keeps its defaults.
  EncryptionSet or_defaults() const;
  // What both have.
  EncryptionSet common(const EncryptionSet& other) const;

 private:
  std::uint32_t ciphers_ = 0;
  std::uint32_t transports_ = 0;
};

}  // namespace sallyport::xml
