#include "xml/node_text.h"

#include <cstring>
#include <string>

namespace sallyport::xml {
namespace {

bool is_text_or_comment(const xmlNode* node) {
  return node != nullptr && (node->type == XML_TEXT_NODE || node->type == XML_COMMENT_NODE);
}

void remove_node(xmlNode* node) {
  xmlUnlinkNode(node);
  xmlFreeNode(node);
}

// Makes one text node of a run that begins at `first`; sets `next` to what follows it.
bool join_run(xmlNode* first, xmlNode*& next) {
  std::string text;
  xmlNode* kept = nullptr;
  for (xmlNode* node = first; is_text_or_comment(node); node = next) {
    next = node->next;
    if (node->type == XML_TEXT_NODE) text += view_of(node->content);
    if (node->type == XML_TEXT_NODE && kept == nullptr) {
      kept = node;
    } else {
      remove_node(node);
    }
  }
  if (kept == nullptr) return true;
  xmlNodeSetContent(kept, reinterpret_cast<const xmlChar*>(text.c_str()));
  return view_of(kept->content) == text;
}

}  // namespace

bool equals(const xmlChar* text, std::string_view expected) {
  const char* bytes = reinterpret_cast<const char*>(text);
  if (bytes == nullptr) return false;
  if (expected.empty()) return bytes[0] == '\0';
  return std::strncmp(bytes, expected.data(), expected.size()) == 0 &&
         bytes[expected.size()] == '\0';
}

bool is_named(const xmlNode* node, std::string_view namespace_uri, std::string_view local_name) {
  // A root's parent is the document, which has no `ns`.
  return node->type == XML_ELEMENT_NODE && equals(node->name, local_name) && node->ns != nullptr &&
         equals(node->ns->href, namespace_uri);
}

bool is_plain_attribute(const xmlAttr* attribute) {
  const xmlNode* value = attribute->children;
  return value == nullptr || (value->type == XML_TEXT_NODE && value->next == nullptr);
}

std::string_view attribute_value(const xmlAttr* attribute) {
  return attribute->children == nullptr ? std::string_view()
                                        : view_of(attribute->children->content);
}

bool drop_comments(xmlNode* element) {
  for (xmlNode* node = element->children; node != nullptr;) {
    xmlNode* next = node->next;
    if (is_text_or_comment(node) && !join_run(node, next)) return false;
    node = next;
  }
  return true;
}

}  // namespace sallyport::xml
