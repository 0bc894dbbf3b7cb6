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

// What is left or stray behind a cursor. Reason: structure_invalid.
Error unexpected_child(const xml::Element& child, const xml::Element& parent);
Status check_no_stray_text(const xml::Element& parent);

// Goes through the child elements of one element in the order of a schema's sequence. The children of an
// xml::SignedElement are such ones too.
template <class AnyElement>
class ChildCursor {
 public:
  explicit ChildCursor(const AnyElement& parent)
      : parent_(parent), next_(parent.children().begin()), end_(parent.children().end()) {}

  // The next child when it is that element, which is then behind the cursor.
  std::optional<AnyElement> take(std::string_view namespace_uri, std::string_view local_name) {
    if (next_ == end_ || !is_next(namespace_uri, local_name)) return std::nullopt;
    return take_any();
  }
  // The next child, whatever it is.
  std::optional<AnyElement> take_any() {
    if (next_ == end_) return std::nullopt;
    const AnyElement element = *next_;
    ++next_;
    return element;
  }
  // structure_invalid when a child is left, or text stands between the children.
  Status finish() const {
    if (next_ != end_) return unexpected_child(*next_, parent_);
    return check_no_stray_text(parent_);
  }

 private:
  bool is_next(std::string_view namespace_uri, std::string_view local_name) const {
    const AnyElement element = *next_;
    return static_cast<const xml::Element&>(element).is(namespace_uri, local_name);
  }

  AnyElement parent_;
  typename AnyElement::Iterator next_;
  typename AnyElement::Iterator end_;
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
