// Canonical octets (W3C xml-c14n, xml-exc-c14n) as a tree, without another parse of XML: what they may hold is so
// little that reading them takes a fraction of the time, and whatever else they hold is refused.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "xml/document.h"

namespace sallyport::xml {

// Owns its nodes, in one piece of memory; Elements of it may be read and canonicalized, never changed.
class CanonicalTree {
 public:
  // `octets` are those of one element as canonicalize() makes them: no mark-up but tags, one blank before each
  // attribute, declarations and attributes in order, nothing written in another way than canonical form does; nor
  // may a namespace's name hold a reference (`&`, `<`, quotes, blanks but U+0020), which no namespace of SAML does. Of
  // `limits` those of depth and look-ups of namespaces count. What is canonical was a tree before, and passed the gates:
  // so neither the other limits are looked at again, nor whether an ID is there twice, a namespace's name is no absolute URI,
  // a character beyond ASCII may not stand in a name, or one is U+FFFE or U+FFFF.
  // Reasons: signature_invalid (not canonical), xml_limits.
  static Result<CanonicalTree> read(std::string octets, const Limits& limits);

  CanonicalTree(CanonicalTree&&) noexcept;
  CanonicalTree& operator=(CanonicalTree&&) noexcept;
  ~CanonicalTree();

  Element root() const;
  // Of the root.
  std::string_view octets() const;
  // Of an element of a tree like this, with its end tag; empty for one of any other tree.
  static std::string_view octets_of(const Element& element);

 private:
  struct Memory;
  class Reader;
  explicit CanonicalTree(std::unique_ptr<Memory> memory);

  std::unique_ptr<Memory> memory_;
};

}  // namespace sallyport::xml
