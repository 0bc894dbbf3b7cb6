// What the tests of decryption share: keys of ours, and what is in an encrypted element.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "encryption_test_util.h"
#include "test_identity.h"
#include "xml/decryption.h"

namespace sallyport::test {

inline constexpr char kPlain[] = "<a ID=\"_inside\">secret</a>";

inline Encryption with(const KeyWrapping& key) {
  Encryption how;
  how.keys = {key};
  return how;
}

inline KeyWrapping to(EVP_PKEY* recipient) {
  KeyWrapping key;
  key.recipient = recipient;
  return key;
}

inline xml::EncryptionSet everything() {
  xml::EncryptionSet set = xml::EncryptionSet::defaults();
  for (const char* name : {"aes192-gcm", "aes128-cbc", "aes192-cbc", "aes256-cbc"}) {
    set.add(*xml::data_cipher_by_name(name));
  }
  set.add(xml::KeyTransport::kRsa15);
  return set;
}

inline std::vector<xml::DecryptionKey> keys_of(std::initializer_list<EVP_PKEY*> all) {
  std::vector<xml::DecryptionKey> keys;
  for (EVP_PKEY* key : all) keys.push_back({private_key_of(key), certificate_of(key)});
  return keys;
}

// The text inside the decrypted element, or the reason word.
inline std::string open_with(const std::vector<xml::DecryptionKey>& keys, const std::string& text,
                             const xml::EncryptionSet& allowed = xml::EncryptionSet::defaults(),
                             std::string* detail = nullptr) {
  const auto document = xml::Document::parse(text, xml::Limits());
  if (!document.ok()) return "outer " + document.error().detail;
  xml::Decrypter decrypter(keys, allowed, xml::Limits());
  const auto inside = decrypter.decrypt(document->root());
  if (detail != nullptr && !inside.ok()) *detail = inside.error().detail;
  if (!inside.ok()) return std::string(reason_word(inside.error().reason));
  return std::string(inside->root().text().value_or("?"));
}

inline std::string open(const std::string& text,
                        const xml::EncryptionSet& allowed = xml::EncryptionSet::defaults(),
                        std::string* detail = nullptr) {
  static const std::vector<xml::DecryptionKey> keys = keys_of({rsa_key()});
  return open_with(keys, text, allowed, detail);
}

inline std::string certificate_hint(EVP_PKEY* key) {
  return "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n" + certificate_of(key).base64() +
         "\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo>";
}

}  // namespace sallyport::test
