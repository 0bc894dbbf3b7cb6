#include "xmlsec_opens.h"

#include <openssl/rsa.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/openssl/symbols.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../unit/encryption_test_util.h"
#include "leaks_of_others.h"
#include "xml/node_text.h"

namespace sallyport::fuzz {
namespace {

using Doc = CPtr<xmlDoc, xmlFreeDoc>;

std::string taken(xmlChar* text) {
  std::string copy(text == nullptr ? "" : reinterpret_cast<const char*>(text));
  xmlFree(text);
  return copy;
}

std::string bytes_of(const xmlNode* element) {
  std::string text = taken(xmlNodeGetContent(element));
  for (const char blank : {' ', '\t', '\r', '\n'}) {
    for (std::size_t at; (at = text.find(blank)) != text.npos;) text.erase(at, 1);
  }
  return base64_decode(text).value_or("");
}

xmlNode* dsig_child(xmlNode* parent, const xmlChar* name) { return xmlSecFindChild(parent, name, xmlSecDSigNs); }
xmlNode* xenc_child(xmlNode* parent, const xmlChar* name) { return xmlSecFindChild(parent, name, xmlSecEncNs); }

void remove(xmlNode* node) {
  if (node == nullptr) return;
  xmlUnlinkNode(node);
  xmlFreeNode(node);
}

// Those in the content's KeyInfo and those behind it.
std::vector<xmlNode*> keys_of(xmlNode* holder, xmlNode* data) {
  std::vector<xmlNode*> all;
  for (xmlNode* place : {dsig_child(data, xmlSecNodeKeyInfo), holder}) {
    for (xmlNode* each = place == nullptr ? nullptr : place->children; each != nullptr; each = each->next) {
      if (xmlSecCheckNodeName(each, xmlSecNodeEncryptedKey, xmlSecEncNs) == 1) all.push_back(each);
    }
  }
  return all;
}

// The content with that key and no other, and without hints.
Doc with_one_key(xmlNode* data, xmlNode* key) {
  Doc document(xmlNewDoc(BAD_CAST "1.0"));
  xmlNode* const root = xmlDocCopyNode(data, document.get(), 1);
  xmlDocSetRootElement(document.get(), root);
  remove(dsig_child(root, xmlSecNodeKeyInfo));
  xmlNode* const method = xenc_child(root, xmlSecNodeEncryptionMethod);
  if (method == nullptr) return nullptr;
  remove(xenc_child(method, BAD_CAST "KeySize"));
  xmlNode* const info = xmlSecAddNextSibling(method, xmlSecNodeKeyInfo, xmlSecDSigNs);
  xmlNode* const copy = xmlDocCopyNode(key, document.get(), 1);
  xmlAddChild(info, copy);
  remove(dsig_child(copy, xmlSecNodeKeyInfo));
  return document;
}

std::string plaintext(xmlSecEncCtx* context, xmlDoc* document) {
  xmlSecBuffer* const plain = xmlSecEncCtxDecryptToBuffer(context, xmlDocGetRootElement(document));
  if (plain == nullptr) return {};
  return std::string(reinterpret_cast<const char*>(xmlSecBufferGetData(plain)), xmlSecBufferGetSize(plain));
}

std::string decrypted_by_xmlsec(xmlNode* data, xmlNode* key, EVP_PKEY* recipient) {
  const Doc document = with_one_key(data, key);
  if (document == nullptr) return {};
  const test::KeysManager manager = test::xmlsec_keys(recipient);
  const test::EncryptionContext context = test::xmlsec_encryption(manager.get());
  return plaintext(context.get(), document.get());
}

// ".../xmlenc#sha256" and ".../xmlenc11#mgf1sha256" mean SHA256, no element SHA1.
const EVP_MD* digest_of(xmlNode* element) {
  if (element == nullptr) return EVP_sha1();
  const std::string uri = taken(xmlGetNoNsProp(element, BAD_CAST "Algorithm"));
  const std::size_t name = uri.rfind("sha");
  return name == uri.npos ? nullptr : EVP_get_digestbyname(uri.substr(name).c_str());
}

bool prepare_oaep(EVP_PKEY_CTX* context, xmlNode* method) {
  const EVP_MD* const digest = digest_of(dsig_child(method, xmlSecNodeDigestMethod));
  const EVP_MD* const mask = digest_of(xmlSecFindChild(method, BAD_CAST "MGF", BAD_CAST test::kXenc11.c_str()));
  const bool is_set = digest != nullptr && mask != nullptr && EVP_PKEY_decrypt_init(context) == 1 &&
                      EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
                      EVP_PKEY_CTX_set_rsa_oaep_md(context, digest) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(context, mask) == 1;
  xmlNode* const params = xenc_child(method, BAD_CAST "OAEPparams");
  if (!is_set || params == nullptr) return is_set;
  const std::string label = bytes_of(params);
  return EVP_PKEY_CTX_set0_rsa_oaep_label(context, OPENSSL_memdup(label.data(), label.size()), static_cast<int>(label.size())) == 1;
}

std::string unwrapped_by_openssl(xmlNode* key, EVP_PKEY* recipient) {
  xmlNode* const method = xenc_child(key, xmlSecNodeEncryptionMethod);
  xmlNode* const data = xenc_child(key, xmlSecNodeCipherData);
  xmlNode* const value = data == nullptr ? nullptr : xenc_child(data, xmlSecNodeCipherValue);
  if (method == nullptr || value == nullptr) return {};
  const CPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new(recipient, nullptr));
  if (!prepare_oaep(context.get(), method)) return {};
  const std::string wrapped = bytes_of(value);
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(recipient));
  std::string secret(size, '\0');
  const bool is_good = EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char*>(secret.data()), &size,
                                        reinterpret_cast<const unsigned char*>(wrapped.data()), wrapped.size()) == 1;
  secret.resize(is_good ? size : 0);
  return secret;
}

std::string decrypted_with_openssl(xmlNode* data, xmlNode* key, EVP_PKEY* recipient) {
  const std::string secret = unwrapped_by_openssl(key, recipient);
  const Doc document = secret.empty() ? nullptr : with_one_key(data, key);
  if (document == nullptr) return {};
  const test::EncryptionContext context = test::xmlsec_encryption(nullptr);
  context->encKey = xmlSecKeyReadMemory(xmlSecKeyDataAesId, reinterpret_cast<const xmlSecByte*>(secret.data()),
                                        static_cast<xmlSecSize>(secret.size()));
  return plaintext(context.get(), document.get());
}

// The prefix of its root may be declared around the ciphertext only (XML Encryption 1.1 section 4.4).
Doc in_context(std::string_view plain, xmlNode* holder) {
  if (plain.substr(0, 5) == "<?xml") plain.remove_prefix(std::min(plain.find("?>"), plain.size() - 2) + 2);
  const std::size_t begin = std::min(plain.find('<'), plain.size());
  const std::string_view name = plain.substr(begin, plain.find_first_of(" \t\r\n/>", begin + 1) - begin);
  const std::size_t colon = name.find(':');
  std::string declared;
  if (colon != name.npos && colon > 1) {
    const std::string prefix(name.substr(1, colon - 1));
    const xmlNs* ns = xmlSearchNs(holder->doc, holder, BAD_CAST prefix.c_str());
    if (ns != nullptr) declared = " xmlns:" + prefix + "=\"" + xml_escape(xml::view_of(ns->href)) + "\"";
  }
  Doc document = test::read_xml("<w" + declared + ">" + std::string(plain) + "</w>");
  xmlNode* const root = document == nullptr ? nullptr : xmlDocGetRootElement(document.get());
  return root != nullptr && xmlChildElementCount(root) == 1 ? std::move(document) : nullptr;
}

}  // namespace

Doc xmlsec_opens(xmlNode* holder, EVP_PKEY* recipient) {
  const LeaksOfOthers ignored;
  xmlNode* const data = xenc_child(holder, xmlSecNodeEncryptedData);
  if (data == nullptr) return nullptr;
  for (xmlNode* key : keys_of(holder, data)) {
    std::string plain = decrypted_by_xmlsec(data, key, recipient);
    if (plain.empty()) plain = decrypted_with_openssl(data, key, recipient);
    Doc document = plain.empty() ? nullptr : in_context(plain, holder);
    if (document != nullptr) return document;
  }
  return nullptr;
}

}  // namespace sallyport::fuzz
