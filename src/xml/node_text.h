// Small readings of libxml2's nodes, for src/xml only.
#pragma once

#include <libxml/tree.h>

#include <string_view>

namespace sallyport::xml {

inline std::string_view view_of(const xmlChar* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

// Whether a name of libxml2 equals `expected`, without measuring it first.
bool equals(const xmlChar* text, std::string_view expected);

bool is_named(const xmlNode* node, std::string_view namespace_uri, std::string_view local_name);

// Whether the value is empty or one text node.
bool is_plain_attribute(const xmlAttr* attribute);

// The value of a plain attribute.
std::string_view attribute_value(const xmlAttr* attribute);

// Takes the comments out of an element's children and joins the text around them into one node
// each. False when memory fails.
bool drop_comments(xmlNode* element);

}  // namespace sallyport::xml
