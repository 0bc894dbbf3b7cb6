// Opens encrypted elements (XML Encryption 1.1, SAML Core 2.2.4): a strict shape first, then RSA and AES
// by OpenSSL's EVP. The plaintext goes through the same gates as what was received, and must be one
// element.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "xml/document.h"
#include "xml/encryption_shape.h"
#include "xml/keys.h"
#include "xml/signature.h"

namespace sallyport::xml {

// One of the service provider's keys; EC keys are passed over.
struct DecryptionKey {
  PrivateKey key;
  Certificate certificate;
};

// The plaintext of an element that was signed: as signed as that. Only a Decrypter makes one, from a
// SignedElement.
class SignedPlaintext {
 public:
  SignedElement root() const { return SignedElement(document_.root()); }
  const Document& document() const { return document_; }

 private:
  friend class Decrypter;
  explicit SignedPlaintext(Document document) : document_(std::move(document)) {}
  Document document_;
};

// Decrypts the parts of one message, with at most four private-key operations for all of them together: two with keys
// of more than 3,072 bits, one with more than 4,096, since an operation grows with the cube of the length; and with keys of
// more than 2,048 bits half as many in messages over 96 KB. A plaintext may have three eighths of a message's Limits, one
// eighth behind the second half of the operations, and what stands around it one eighth unless that is signed: so all of it
// takes 10 ms at the most, with keys of up to 4,096 bits. A key whose certificate the message names is the only one tried,
// else each of ours that is as long as the wrapped key.
class Decrypter {
 public:
  // `keys` outlive the object. `limits` are those of the message.
  Decrypter(const std::vector<DecryptionKey>& keys, EncryptionSet allowed, const Limits& limits)
      : keys_(&keys), allowed_(allowed), limits_(limits), late_limits_(limits) {}

  // Before the first decrypt(): the whole message, and its size in bytes.
  void expect(const Document& message, std::size_t size);

  // `holder` is an EncryptedAssertion, EncryptedID or EncryptedAttribute. Reasons from what anybody
  // can see of it: those of read_encryption_shape, xml_limits when the message is too large to have encrypted parts,
  // and decryption_failed when there is no RSA key. For
  // everything after that the one decryption_failed(): wrong key, changed bytes, plaintext that is
  // not XML or does not pass the gates.
  Result<Document> decrypt(const Element& holder);
  Result<SignedPlaintext> decrypt(const SignedElement& holder);

 private:
  // Whether one more operation may be made with the key; it counts.
  bool may_use(const PrivateKey& key);
  std::vector<const PrivateKey*> keys_for(const WrappedKey& wrapped) const;
  struct Opened {
    std::optional<Document> document;
    bool is_right_key = false;  // for certain, whatever the plaintext is
  };
  Opened open(const Element& holder, const EncryptionShape& shape, const std::string& secret) const;
  Result<Document> decrypt(const Element& holder, bool is_signed);

  const std::vector<DecryptionKey>* keys_;
  EncryptionSet allowed_;
  Limits limits_;       // of a plaintext
  Limits late_limits_;  // likewise, behind more than the usual effort
  bool is_too_heavy_ = false;
  int operations_ = 0;
  // In operations of keys with 2,048 bits; up to the usual one in a message of any size.
  static constexpr int kUsualEffort = 4;
  int most_effort_ = 2 * kUsualEffort;
  int effort_ = 0;
};

// The one answer to whatever goes wrong with a ciphertext or what was found in it, so that nobody can
// send changed ciphertexts and learn about the plaintext (Jager and Somorovsky, CCS 2011). Who reads
// the plaintext gives it too, until a signature inside has been verified.
Error decryption_failed();

// Whether an identifier (ID, Id) of one document stands in the other too.
bool share_ids(const Document& one, const Document& other);

}  // namespace sallyport::xml
