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

// Keys of one content, wiped in the end.
class Secrets {
 public:
  Secrets() = default;
  ~Secrets() {
    for (std::string& secret : all_) OPENSSL_cleanse(secret.data(), secret.size());
  }
  Secrets(const Secrets&) = delete;
  Secrets& operator=(const Secrets&) = delete;

  // False when it is known already.
  bool add(std::string secret) {
    if (std::find(all_.begin(), all_.end(), secret) != all_.end()) return false;
    all_.push_back(std::move(secret));
    return true;
  }
  const std::string& last() const { return all_.back(); }

 private:
  std::vector<std::string> all_;
};

// What a prefix stands for at an element; null when it is not declared.
const xmlNs* declaration_at(const xmlNode* element, std::string_view prefix) {
  for (const xmlNode* node = element; node != nullptr; node = node->parent) {
    if (node->type != XML_ELEMENT_NODE) continue;
    for (const xmlNs* ns = node->nsDef; ns != nullptr; ns = ns->next) {
      if (view_of(ns->prefix) == prefix) return ns;
    }
  }
  return nullptr;
}

// A plaintext stands where its EncryptedData stood (XML Encryption 1.1 section 4.4), so that some IdPs
// do not declare the prefix of its root once more. It is written into the start tag then; the gates and
// the signature see the result.
std::string in_context(std::string plain, const Element& holder) {
  constexpr std::string_view kDeclaration = "<?xml";
  const bool is_declared = plain.compare(0, kDeclaration.size(), kDeclaration) == 0;
  const std::size_t root = plain.find('<', is_declared ? 1 : 0);
  const std::size_t end = plain.find('>', root);
  if (root == plain.npos || end == plain.npos) return plain;
  const std::string_view tag = std::string_view(plain).substr(root + 1, end - root - 1);
  const std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n/"));
  const std::size_t colon = name.find(':');
  if (colon == name.npos) return plain;
  const std::string prefix(name.substr(0, colon));
  const xmlNs* ns = declaration_at(holder.node(), prefix);
  if (ns == nullptr || tag.find("xmlns:" + prefix + "=") != tag.npos) return plain;
  const std::string added = " xmlns:" + prefix + "=\"" + xml_escape(view_of(ns->href)) + "\"";
  return plain.insert(root + 1 + name.size(), added);
}

Limits eighths(std::size_t count, Limits limits) {
  limits.elements = limits.elements * count / 8;
  limits.attributes = limits.attributes * count / 8;
  limits.namespace_lookups = limits.namespace_lookups * count / 8;
  return limits;
}

bool exceeds(const Weight& weight, const Limits& limits) {
  return weight.elements > limits.elements || weight.attributes > limits.attributes ||
         weight.namespace_lookups > limits.namespace_lookups;
}

}  // namespace

void Decrypter::expect(const Document& message, std::size_t size) {
  constexpr std::size_t kQuicklyParsed = 96 * 1024;
  if (size > kQuicklyParsed) most_effort_ = kUsualEffort;
  late_limits_ = eighths(1, limits_);
  is_too_heavy_ = exceeds(message.weight(), late_limits_);
  limits_ = eighths(3, limits_);
}

bool Decrypter::may_use(const PrivateKey& key) {
  constexpr int kMostOperations = 4;
  const int bits = EVP_PKEY_get_bits(key.raw());
  const int effort = bits <= 2048 ? 1 : bits <= 3072 ? 2 : bits <= 4096 ? 4 : 8;
  // However long the key is, and however large the message: one must be possible.
  if (operations_ == kMostOperations || (operations_ > 0 && effort_ + effort > most_effort_)) return false;
  ++operations_;
  effort_ += effort;
  return true;
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

Decrypter::Opened Decrypter::open(const Element& holder, const EncryptionShape& shape,
                                  const std::string& secret) const {
  Opened opened;
  Plaintext plain = decrypt_content(shape.value, secret, shape.cipher);
  if (plain.bytes.empty()) return opened;
  opened.is_right_key = plain.is_sound && is_authenticated(shape.cipher);
  const Limits& limits = effort_ > kUsualEffort ? late_limits_ : limits_;
  // With a wrong padding too: the way taken is the same.
  Result<Document> document = Document::parse(in_context(std::move(plain.bytes), holder), limits);
  if (plain.is_sound && document.ok()) opened.document = std::move(document).value();
  return opened;
}

Result<Document> Decrypter::decrypt(const Element& holder) { return decrypt(holder, false); }

Result<Document> Decrypter::decrypt(const Element& holder, bool is_signed) {
  const auto has_rsa = [](const DecryptionKey& own) { return own.key.is_rsa(); };
  if (std::none_of(keys_->begin(), keys_->end(), has_rsa)) {
    return Error{Reason::kDecryptionFailed,
                 "the message is encrypted, but saml_certificate_key names no RSA key"};
  }
  const Result<EncryptionShape> shape = read_encryption_shape(holder, allowed_);
  if (!shape.ok()) return Error(shape.error());
  if (is_too_heavy_ && !is_signed) {
    return Error{Reason::kXmlLimits, "more elements, attributes or namespaces than a message with encrypted parts may have"};
  }
  Secrets tried;
  for (const WrappedKey& wrapped : shape->keys) {
    for (const PrivateKey* key : keys_for(wrapped)) {
      if (!may_use(*key)) return decryption_failed();
      std::string secret = unwrap_key(wrapped, *key, key_size(shape->cipher));
      // The same key wrapped again would only cost the same again.
      if (secret.empty() || !tried.add(std::move(secret))) continue;
      Opened opened = open(holder, *shape, tried.last());
      if (opened.document) return *std::move(opened.document);
      if (opened.is_right_key) return decryption_failed();
    }
  }
  return decryption_failed();
}

Result<SignedPlaintext> Decrypter::decrypt(const SignedElement& holder) {
  Result<Document> document = decrypt(holder.element(), true);
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
