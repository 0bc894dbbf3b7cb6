// From the bytes of a SAMLResponse to one assertion that is signed by the IdP (SAML Core 3.2.2,
// 3.3.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "saml/assertion.h"
#include "xml/algorithms.h"
#include "xml/decryption.h"
#include "xml/document.h"
#include "xml/keys.h"
#include "xml/signature.h"

namespace sallyport::saml {

enum class RequireSigned { kAny, kResponse, kAssertion, kBoth };

// The Response's own attributes. Of an unsigned Response they can only refuse.
struct ResponseHeader {
  std::string id;
  std::optional<std::string> issuer;
  std::optional<std::string> destination;
  std::optional<std::string> in_response_to;
  Millis issue_instant = 0;
  bool is_signed = false;
  std::vector<std::string> status_codes;  // outermost first
  std::string status_message;             // for the log
};

struct VerifiedResponse {
  ResponseHeader header;
  Assertion assertion;
};

struct SignatureRules {
  const std::vector<xml::Certificate>* certificates = nullptr;
  xml::AlgorithmSet algorithms = xml::AlgorithmSet::defaults();
  RequireSigned require = RequireSigned::kAny;
};

struct EncryptionRules {
  const std::vector<xml::DecryptionKey>* keys = nullptr;  // null: none
  xml::EncryptionSet algorithms = xml::EncryptionSet::defaults();
  bool require = false;
};

// One Response, exactly one Assertion in it, encrypted or not, every signature that is present valid, and
// as many as `rules` want. The assertion is read from verified octets only: the Response's when it is
// signed, else its own. A Status other than Success is refused as status_not_success before any signature
// is asked for, since IdPs send errors unsigned (it can only refuse).
//
// An EncryptedAssertion is decrypted after the Response's signature, which is over the ciphertext, and
// before its own. Its plaintext is as signed as the Response, or else must be signed itself: anybody
// can encrypt for us. Up to that signature every failure of it is one decryption_failed.
//
// In steps, each to be called once, in this order, and only after the one before was done; none checks more
// than one signature, so that an event loop can do other things between them.
class ResponseReader {
 public:
  // What the rules point to must live as long as the reader.
  ResponseReader(const SignatureRules& rules, const EncryptionRules& encryption,
                 const xml::Limits& limits);

  // The gates, the Response's own elements, the number and place of assertions and signatures.
  Status open(std::string_view document);
  // The Response's signature, or the Assertion's when the Response has none and it can be read.
  Status verify();
  // Whether there is an EncryptedAssertion; else the next step may be left out.
  bool is_encrypted() const { return encrypted_; }
  Status decrypt();
  // The signature that an Assertion inside a signed Response or an EncryptedAssertion has of its own, if
  // any; then whether the signatures there are suffice.
  Status confirm();
  // From verified octets.
  Result<VerifiedResponse> read();

 private:
  Status verify_response(const xml::Element& received);
  Status verify_assertion(const xml::Element& received);
  Status decrypt_signed();
  Status decrypt_unsigned();
  Status check_inside(const xml::Document& plain) const;
  Status confirm_assertion();
  Status confirm_decrypted();
  Status check_response_signed() const;
  Status check_required() const;
  std::optional<xml::SignedElement> signed_assertion() const;

  SignatureRules rules_;
  EncryptionRules encryption_;
  xml::Limits limits_;
  xml::Decrypter decrypter_;
  std::optional<xml::Document> received_;
  ResponseHeader header_;
  bool encrypted_ = false;
  // Of the Response if it is signed, else of the Assertion.
  std::optional<xml::SignedDocument> octets_;
  // What was in the EncryptedAssertion of a signed Response, or of one that is not.
  std::optional<xml::SignedPlaintext> signed_plain_;
  std::optional<xml::Document> plain_;
  bool response_signed_ = false;
  bool assertion_signed_ = false;
};

// All steps at once.
Result<VerifiedResponse> read_response(std::string_view document, const SignatureRules& rules,
                                       const xml::Limits& limits,
                                       const EncryptionRules& encryption = {});

}  // namespace sallyport::saml
