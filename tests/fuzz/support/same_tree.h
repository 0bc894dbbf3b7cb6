// Whether two of libxml2's trees say the same, however they came to be.
#pragma once

#include <libxml/tree.h>

#include <string_view>

#include "xml/node_text.h"

namespace sallyport::fuzz {

inline bool is_same_namespace(const xmlNs* one, const xmlNs* other) {
  if (one == nullptr || other == nullptr) return one == other;
  return xml::view_of(one->href) == xml::view_of(other->href) && xml::view_of(one->prefix) == xml::view_of(other->prefix);
}

inline bool declare_the_same(const xmlNode* one, const xmlNode* other) {
  const xmlNs* b = other->nsDef;
  for (const xmlNs* a = one->nsDef; a != nullptr; a = a->next, b = b->next) {
    if (b == nullptr || !is_same_namespace(a, b)) return false;
  }
  return b == nullptr;
}

inline bool have_the_same_attributes(const xmlNode* one, const xmlNode* other) {
  const xmlAttr* b = other->properties;
  for (const xmlAttr* a = one->properties; a != nullptr; a = a->next, b = b->next) {
    if (b == nullptr || a->parent != one || b->parent != other || !is_same_namespace(a->ns, b->ns)) return false;
    if (xml::view_of(a->name) != xml::view_of(b->name)) return false;
    if (xml::attribute_value(a) != xml::attribute_value(b)) return false;
  }
  return b == nullptr;
}

// Names, prefixes, declarations, attributes and texts, and the links between the nodes; in their order. Deep
// documents are the gates' business.
inline bool is_same_tree(const xmlNode* one, const xmlNode* other) {
  if (one->type != other->type || xml::view_of(one->name) != xml::view_of(other->name)) return false;
  if (one->type == XML_TEXT_NODE) return xml::view_of(one->content) == xml::view_of(other->content);
  if (!is_same_namespace(one->ns, other->ns) || !declare_the_same(one, other)) return false;
  if (!have_the_same_attributes(one, other)) return false;
  const xmlNode* b = other->children;
  for (const xmlNode* a = one->children; a != nullptr; a = a->next, b = b->next) {
    if (b == nullptr || a->parent != one || (a->next == nullptr ? one->last : a->next->prev) != a) return false;
    if (!is_same_tree(a, b)) return false;
  }
  return b == nullptr;
}

}  // namespace sallyport::fuzz
