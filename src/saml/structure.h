// Strict reading of SAML elements: children in schema order, required attributes, exact instants.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "xml/document.h"

namespace sallyport::saml {

Error structure_error(std::string detail);

// Goes through the child elements of one element in the order of a schema's sequence.
class ChildCursor {
 public:
  explicit ChildCursor(const xml::Element& parent)
      : parent_(parent), next_(parent.children().begin()), end_(parent.children().end()) {}

  // The next child when it is that element, which is then behind the cursor.
  std::optional<xml::Element> take(std::string_view namespace_uri, std::string_view local_name);
  // The next child, whatever it is.
  std::optional<xml::Element> take_any();
  // structure_invalid when a child is left, or text stands between the children.
  Status finish() const;

 private:
  xml::Element parent_;
  xml::Element::Iterator next_;
  xml::Element::Iterator end_;
};

// An attribute's value as a string of our own; nullopt when it is not there.
std::optional<std::string> attribute_string(const xml::Element& element, std::string_view name);

// A required attribute that must not be blank. Reason: structure_invalid.
Result<std::string> required_attribute(const xml::Element& element, std::string_view name);

// An optional xs:dateTime attribute; nothing when absent, structure_invalid when malformed.
Result<std::optional<Millis>> instant_attribute(const xml::Element& element,
                                                std::string_view name);
Result<Millis> required_instant(const xml::Element& element, std::string_view name);

// The text of an element that holds nothing else and is not blank, as sent. Reason:
// structure_invalid.
Result<std::string> required_text(const xml::Element& element);

// Version must be "2.0" (Core 4.1). Reason: version_mismatch.
Status check_version(const xml::Element& element);

// The entity ID in a saml:Issuer: Format absent or entity, no qualifiers (Core 2.2.5, 8.3.6).
// Reasons: issuer_mismatch, structure_invalid.
Result<std::string> read_issuer(const xml::Element& issuer);

}  // namespace sallyport::saml
