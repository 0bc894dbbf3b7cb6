// The bare work on a signed message with libxml2 and libcrypto and nothing else: decode, parse, and
// per signature canonicalize SignedInfo and the signed element, digest, compare, verify. No gates,
// no checks, no reading: the limit that a login is compared with. Not for use: it believes its
// input.
#pragma once

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <openssl/evp.h>

#include <cstring>
#include <string>
#include <string_view>

#include "base/c_ptr.h"

namespace sallyport {

class BareVerifier {
 public:
  explicit BareVerifier(EVP_PKEY* key) : key_(key), sha256_(EVP_MD_fetch(nullptr, "SHA256", "")) {}

  // How many signatures on the Response and its Assertion hold.
  int verified_signatures(const std::string& base64) const {
    const std::string text = decode(base64);
    const CPtr<xmlDoc, xmlFreeDoc> document(
        xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                      XML_PARSE_NONET));
    xmlNode* response = xmlDocGetRootElement(document.get());
    int count = verify(document.get(), response) ? 1 : 0;
    xmlNode* assertion = child(response, "Assertion");
    return count + (assertion != nullptr && verify(document.get(), assertion) ? 1 : 0);
  }

 private:
  static std::string decode(const std::string& base64) {
    std::string out(base64.size() / 4 * 3 + 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(base64.data()),
                                     static_cast<int>(base64.size()));
    const bool one = !base64.empty() && base64.back() == '=';
    const bool two = base64.size() > 1 && base64[base64.size() - 2] == '=';
    out.resize(static_cast<std::size_t>(size) - (one ? 1 : 0) - (two ? 1 : 0));
    return out;
  }

  static xmlNode* child(xmlNode* parent, const char* name) {
    for (xmlNode* node = parent->children; node != nullptr; node = node->next) {
      if (node->type == XML_ELEMENT_NODE &&
          std::strcmp(reinterpret_cast<const char*>(node->name), name) == 0) {
        return node;
      }
    }
    return nullptr;
  }

  // Base64 of a leaf, which may be broken into lines.
  static std::string value(xmlNode* leaf) {
    std::string text;
    for (const char* c = reinterpret_cast<const char*>(leaf->children->content); *c != '\0'; ++c) {
      if (*c != '\n' && *c != ' ' && *c != '\r') text += *c;
    }
    return decode(text);
  }

  struct Scope {
    xmlNode* root;
    xmlNode* without;
  };
  static int visible(void* data, xmlNode* node, xmlNode* parent) {
    const auto* scope = static_cast<const Scope*>(data);
    // A namespace node is not in the tree; its element comes as parent.
    for (const xmlNode* at = node->type == XML_NAMESPACE_DECL ? parent : node; at != nullptr;
         at = at->parent) {
      if (at == scope->without) return 0;
      if (at == scope->root) return 1;
    }
    return 0;
  }
  static std::string canonical(xmlDoc* document, xmlNode* root, xmlNode* without) {
    Scope scope{root, without};
    xmlOutputBuffer* buffer = xmlAllocOutputBuffer(nullptr);
    xmlC14NExecute(document, visible, &scope, XML_C14N_EXCLUSIVE_1_0, nullptr, 0, buffer);
    std::string out(reinterpret_cast<const char*>(xmlOutputBufferGetContent(buffer)),
                    xmlOutputBufferGetSize(buffer));
    xmlOutputBufferClose(buffer);
    return out;
  }

  bool verify(xmlDoc* document, xmlNode* element) const {
    xmlNode* signature = child(element, "Signature");
    if (signature == nullptr) return false;
    xmlNode* info = child(signature, "SignedInfo");
    const std::string octets = canonical(document, info, nullptr);
    const std::string signature_value = value(child(signature, "SignatureValue"));
    const CPtr<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_DigestVerifyInit(context.get(), nullptr, sha256_.get(), nullptr, key_);
    if (EVP_DigestVerify(context.get(),
                         reinterpret_cast<const unsigned char*>(signature_value.data()),
                         signature_value.size(),
                         reinterpret_cast<const unsigned char*>(octets.data()),
                         octets.size()) != 1) {
      return false;
    }
    const std::string signed_octets = canonical(document, element, signature);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(signed_octets.data(), signed_octets.size(), digest, &size, sha256_.get(), nullptr);
    return value(child(child(info, "Reference"), "DigestValue")) ==
           std::string_view(reinterpret_cast<const char*>(digest), size);
  }

  EVP_PKEY* key_;
  CPtr<EVP_MD, EVP_MD_free> sha256_;
};

}  // namespace sallyport
