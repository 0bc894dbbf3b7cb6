#include "xml/decryption.h"

#include <libxml/tree.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "xml/ciphers.h"
#include "xml/node_text.h"

namespace sallyport::xml {
namespace {

Error failed(std::string detail) { return {Reason::kDecryptionFailed, std::move(detail)}; }

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

}  // namespace

std::vector<const PrivateKey*> Decrypter::keys_for(const WrappedKey& wrapped) const {
  std::vector<const PrivateKey*> out;
  for (const DecryptionKey& own : *keys_) {
    if (!own.key.is_rsa() || !fits(wrapped, own.key)) continue;
    if (own.certificate.base64() == wrapped.certificate) return {&own.key};
    out.push_back(&own.key);
  }
  return out;
}

std::optional<Document> Decrypter::open(const EncryptionShape& shape, const WrappedKey& wrapped,
                                        const PrivateKey& key) const {
  std::string secret = unwrap_key(wrapped, key, key_size(shape.cipher));
  if (secret.empty()) return std::nullopt;
  const Plaintext plain = decrypt_content(shape.value, secret, shape.cipher);
  OPENSSL_cleanse(secret.data(), secret.size());
  if (plain.bytes.empty()) return std::nullopt;
  // With a wrong padding too: the way taken is the same.
  Result<Document> document = Document::parse(plain.bytes, limits_);
  if (!plain.is_sound || !document.ok()) return std::nullopt;
  return std::move(document).value();
}

Result<Document> Decrypter::decrypt(const Element& holder) {
  const auto has_rsa = [](const DecryptionKey& own) { return own.key.is_rsa(); };
  if (std::none_of(keys_->begin(), keys_->end(), has_rsa)) {
    return failed("the message is encrypted, but saml_certificate_key names no RSA key");
  }
  const Result<EncryptionShape> shape = read_encryption_shape(holder, allowed_);
  if (!shape.ok()) return Error(shape.error());
  for (const WrappedKey& wrapped : shape->keys) {
    for (const PrivateKey* key : keys_for(wrapped)) {
      if (operations_left_-- <= 0) break;
      std::optional<Document> document = open(*shape, wrapped, *key);
      if (document) return *std::move(document);
    }
  }
  return failed("not encrypted for a key of saml_certificate_key, changed, or no XML inside");
}

Result<SignedPlaintext> Decrypter::decrypt(const SignedElement& holder) {
  Result<Document> document = decrypt(holder.element());
  if (!document.ok()) return std::move(document).error();
  return SignedPlaintext(std::move(document).value());
}

bool share_ids(const Document& one, const Document& other) {
  std::vector<std::string_view> ids;
  collect_ids(one.root().node(), ids);
  collect_ids(other.root().node(), ids);
  std::sort(ids.begin(), ids.end());
  return std::adjacent_find(ids.begin(), ids.end()) != ids.end();
}

}  // namespace sallyport::xml
