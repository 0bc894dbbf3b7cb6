#include "xml_edits.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "xml_tree.h"

namespace sallyport::fuzz {
namespace {

// What attackers write. `Element` and the like are names that mean something to a reader.
constexpr const char* kNames[] = {
    "saml:Assertion", "samlp:Response",   "saml:Subject",      "saml:NameID",
    "saml:Issuer",    "saml:Attribute",   "saml:Advice",       "saml:AttributeValue",
    "ds:Signature",   "ds:Object",        "ds:SignedInfo",     "ds:KeyInfo",
    "ds:Reference",   "samlp:Extensions", "saml:EncryptedID",  "saml:EncryptedAssertion",
    "samlp:Status",   "saml:Conditions",  "saml:OneTimeUse",   "samlp:StatusDetail",
    "saml:BaseID",    "x:any",            "saml:Audience",     "saml:AttributeStatement",
    "ds:DigestValue", "ds:Transform",     "saml:ProxyRestriction", "saml:AuthzDecisionStatement",
    "xenc:EncryptedData", "xenc:EncryptedKey", "xenc:CipherReference", "xenc:ReferenceList",
    "ds:RetrievalMethod", "saml:EncryptedAttribute"};
constexpr const char* kAttributes[] = {
    "ID",     "Id",          "id",     "xml:id", "saml:ID", "URI",     "Algorithm",    "Version",
    "Format", "Destination", "Name",   "Value",  "Method",  "xsi:nil", "InResponseTo", "PrefixList",
    "IssueInstant", "Recipient", "NotBefore", "NotOnOrAfter", "SPNameQualifier", "NameQualifier",
    "SessionIndex", "SessionNotOnOrAfter", "xsi:type", "xml:space", "xml:base"};
constexpr const char* kValues[] = {
    "admin", "", "#", "#_a", "_a", "_r", "2.0", "1.1", "true", "1", "2026-11-21T21:30:00Z",
    "2099-01-01T00:00:00Z", "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/TR/1999/REC-xpath-19991116", "http://www.w3.org/2000/09/xmldsig#base64",
    "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmlenc#sha512",
    "http://www.w3.org/2000/09/xmldsig#sha1", "#xpointer(/)", "#default saml xs",
    "urn:oasis:names:tc:SAML:2.0:status:Success", "urn:oasis:names:tc:SAML:2.0:cm:bearer", "A&#10;B",
    "&#65;dmin", "&lt;admin&gt;", "\xc3\xa9", " admin ", "adm<!-- -->in", "<![CDATA[admin]]>",
    "admin<?x?>", "&admin;", "]]>"};
constexpr const char* kNamespaces[] = {
    "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:2.0:protocol",
    "http://www.w3.org/2000/09/xmldsig#", "urn:oasis:names:tc:SAML:1.0:assertion", "urn:x", "",
    "relative", "URN:OASIS:NAMES:TC:SAML:2.0:ASSERTION", "urn:oasis:names:tc:SAML:2.0:assertion ",
    "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2001/XMLSchema-instance"};
constexpr const char* kPrefixes[] = {"saml", "samlp", "ds", "x", "xs", "xsi", "xml", ""};

// ---- bytes ----

std::string edit_bytes(std::string text, Dice& dice) {
  const std::size_t at = dice.below(text.size());
  const std::size_t span = dice.once_in(3) ? dice.below(400) : 1 + dice.below(8);
  const std::size_t size = std::min(span, text.size() - at);
  switch (dice.below(5)) {
    case 0:
      if (!text.empty()) text[at] = static_cast<char>(text[at] ^ (1u << dice.below(8)));
      return text;
    case 1:
      return text.insert(at, 1, static_cast<char>(dice.once_in(2) ? dice.below(256)
                                                                  : "<>&\"'/ =:#;\n"[dice.below(12)]));
    case 2:
      return text.erase(at, size);
    case 3:
      return text.insert(dice.below(text.size() + 1), text.substr(at, size));
    default:
      return text.replace(at, size, text.substr(dice.below(text.size() + 1), size));
  }
}

// ---- parts of a tree ----

XmlNode& any_element(XmlNode& root, Dice& dice) {
  std::vector<XmlNode*> all = elements_of(root);
  return *dice.pick(all);
}

// An element of that local name when there is one; else any.
XmlNode& element_named(XmlNode& root, std::string_view local, Dice& dice) {
  std::vector<XmlNode*> named;
  for (XmlNode* each : elements_of(root)) {
    if (each->local_name() == local) named.push_back(each);
  }
  return named.empty() ? any_element(root, dice) : *dice.pick(named);
}

// Where the elements stand that decide who someone is.
constexpr const char* kWeighty[] = {"Assertion", "Response", "Signature", "Subject", "NameID",
                                    "Attribute", "Issuer",   "Reference", "Status",  "Conditions"};

XmlNode& some_element(XmlNode& root, Dice& dice) {
  return dice.once_in(2) ? any_element(root, dice)
                         : element_named(root, dice.pick(kWeighty), dice);
}

// Every place of a value in the document: attributes' values and texts.
std::vector<std::string*> values_of(XmlNode& root) {
  std::vector<std::string*> all;
  for (XmlNode* each : elements_of(root)) {
    for (auto& [name, value] : each->attributes) all.push_back(&value);
    for (XmlNode& child : each->children) {
      if (!child.is_element()) all.push_back(&child.text);
    }
  }
  return all;
}

XmlNode text_node(std::string text) {
  XmlNode node;
  node.text = std::move(text);
  return node;
}

void put_in(XmlNode& parent, XmlNode child, Dice& dice) {
  const auto at = static_cast<std::ptrdiff_t>(dice.below(parent.children.size() + 1));
  parent.children.insert(parent.children.begin() + at, std::move(child));
}

// Takes one child element out of somewhere below `root`; an empty node when there is none.
XmlNode cut(XmlNode& root, Dice& dice) {
  XmlNode* const wanted = &some_element(root, dice);
  for (XmlNode* parent : elements_of(root)) {
    for (auto child = parent->children.begin(); child != parent->children.end(); ++child) {
      if (&*child != wanted) continue;
      XmlNode taken = std::move(*child);
      parent->children.erase(child);
      return taken;
    }
  }
  return {};
}

// ---- edits ----

void edit_text_of(std::string& value, XmlNode& root, Dice& dice) {
  const auto others = values_of(root);
  // One throw an expression: compilers differ in which argument they compute first.
  const std::size_t at = dice.below(value.size() + 1);
  switch (dice.below(5)) {
    case 0:
      value = dice.pick(kValues);
      break;
    case 1:
      value += dice.pick(kValues);
      break;
    case 2:
      value = *others[dice.below(others.size())];
      break;
    case 3:
      value.insert(at, dice.pick(kValues));
      break;
    default:
      if (at < value.size()) value.erase(at, 1 + dice.below(4));
  }
}

void edit_token(XmlNode& root, Dice& dice) {
  XmlNode& element = some_element(root, dice);
  switch (dice.below(5)) {
    case 0:
      element.name = dice.pick(kNames);
      return;
    case 1:
      element.attributes.emplace_back(dice.pick(kAttributes), "");
      element.attributes.back().second = dice.pick(kValues);
      return;
    case 2:
      if (!element.attributes.empty()) dice.pick(element.attributes).first = dice.pick(kAttributes);
      return;
    case 3:
      if (element.children.empty()) element.children.push_back(text_node({}));
      if (!element.children.front().is_element()) {
        edit_text_of(element.children.front().text, root, dice);
        return;
      }
      [[fallthrough]];
    default:
      auto values = values_of(root);
      if (!values.empty()) edit_text_of(*dice.pick(values), root, dice);
  }
}

void edit_place(XmlNode& root, Dice& dice) {
  XmlNode taken = cut(root, dice);
  if (!taken.is_element()) return;
  put_in(some_element(root, dice), std::move(taken), dice);
}

std::string declaration_of(std::string_view prefix) {
  return prefix.empty() ? "xmlns" : "xmlns:" + std::string(prefix);
}

void rename_prefix(XmlNode& from, const std::string& prefix, const std::string& put) {
  for (XmlNode* each : elements_of(from)) {
    if (each->prefix() == prefix) {
      each->name = (put.empty() ? "" : put + ":") + std::string(each->local_name());
    }
  }
}

void edit_namespace(XmlNode& root, Dice& dice) {
  XmlNode& element = some_element(root, dice);
  const std::string prefix(element.prefix());
  const std::string put = dice.pick(kPrefixes);
  std::vector<std::string*> declared;
  for (XmlNode* each : elements_of(root)) {
    for (auto& [name, value] : each->attributes) {
      if (name.rfind("xmlns", 0) == 0) declared.push_back(&value);
    }
  }
  switch (dice.below(6)) {
    case 0:  // the same namespace by another prefix
      rename_prefix(element, prefix, put);
      if (std::string* uri = root.attribute(declaration_of(prefix))) {
        element.attributes.emplace_back(declaration_of(put), *uri);
      } else if (!declared.empty()) {
        element.attributes.emplace_back(declaration_of(put), *dice.pick(declared));
      }
      return;
    case 1:
      element.attributes.emplace_back(declaration_of(prefix), dice.pick(kNamespaces));
      return;
    case 2:
      element.attributes.emplace_back(declaration_of(put), dice.pick(kNamespaces));
      return;
    case 3:
      if (!declared.empty()) *dice.pick(declared) = dice.pick(kNamespaces);
      return;
    case 4:
      element.name = (put.empty() ? "" : put + ":") + std::string(element.local_name());
      return;
    default:
      const auto is_declaration = [](const auto& each) { return each.first.rfind("xmlns", 0) == 0; };
      auto& all = element.attributes;
      all.erase(std::remove_if(all.begin(), all.end(), is_declaration), all.end());
  }
}

// Prefixes that an edit brought in and nobody declared would stop every reader at once.
void declare_known_prefixes(XmlNode& root) {
  constexpr std::pair<const char*, const char*> kKnown[] = {
      {"saml", "urn:oasis:names:tc:SAML:2.0:assertion"},
      {"samlp", "urn:oasis:names:tc:SAML:2.0:protocol"},
      {"ds", "http://www.w3.org/2000/09/xmldsig#"},
      {"xsi", "http://www.w3.org/2001/XMLSchema-instance"},
      {"xs", "http://www.w3.org/2001/XMLSchema"},
      {"xenc", "http://www.w3.org/2001/04/xmlenc#"},
      {"x", "urn:x"}};
  for (const auto& [prefix, uri] : kKnown) {
    const std::string name = declaration_of(prefix);
    if (root.attribute(name) == nullptr) root.attributes.emplace_back(name, uri);
  }
}

// Makes another of a copy: other user, other ID, with or without its signature.
void forge(XmlNode& copy, Dice& dice) {
  if (dice.once_in(2)) {
    XmlNode& name = element_named(copy, "NameID", dice);
    name.children.assign(1, text_node("admin"));
  }
  std::string* const id = copy.attribute("ID");
  if (id != nullptr && dice.once_in(2)) *id = dice.once_in(2) ? "_forged" : dice.pick(kValues);
  if (dice.once_in(2)) {
    auto& all = copy.children;
    all.erase(std::remove_if(all.begin(), all.end(),
                             [](const XmlNode& child) { return child.local_name() == "Signature"; }),
              all.end());
  }
}

// A copy beside, before, behind, inside or in place of the original.
void edit_copies(XmlNode& root, std::string_view other, Dice& dice) {
  XmlNode copy;
  const auto second = other.empty() || !dice.once_in(4) ? std::nullopt : parse_tree(other);
  if (second) {
    XmlNode tree = *second;
    copy = some_element(tree, dice);
  } else {
    copy = some_element(root, dice);
  }
  forge(copy, dice);
  if (dice.once_in(4)) {
    // A second document around the first: the original goes inside the forged one.
    XmlNode original = std::move(root);
    root = std::move(copy);
    put_in(some_element(root, dice), std::move(original), dice);
  } else if (dice.once_in(4)) {
    some_element(root, dice) = std::move(copy);
  } else {
    put_in(some_element(root, dice), std::move(copy), dice);
  }
}

void edit_away(XmlNode& root, Dice& dice) {
  XmlNode& element = some_element(root, dice);
  switch (dice.below(4)) {
    case 0:
      cut(root, dice);
      return;
    case 1:
      if (!element.attributes.empty()) {
        element.attributes.erase(element.attributes.begin() +
                                 static_cast<std::ptrdiff_t>(dice.below(element.attributes.size())));
      }
      return;
    case 2:
      element.children.clear();
      return;
    default:
      element.attributes.clear();
  }
}

void edit_around(XmlNode& root, Dice& dice) {
  XmlNode& element = some_element(root, dice);
  if (dice.once_in(3) && element.children.size() == 1 && element.children.front().is_element()) {
    XmlNode inner = std::move(element.children.front());
    element = std::move(inner);
    return;
  }
  XmlNode around;
  around.name = dice.pick(kNames);
  const std::size_t colon = around.name.find(':');
  if (dice.once_in(2)) {
    around.attributes.emplace_back(declaration_of(around.name.substr(0, colon)),
                                   dice.pick(kNamespaces));
  }
  around.children.push_back(std::move(element));
  element = std::move(around);
}

}  // namespace

const char* name_of(Edit edit) {
  switch (edit) {
    case Edit::kByte:
      return "byte";
    case Edit::kToken:
      return "token";
    case Edit::kMove:
      return "tree move";
    case Edit::kNamespace:
      return "namespace";
    case Edit::kDuplicate:
      return "duplicate";
    case Edit::kDelete:
      return "delete";
    case Edit::kWrap:
      return "wrap";
  }
  return "";
}

std::string edited(std::string_view document, Edit edit, std::string_view other, Dice& dice) {
  auto tree = edit == Edit::kByte ? std::nullopt : parse_tree(document);
  if (!tree) return edit_bytes(std::string(document), dice);
  switch (edit) {
    case Edit::kToken:
      edit_token(*tree, dice);
      break;
    case Edit::kMove:
      edit_place(*tree, dice);
      break;
    case Edit::kNamespace:
      edit_namespace(*tree, dice);
      break;
    case Edit::kDuplicate:
      edit_copies(*tree, other, dice);
      break;
    case Edit::kDelete:
      edit_away(*tree, dice);
      break;
    default:
      edit_around(*tree, dice);
  }
  if (dice.once_in(2)) declare_known_prefixes(*tree);
  return write_tree(*tree);
}

}  // namespace sallyport::fuzz
