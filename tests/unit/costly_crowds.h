// Messages in which one element stands thousands of times, beside itself or inside of itself: whoever looks at each of them
// for each of them takes long. Row 163 of tests/ATTACKS.md.
#pragma once

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <string>
#include <vector>

#include "base/c_ptr.h"
#include "costly_encrypted.h"

namespace sallyport::testing {

using XmlTree = CPtr<xmlDoc, xmlFreeDoc>;

inline void drop_ids(xmlNode* node) {
  for (const char* name : {"ID", "Id"}) xmlUnsetProp(node, reinterpret_cast<const xmlChar*>(name));
  for (xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE) drop_ids(child);
  }
}

inline std::string text_of(xmlDoc* tree) {
  xmlChar* text = nullptr;
  int size = 0;
  xmlDocDumpMemory(tree, &text, &size);
  std::string out(reinterpret_cast<char*>(text), static_cast<std::size_t>(size));
  xmlFree(text);
  return out;
}

// The element in document order that has that number; null behind the last one.
inline xmlNode* element_at(xmlNode* root, std::size_t number) {
  xmlNode* node = root;
  while (number > 0 && node != nullptr) {
    xmlNode* next = xmlFirstElementChild(node);
    while (next == nullptr && node != nullptr && node != root) {
      next = xmlNextElementSibling(node);
      if (next == nullptr) node = node->parent;
    }
    if (next == nullptr) return nullptr;
    node = next;
    --number;
  }
  return node;
}

// The message with a crowd of its element number `number`; "" when it has not so many.
inline std::string crowded(const std::string& message, std::size_t number, bool inside) {
  constexpr std::size_t kMost = 9000;
  const XmlTree tree(xmlReadMemory(message.data(), static_cast<int>(message.size()), nullptr, nullptr, 0));
  xmlNode* element = element_at(xmlDocGetRootElement(tree.get()), number);
  if (element == nullptr) return "";
  xmlNode* one = inside ? xmlNewNode(element->ns, element->name) : xmlCopyNode(element, 1);
  drop_ids(one);
  const XmlTree alone(xmlNewDoc(nullptr));
  xmlDocSetRootElement(alone.get(), xmlCopyNode(one, 1));
  const std::size_t room = (kLargest - message.size()) * 3 / 4;
  for (std::size_t i = 0; i < std::min(kMost, room / text_of(alone.get()).size()); ++i) {
    xmlNode* copy = xmlCopyNode(one, 1);
    inside ? xmlAddChild(element, copy) : xmlAddNextSibling(element, copy);
  }
  xmlFreeNode(one);
  return text_of(tree.get());
}

// Of every element of a signed message and of one with an encrypted part, and of the encrypted part's own elements.
inline std::vector<CostlyMessage> crowds() {
  const std::string plain = changed_after_signing("");
  const test::Encryption how = for_us(own_keys().front(), 0);
  const std::string encrypted = with_encrypted_assertion(plain, how);
  std::vector<CostlyMessage> all;
  for (const bool inside : {false, true}) {
    const std::string kind = inside ? "inside" : "beside";
    const auto add = [&](const std::string& name, const std::string& message) {
      all.push_back({"163: a crowd " + kind + " itself: " + name, form_of(message), ""});
    };
    for (std::size_t i = 1; !crowded(plain, i, inside).empty(); ++i) {
      const std::string message = crowded(plain, i, inside);
      add("signed " + std::to_string(i), message);
      if (message.find("</saml:Assertion>") == message.npos) continue;
      add("within encrypted " + std::to_string(i), with_encrypted_assertion(message, how));
    }
    for (std::size_t i = 1; !crowded(encrypted, i, inside).empty(); ++i) {
      add("encrypted " + std::to_string(i), crowded(encrypted, i, inside));
    }
  }
  return all;
}

}  // namespace sallyport::testing
