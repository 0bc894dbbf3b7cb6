#include "xml/decryption.h"

#include <libxml/tree.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/encoding.h"
#include "xml/ciphers.h"
#include "xml/node_text.h"

namespace sallyport::xml {
namespace {

// A private-key operation would refuse another length without much work, but it would count.
bool fits(const WrappedKey& wrapped, const PrivateKey& key) {
  return wrapped.value.size() == static_cast<std::size_t>(EVP_PKEY_get_size(key.raw()));
}

void collect_ids(const xmlNode* element, std::vector<std::string_view>& out) {
  for (const xmlAttr* attribute = element->properties; attribute != nullptr;
       attribute = attribute->next) {
    const bool is_id = equals(attribute->name, "ID") || equals(attribute->name, "Id");
    if (is_id && attribute->ns == nullptr) out.push_back(attribute_value(attribute));
  }
  // The shape gate bounds the depth.
  for (const xmlNode* child = element->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE) collect_ids(child, out);
  }
}

// The declarations of prefixes that hold at an element, the nearest of each prefix.
std::vector<const xmlNs*> prefixes_at(const xmlNode* element) {
  std::vector<const xmlNs*> all;
  for (const xmlNode* node = element; node != nullptr; node = node->parent) {
    if (node->type != XML_ELEMENT_NODE) continue;
    for (const xmlNs* ns = node->nsDef; ns != nullptr; ns = ns->next) {
      const std::string_view prefix = view_of(ns->prefix);
      const bool is_hidden =
          prefix.empty() || std::any_of(all.begin(), all.end(), [&](const xmlNs* nearer) {
            return view_of(nearer->prefix) == prefix;
          });
      if (!is_hidden) all.push_back(ns);
    }
  }
  return all;
}

// A plaintext stands where its EncryptedData stood (XML Encryption 1.1 section 4.4), so that some IdPs
// leave out of it what is declared further out. What its root uses and does not declare itself is
// written into its start tag; the gates and the signature see the result. Empty when that changes
// nothing.
std::string in_context(std::string_view plain, const Element& holder) {
  constexpr std::string_view kDeclaration = "<?xml";
  const bool is_declared = plain.substr(0, kDeclaration.size()) == kDeclaration;
  const std::size_t root = plain.find('<', is_declared ? 1 : 0);
  const std::size_t name_end = plain.find_first_of(" \t\r\n/>", root);
  if (root == plain.npos || name_end == plain.npos) return {};
  const std::string_view tag = plain.substr(root, plain.find('>', root) - root);
  std::string added;
  for (const xmlNs* ns : prefixes_at(holder.node())) {
    const std::string prefix(view_of(ns->prefix));
    if (tag.find("xmlns:" + prefix + "=") != tag.npos) continue;
    if (plain.find(prefix + ":") == plain.npos) continue;
    added += " xmlns:" + prefix + "=\"" + xml_escape(view_of(ns->href)) + "\"";
  }
  if (added.empty()) return {};
  return std::string(plain.substr(0, name_end)) + added + std::string(plain.substr(name_end));
}

// The gates over the plaintext by itself, else in its context.
std::optional<Document> parse_plaintext(const std::string& plain, const Element& holder,
                                        const Limits& limits) {
  Result<Document> document = Document::parse(plain, limits);
  if (document.ok()) return std::move(document).value();
  const std::string completed = in_context(plain, holder);
  if (completed.empty()) return std::nullopt;
  document = Document::parse(completed, limits);
  if (!document.ok()) return std::nullopt;
  return std::move(document).value();
}

}  // namespace

bool Decrypter::may_use(const PrivateKey& key) {
  const int bits = EVP_PKEY_get_bits(key.raw());
  effort_left_ -= bits <= 3072 ? 1 : bits <= 4096 ? 2 : 4;
  return effort_left_ >= 0;
}

std::vector<const PrivateKey*> Decrypter::keys_for(const WrappedKey& wrapped) const {
  std::vector<const PrivateKey*> out;
  for (const DecryptionKey& own : *keys_) {
    if (!own.key.is_rsa() || !fits(wrapped, own.key)) continue;
    if (own.certificate.base64() == wrapped.certificate) return {&own.key};
    out.push_back(&own.key);
  }
  return out;
}

std::optional<Document> Decrypter::open(const Element& holder, const EncryptionShape& shape,
                                        const WrappedKey& wrapped, const PrivateKey& key) const {
  std::string secret = unwrap_key(wrapped, key, key_size(shape.cipher));
  if (secret.empty()) return std::nullopt;
  const Plaintext plain = decrypt_content(shape.value, secret, shape.cipher);
  OPENSSL_cleanse(secret.data(), secret.size());
  if (plain.bytes.empty()) return std::nullopt;
  // With a wrong padding too: the way taken is the same.
  std::optional<Document> document = parse_plaintext(plain.bytes, holder, limits_);
  return plain.is_sound ? std::move(document) : std::nullopt;
}

Result<Document> Decrypter::decrypt(const Element& holder) {
  const auto has_rsa = [](const DecryptionKey& own) { return own.key.is_rsa(); };
  if (std::none_of(keys_->begin(), keys_->end(), has_rsa)) {
    return Error{Reason::kDecryptionFailed,
                 "the message is encrypted, but saml_certificate_key names no RSA key"};
  }
  const Result<EncryptionShape> shape = read_encryption_shape(holder, allowed_);
  if (!shape.ok()) return Error(shape.error());
  for (const WrappedKey& wrapped : shape->keys) {
    for (const PrivateKey* key : keys_for(wrapped)) {
      if (!may_use(*key)) return decryption_failed();
      std::optional<Document> document = open(holder, *shape, wrapped, *key);
      if (document) return *std::move(document);
    }
  }
  return decryption_failed();
}

Result<SignedPlaintext> Decrypter::decrypt(const SignedElement& holder) {
  Result<Document> document = decrypt(holder.element());
  if (!document.ok()) return std::move(document).error();
  return SignedPlaintext(std::move(document).value());
}

Error decryption_failed() {
  return {Reason::kDecryptionFailed,
          "encrypted for another key than those of saml_certificate_key, changed, or something else "
          "inside than belongs there (an assertion must be signed, or the Response around it)"};
}

bool share_ids(const Document& one, const Document& other) {
  std::vector<std::string_view> ids;
  collect_ids(one.root().node(), ids);
  collect_ids(other.root().node(), ids);
  std::sort(ids.begin(), ids.end());
  return std::adjacent_find(ids.begin(), ids.end()) != ids.end();
}

}  // namespace sallyport::xml
