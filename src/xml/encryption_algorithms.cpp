#include "xml/encryption_algorithms.h"

#include <array>

#include "xml/names.h"

namespace sallyport::xml {
namespace {

struct CipherRow {
  DataCipher cipher;
  std::string_view name;
  std::string_view uri;
  std::size_t key_size;
  bool is_authenticated;
};

// XML Encryption 1.1 section 5.2. In the order of the enumeration.
constexpr std::array<CipherRow, 6> kCiphers = {{
    {DataCipher::kAes128Gcm, "aes128-gcm", "http://www.w3.org/2009/xmlenc11#aes128-gcm", 16, true},
    {DataCipher::kAes192Gcm, "aes192-gcm", "http://www.w3.org/2009/xmlenc11#aes192-gcm", 24, true},
    {DataCipher::kAes256Gcm, "aes256-gcm", "http://www.w3.org/2009/xmlenc11#aes256-gcm", 32, true},
    {DataCipher::kAes128Cbc, "aes128-cbc", "http://www.w3.org/2001/04/xmlenc#aes128-cbc", 16, false},
    {DataCipher::kAes192Cbc, "aes192-cbc", "http://www.w3.org/2001/04/xmlenc#aes192-cbc", 24, false},
    {DataCipher::kAes256Cbc, "aes256-cbc", "http://www.w3.org/2001/04/xmlenc#aes256-cbc", 32, false},
}};

const CipherRow& row_of(DataCipher cipher) { return kCiphers[static_cast<std::size_t>(cipher)]; }

}  // namespace

std::optional<DataCipher> data_cipher_by_uri(std::string_view uri) {
  for (const CipherRow& row : kCiphers) {
    if (row.uri == uri) return row.cipher;
  }
  return std::nullopt;
}

std::optional<KeyTransport> key_transport_by_uri(std::string_view uri) {
  if (uri == kRsaOaepMgf1p || uri == kRsaOaep11) return KeyTransport::kRsaOaep;
  if (uri == kRsa15Uri) return KeyTransport::kRsa15;
  return std::nullopt;
}

std::optional<DataCipher> data_cipher_by_name(std::string_view name) {
  for (const CipherRow& row : kCiphers) {
    if (row.name == name) return row.cipher;
  }
  return data_cipher_by_uri(name);
}

std::optional<KeyTransport> key_transport_by_name(std::string_view name) {
  for (const KeyTransport transport : {KeyTransport::kRsaOaep, KeyTransport::kRsa15}) {
    if (name_of(transport) == name) return transport;
  }
  return key_transport_by_uri(name);
}

std::string_view name_of(DataCipher cipher) { return row_of(cipher).name; }

std::string_view name_of(KeyTransport transport) {
  return transport == KeyTransport::kRsaOaep ? "rsa-oaep" : "rsa-1_5";
}

std::string_view uri_of(DataCipher cipher) { return row_of(cipher).uri; }
std::size_t key_size(DataCipher cipher) { return row_of(cipher).key_size; }
bool is_authenticated(DataCipher cipher) { return row_of(cipher).is_authenticated; }

EncryptionSet EncryptionSet::defaults() {
  EncryptionSet set;
  set.add(DataCipher::kAes128Gcm);
  set.add(DataCipher::kAes256Gcm);
  set.add(KeyTransport::kRsaOaep);
  return set;
}

EncryptionSet EncryptionSet::common(const EncryptionSet& other) const {
  EncryptionSet set = *this;
  set.ciphers_ &= other.ciphers_;
  set.transports_ &= other.transports_;
  return set;
}

EncryptionSet EncryptionSet::or_defaults() const {
  EncryptionSet set = *this;
  if (set.ciphers_ == 0) set.ciphers_ = defaults().ciphers_;
  if (set.transports_ == 0) set.transports_ = defaults().transports_;
  return set;
}

}  // namespace sallyport::xml
