// XML documents behind two gates: bytes (SECURITY: NUL, UTF-8, declarations, DTD) before the parser,
// shape (depth, counts, identifiers, node kinds) after it. What passes is a tree of elements and
// text only, small enough that every later step is cheap.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "base/c_ptr.h"
#include "base/result.h"

struct _xmlDoc;
struct _xmlNode;
extern "C" void xmlFreeDoc(_xmlDoc*);

namespace sallyport::xml {

// What a document may cost at most. The defaults are those of SAML messages.
struct Limits {
  std::size_t bytes = 256 * 1024;
  std::size_t depth = 32;
  std::size_t elements = 20000;
  std::size_t attributes_per_element = 32;
  // Of all elements, namespace declarations included: what costs most for its size. 256 KB of the shortest
  // values with xsi:type have 9,500 in canonical form.
  std::size_t attributes = 15'000;
  std::size_t namespaces_per_element = 16;
  // Declarations in scope at once: an element's and its ancestors'. Their sum over a document is not
  // limited, since IdPs declare two with every attribute value.
  std::size_t namespaces_in_scope = 200;
  // Sum over all elements and prefixed attributes of the declarations in scope there, more for
  // prefixes of eight bytes and more: what a parser compares to find their namespaces. A login's
  // response needs a few hundred to some thousands.
  std::size_t namespace_lookups = 1'000'000;
  std::size_t id_bytes = 256;
  // They are sorted, to find one that occurs twice. A login's response has two, and a few more with parts encrypted.
  std::size_t ids = 1000;
  // Comments are refused in messages; metadata files by hand may hold them (they are skipped).
  bool allow_comments = false;
};

// What a document has of what Limits bound in total.
struct Weight {
  std::size_t elements = 0;
  std::size_t attributes = 0;
  std::size_t namespace_lookups = 0;
};

Limits message_limits(std::size_t max_bytes);
Limits metadata_limits(std::size_t max_bytes);
// Of a federation's whole document, of tens of thousands of entities.
Limits aggregate_limits(std::size_t max_bytes);

// A view of one element; valid as long as the Document that it came from, unmoved or moved.
class Element {
 public:
  class Iterator;
  class Children;

  explicit Element(_xmlNode* node) : node_(node) {}

  std::string_view local_name() const;
  std::string_view namespace_uri() const;
  bool is(std::string_view namespace_uri, std::string_view local_name) const;

  // The value of an attribute without namespace, or of one in `namespace_uri`.
  std::optional<std::string_view> attribute(std::string_view name) const;
  std::optional<std::string_view> attribute_ns(std::string_view namespace_uri,
                                               std::string_view name) const;

  // Child elements in document order. White space between them is not shown; see holds_text.
  Children children() const;
  // The only child of that name; nullopt when there is none or more than one.
  std::optional<Element> only_child(std::string_view namespace_uri,
                                    std::string_view local_name) const;
  std::size_t count_children(std::string_view namespace_uri, std::string_view local_name) const;
  bool has_child_elements() const;
  // Whether non-blank text stands beside the child elements.
  bool has_stray_text() const;

  // The whole text of an element that holds nothing but text (empty: ""); nullopt with a child
  // element. Blanks are kept as sent.
  std::optional<std::string_view> text() const;

  bool operator==(const Element& other) const { return node_ == other.node_; }
  // For src/xml only.
  _xmlNode* node() const { return node_; }

 private:
  _xmlNode* node_;
};

class Element::Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = Element;
  using difference_type = std::ptrdiff_t;
  using pointer = const Element*;
  using reference = Element;
  explicit Iterator(_xmlNode* node) : node_(node) {}
  Element operator*() const { return Element(node_); }
  Iterator& operator++();
  bool operator!=(const Iterator& other) const { return node_ != other.node_; }
  bool operator==(const Iterator& other) const { return node_ == other.node_; }

 private:
  _xmlNode* node_;
};

class Element::Children {
 public:
  explicit Children(_xmlNode* first) : first_(first) {}
  Iterator begin() const { return Iterator(first_); }
  Iterator end() const { return Iterator(nullptr); }

 private:
  _xmlNode* first_;
};

class Document {
 public:
  // Reasons: too_large, xml_forbidden (DTD, encoding, NUL, comment, PI...), xml_invalid (not
  // well-formed, not UTF-8, a bad or doubled ID...), xml_limits. Never loads anything from outside. The bytes need not outlive
  // the call.
  static Result<Document> parse(std::string_view bytes, const Limits& limits);

  Element root() const;
  const Weight& weight() const { return weight_; }
  _xmlDoc* raw() const { return doc_.get(); }

 private:
  Document(_xmlDoc* doc, const Weight& weight) : doc_(doc), weight_(weight) {}
  CPtr<_xmlDoc, xmlFreeDoc> doc_;
  Weight weight_;
};

// Once per process before threads and before the first Document (a worker's start): libxml2's
// tables, and an error channel that prints nothing. The channel is the calling thread's own: another
// thread that checks signatures calls this too. Safe to call again. Without it parsing is just as silent,
// canonicalization is not.
void initialize_parser();

}  // namespace sallyport::xml
