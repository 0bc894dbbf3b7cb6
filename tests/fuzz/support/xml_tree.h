// XML as it is written: a tree whose names, attribute values and texts are the very characters of the
// document, so that edits can make what no serializer would, and what is not edited comes out as it went
// in (but for blanks inside tags, the kind of quotes, and the form of empty elements).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::fuzz {

struct XmlNode {
  std::string name;  // "prefix:local"; empty: `text` stands here as it is (text, comment, CDATA...)
  std::string text;
  std::vector<std::pair<std::string, std::string>> attributes;  // declarations of namespaces too
  std::vector<XmlNode> children;

  bool is_element() const { return !name.empty(); }
  std::string_view prefix() const;
  std::string_view local_name() const;
  // The attribute of that very name; null when it is not there.
  std::string* attribute(std::string_view wanted);
};

// The root element; what stands around it is dropped. nullopt where tags do not match, or the document
// is deeper than 64 elements.
std::optional<XmlNode> parse_tree(std::string_view document);

std::string write_tree(const XmlNode& root);

// Every element in document order, valid until the tree changes.
std::vector<XmlNode*> elements_of(XmlNode& root);

}  // namespace sallyport::fuzz
