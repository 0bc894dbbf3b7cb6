#include "encrypt.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "../../unit/encryption_test_util.h"
#include "resign.h"
#include "xml_tree.h"

namespace sallyport::fuzz {
namespace {

bool is_holder(const XmlNode& node) {
  const std::string_view name = node.local_name();
  return name == "EncryptedAssertion" || name == "EncryptedID" || name == "EncryptedAttribute";
}

// Content that is one element, and not encrypted yet.
bool holds_plaintext(const XmlNode& node) {
  return is_holder(node) && node.children.size() == 1 && node.children.front().is_element() &&
         node.children.front().local_name() != "EncryptedData";
}

// What peers write around the keys, some of it too much.
void add_hints(test::Encryption& how, EVP_PKEY* recipient, Dice& dice) {
  constexpr const char* kData[] = {
      "", "<ds:KeyName>name</ds:KeyName>", "<ds:RetrievalMethod URI=\"#_key\"/>",
      "<ds:RetrievalMethod URI=\"#_other\"/>", "<ds:RetrievalMethod URI=\"#_key\" Type=\"urn:x\"/>"};
  constexpr const char* kKey[] = {
      "", "<xenc:EncryptedKey/>", "<ds:RetrievalMethod URI=\"#_key\"/>", "<ds:KeyName>name</ds:KeyName>"};
  constexpr const char* kTypes[] = {"", " Type=\"http://www.w3.org/2001/04/xmlenc#Element\"",
                                    " Type=\"http://www.w3.org/2001/04/xmlenc#Content\"",
                                    " Encoding=\"urn:x\""};
  constexpr const char* kSizes[] = {"", "<xenc:KeySize>128</xenc:KeySize>",
                                    "<xenc:KeySize>256</xenc:KeySize>"};
  test::KeyWrapping& key = how.keys.front();
  how.key_info = dice.pick(kData);
  how.attributes = dice.pick(kTypes);
  how.method_children = dice.pick(kSizes);
  key.attributes = dice.once_in(2) ? " Id=\"_key\"" : " Type=\"urn:x\"";
  key.behind = dice.once_in(2) ? "<xenc:CarriedKeyName>name</xenc:CarriedKeyName>" : "";
  std::string hint = dice.pick(kKey);
  if (dice.once_in(2)) {
    hint = "<ds:X509Data><ds:X509Certificate>" + test::certificate_of(recipient).base64() +
           "</ds:X509Certificate></ds:X509Data>";
  }
  key.key_info = "<ds:KeyInfo>" + hint + "</ds:KeyInfo>";
}

test::Encryption any_encryption(EVP_PKEY* recipient, Dice& dice) {
  const std::string v11 = "http://www.w3.org/2009/xmlenc11#";
  const std::string v10 = "http://www.w3.org/2001/04/xmlenc#";
  using test::Encryption;
  Encryption how = dice.once_in(2)   ? Encryption::with(v11 + "aes128-gcm", "AES-128-GCM", 16)
                   : dice.once_in(4) ? Encryption::with(v10 + "aes128-cbc", "AES-128-CBC", 16)
                   : dice.once_in(4) ? Encryption::with(v10 + "aes256-cbc", "AES-256-CBC", 32)
                                     : Encryption();
  how.keys_beside = dice.once_in(3);
  test::KeyWrapping& key = how.keys.front();
  key.recipient = recipient;
  if (dice.once_in(3)) {
    key.method = v11 + "rsa-oaep";
    key.digest = "SHA256";
    key.digest_uri = v10 + "sha256";
    key.mask = "SHA256";
    key.mask_uri = v11 + "mgf1sha256";
  } else if (dice.once_in(6)) {
    key.method = v10 + "rsa-1_5";
  }
  if (dice.once_in(8)) key.label = "label";
  if (dice.once_in(4)) add_hints(how, recipient, dice);
  if (dice.once_in(6)) how.keys.push_back(key);
  return how;
}

void encrypt_content(XmlNode& holder, const Peers& peers, Dice& dice) {
  const std::string plain = resigned(write_tree(holder.children.front()), peers.ec, peers.rsa);
  auto made = parse_tree(test::encrypted(plain, any_encryption(peers.recipient, dice)));
  if (!made) std::abort();
  // The declarations go along with what uses them.
  for (XmlNode& child : made->children) {
    child.attributes.insert(child.attributes.end(), made->attributes.begin(),
                            made->attributes.end());
  }
  holder.children = std::move(made->children);
}

// Where a reader of responses opens what is encrypted; elsewhere, as in a KeyInfo, nobody looks.
bool is_read(const std::string& path) {
  constexpr const char* kRead[] = {"/Response/EncryptedAssertion", "/Response/Assertion/Subject/EncryptedID",
                                   "/Response/Assertion/AttributeStatement/EncryptedAttribute",
                                   "/Response/EncryptedAssertion/Assertion/Subject/EncryptedID",
                                   "/Response/EncryptedAssertion/Assertion/AttributeStatement/EncryptedAttribute"};
  return std::find(std::begin(kRead), std::end(kRead), path) != std::end(kRead);
}

// Whether all of it is read.
bool encrypt_all(XmlNode& node, std::string path, const Peers& peers, Dice& dice) {
  path += '/';
  path += node.local_name();
  bool all_read = true;
  for (XmlNode& child : node.children) {
    if (child.is_element()) all_read = encrypt_all(child, path, peers, dice) && all_read;
  }
  if (!holds_plaintext(node)) return all_read;
  encrypt_content(node, peers, dice);
  return all_read && is_read(path);
}

// Prefixes hold for a plaintext as they are declared around it, the default namespace does not.
void inherit_prefixes(XmlNode& content, const XmlNode& holder) {
  for (const auto& [name, value] : holder.attributes) {
    if (name.rfind("xmlns:", 0) == 0 && content.attribute(name) == nullptr) {
      content.attributes.emplace_back(name, value);
    }
  }
  if (content.attribute("xmlns") == nullptr) content.attributes.emplace_back("xmlns", "");
}

void open_all(XmlNode& node) {
  for (XmlNode& child : node.children) open_all(child);
  if (!holds_plaintext(node)) return;
  XmlNode content = std::move(node.children.front());
  inherit_prefixes(content, node);
  node = std::move(content);
}

}  // namespace

Encrypted with_encrypted(std::string_view document, const Peers& peers, Dice& dice) {
  auto tree = parse_tree(document);
  if (!tree) return {std::string(document), true};
  const bool all_read = encrypt_all(*tree, {}, peers, dice);
  return {resigned(write_tree(*tree), peers.ec, peers.rsa), all_read};
}

std::string in_the_clear(std::string_view document, const Peers& peers) {
  auto tree = parse_tree(document);
  if (!tree) return std::string(document);
  open_all(*tree);
  return resigned(write_tree(*tree), peers.ec, peers.rsa);
}

}  // namespace sallyport::fuzz
