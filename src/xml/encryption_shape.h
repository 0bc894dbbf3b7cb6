// The shapes of encrypted elements that are accepted (XML Encryption 1.1 section 3, SAML Core 2.2.4),
// read by an explicit walk: one EncryptedData, its key wrapped for us or for a few recipients, both
// as values that stand in the message. Nothing is fetched, followed or transformed.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "xml/algorithms.h"
#include "xml/document.h"
#include "xml/encryption_algorithms.h"

namespace sallyport::xml {

// One EncryptedKey.
struct WrappedKey {
  KeyTransport transport = KeyTransport::kRsaOaep;
  DigestAlgorithm digest = DigestAlgorithm::kSha1;  // of OAEP
  DigestAlgorithm mask = DigestAlgorithm::kSha1;    // of OAEP's MGF1
  std::string label;                                // OAEPparams, decoded
  std::string value;                                // decoded
  // The X509Certificate that it names, base64 without blanks; empty when none is. It only tells
  // which of our keys to try.
  std::string certificate;
};

struct EncryptionShape {
  DataCipher cipher = DataCipher::kAes128Gcm;
  std::string value;             // decoded
  std::vector<WrappedKey> keys;  // 1 to 4
};

// Reads `holder` (EncryptedAssertion, EncryptedID, EncryptedAttribute): one EncryptedData, with
// EncryptedKeys in its KeyInfo or behind it, where a RetrievalMethod may point at them. Reasons:
// structure_invalid, xml_limits (more than 4 EncryptedKeys), algorithm_not_allowed.
Result<EncryptionShape> read_encryption_shape(const Element& holder, const EncryptionSet& allowed);

}  // namespace sallyport::xml
