// The only way from received bytes to bytes that may be believed (SAML Core 5.4, XML-DSig; design B):
// an enveloped signature over one element is checked, signature value first, digest second, and what
// comes out is the very octets that were digested, read again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "xml/algorithms.h"
#include "xml/canonical_tree.h"
#include "xml/document.h"
#include "xml/keys.h"

namespace sallyport::xml {

// An element of verified octets. It can only be had from a SignedDocument, or by decrypting a
// SignedElement: what takes one cannot be handed anything that was not signed.
class SignedElement {
 public:
  class Iterator;
  class Children;

  const Element& element() const { return element_; }
  // What was signed may go wherever it does not matter; nothing leads back.
  operator const Element&() const { return element_; }
  // The child elements in document order, signed as their parent is.
  Children children() const;
  // The only child of that name, signed as its parent is.
  std::optional<SignedElement> only_child(std::string_view namespace_uri,
                                          std::string_view local_name) const;

 private:
  friend class SignedDocument;
  friend class SignedPlaintext;  // decryption.h
  explicit SignedElement(Element element) : element_(element) {}
  Element element_;
};

class SignedElement::Iterator {
 public:
  SignedElement operator*() const { return SignedElement(*position_); }
  Iterator& operator++() {
    ++position_;
    return *this;
  }
  bool operator!=(const Iterator& other) const { return position_ != other.position_; }
  bool operator==(const Iterator& other) const { return position_ == other.position_; }

 private:
  friend class SignedElement::Children;
  explicit Iterator(Element::Iterator position) : position_(position) {}
  Element::Iterator position_;
};

class SignedElement::Children {
 public:
  Iterator begin() const { return Iterator(all_.begin()); }
  Iterator end() const { return Iterator(all_.end()); }

 private:
  friend class SignedElement;
  explicit Children(Element::Children all) : all_(all) {}
  Element::Children all_;
};

inline SignedElement::Children SignedElement::children() const { return Children(element_.children()); }

// The canonical octets that were digested, without the signature itself, and what they say.
class SignedDocument {
 public:
  SignedElement root() const { return SignedElement(tree_.root()); }
  std::string_view octets() const { return tree_.octets(); }
  SignatureAlgorithm algorithm() const { return algorithm_; }

 private:
  friend class SignatureVerifier;
  SignedDocument(CanonicalTree tree, SignatureAlgorithm algorithm) : tree_(std::move(tree)), algorithm_(algorithm) {}
  CanonicalTree tree_;
  SignatureAlgorithm algorithm_;
};

// Checks signatures with the keys and algorithms that the configuration or metadata names; KeyInfo in
// messages is never read.
class SignatureVerifier {
 public:
  SignatureVerifier(const std::vector<Certificate>& certificates, AlgorithmSet allowed)
      : certificates_(&certificates), allowed_(allowed) {}

  // Checks the one Signature that is a direct child of `parent` over `parent`. Exactly one Reference,
  // "#" + the parent's ID; enveloped-signature and exclusive canonicalization only. `parent` lives in
  // a Document that passed the gates; it is the same after the call as before.
  // Reasons: signature_missing (no Signature child), signature_malformed (not of the one
  // accepted shape), algorithm_not_allowed, signature_invalid (no key verifies, digest differs,
  // canonicalization failed or came back empty).
  Result<SignedDocument> verify(const Element& parent, const Limits& limits) const;

  // The same checks; only the octets, which the caller reads as he likes, and may be too many for a second tree.
  Result<std::string> verify_octets(const Element& parent) const;

  // The same checks for an element of octets that are verified already: an Assertion with a signature of its own
  // inside a signed Response. `received` is that element as it was received, since its PrefixLists may name what the
  // Response's octets do not declare. Nothing is parsed again: what is read next is signed as `element` stands.
  Status confirm(const SignedElement& element, const Element& received) const;

 private:
  const std::vector<Certificate>* certificates_;
  AlgorithmSet allowed_;
};

// Whether `parent` has a Signature as direct child.
bool is_signed(const Element& parent);

// SAML messages carry a Signature only as direct child of samlp:Response or saml:Assertion, directly
// behind its Issuer, and one each (SAML Core 2.3.3, 3.2.2). Any other place in the document, and any SignedInfo
// outside of a Signature, where it could be there to mislead: signature_malformed.
Status check_signature_positions(const Document& document);

}  // namespace sallyport::xml
