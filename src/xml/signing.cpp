#include "xml/signing.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/valid.h>
#include <openssl/evp.h>
// The order matters: xmlsec/errors.h leans on xmlsec/xmlsec.h.
#include <xmlsec/xmlsec.h>

#include <xmlsec/errors.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/openssl/symbols.h>
#include <xmlsec/templates.h>
#include <xmlsec/transforms.h>
#include <xmlsec/xmldsig.h>

#include "base/c_ptr.h"
#include "xml/document.h"
#include "xml/names.h"
#include "xml/node_text.h"

namespace sallyport::xml {
namespace {

using SigningContext = CPtr<xmlSecDSigCtx, xmlSecDSigCtxDestroy>;

constexpr std::size_t kMaxBytes = 4 * 1024 * 1024;

Error failed(const char* step) {
  return {Reason::kInternal, std::string("signing failed: ") + step};
}

const xmlChar* as_xml(const char* text) { return reinterpret_cast<const xmlChar*>(text); }

// xmlsec1's own prints to stderr, with parts of the message in it.
void discard(const char*, int, const char*, const char*, const char*, int, const char*) {}

bool start_xmlsec() {
  // xmlSecInit replaces the process's loader of external entities; other modules may need theirs.
  const xmlExternalEntityLoader loader = xmlGetExternalEntityLoader();
  const bool started = xmlSecInit() == 0 && xmlSecCheckVersion() == 1 && xmlSecOpenSSLInit() == 0;
  xmlSetExternalEntityLoader(loader);
  xmlSecErrorsSetCallback(discard);
  return started;
}

// The Signature element without values, placed where SAML wants it.
xmlNode* add_template(xmlNode* root, xmlSecTransformId method, const std::string& id) {
  xmlNode* signature = xmlSecTmplSignatureCreateNsPref(root->doc, xmlSecTransformExclC14NId, method,
                                                       nullptr, as_xml("ds"));
  if (signature == nullptr) return nullptr;
  xmlNode* first = root->children;
  while (first != nullptr && first->type != XML_ELEMENT_NODE) first = first->next;
  if (first == nullptr) {
    xmlAddChild(root, signature);
  } else if (is_named(first, kNsSaml, "Issuer")) {
    xmlAddNextSibling(first, signature);
  } else {
    xmlAddPrevSibling(first, signature);
  }
  const std::string uri = "#" + id;
  xmlNode* reference = xmlSecTmplSignatureAddReference(signature, xmlSecTransformSha256Id, nullptr,
                                                       as_xml(uri.c_str()), nullptr);
  const bool complete =
      reference != nullptr &&
      xmlSecTmplReferenceAddTransform(reference, xmlSecTransformEnvelopedId) != nullptr &&
      xmlSecTmplReferenceAddTransform(reference, xmlSecTransformExclC14NId) != nullptr;
  return complete ? signature : nullptr;
}

// A key of xmlsec1 that shares ours.
CPtr<xmlSecKey, xmlSecKeyDestroy> as_xmlsec_key(const PrivateKey& key) {
  CPtr<xmlSecKey, xmlSecKeyDestroy> made(xmlSecKeyCreate());
  if (made == nullptr || EVP_PKEY_up_ref(key.raw()) != 1) return nullptr;
  xmlSecKeyData* data = xmlSecOpenSSLEvpKeyAdopt(key.raw());
  if (data == nullptr) {
    EVP_PKEY_free(key.raw());
    return nullptr;
  }
  if (xmlSecKeySetValue(made.get(), data) != 0) {
    xmlSecKeyDataDestroy(data);
    return nullptr;
  }
  return made;
}

// Behind the signature it certifies nothing: for the receiver's convenience.
bool add_certificate(xmlNode* signature, const std::string& base64) {
  xmlNs* ns = signature->ns;
  xmlNode* info = xmlNewChild(signature, ns, as_xml("KeyInfo"), nullptr);
  xmlNode* data = info == nullptr ? nullptr : xmlNewChild(info, ns, as_xml("X509Data"), nullptr);
  return data != nullptr &&
         xmlNewTextChild(data, ns, as_xml("X509Certificate"), as_xml(base64.c_str())) != nullptr;
}

// Lets xmlsec1 find the root by its ID.
bool register_id(xmlNode* root, const std::string& id) {
  xmlAttr* attribute = xmlHasProp(root, as_xml("ID"));
  return attribute != nullptr &&
         xmlAddID(nullptr, root->doc, as_xml(id.c_str()), attribute) != nullptr;
}

// Not by xmlNodeDump: libxml2 2.9 frees its buffer twice when memory runs out.
Result<std::string> serialize(xmlNode* root) {
  const CPtr<xmlOutputBuffer, xmlOutputBufferClose> output(xmlAllocOutputBuffer(nullptr));
  if (output == nullptr) return failed("no room for the document");
  xmlNodeDumpOutput(output.get(), root->doc, root, 0, 0, nullptr);
  const xmlChar* content = xmlOutputBufferGetContent(output.get());
  if (output->error != 0 || content == nullptr || *content == 0) {
    return failed("no room for the document");
  }
  return std::string(view_of(content));
}

}  // namespace

Status initialize_signing() {
  static const bool started = start_xmlsec();
  if (!started) return failed("xmlsec1 does not start");
  return Done{};
}

Result<std::string> sign_enveloped(std::string_view document, const PrivateKey& key,
                                   const Certificate& certificate) {
  SALLYPORT_TRY(initialize_signing());
  const Result<Document> parsed = Document::parse(document, message_limits(kMaxBytes));
  if (!parsed.ok()) return failed(parsed.error().detail.c_str());
  const auto id = parsed->root().attribute("ID");
  if (!id) return failed("the root has no ID");
  xmlNode* root = parsed->root().node();
  const std::string name(*id);
  xmlNode* signature = add_template(
      root, key.is_rsa() ? xmlSecTransformRsaSha256Id : xmlSecTransformEcdsaSha256Id, name);
  if (signature == nullptr || !register_id(root, name)) return failed("no template");
  const SigningContext context(xmlSecDSigCtxCreate(nullptr));
  if (context == nullptr) return failed("no context");
  context->signKey = as_xmlsec_key(key).release();
  if (context->signKey == nullptr || xmlSecDSigCtxSign(context.get(), signature) != 0) {
    return failed("xmlsec1 refused");
  }
  if (!add_certificate(signature, certificate.base64())) return failed("no KeyInfo");
  return serialize(root);
}

}  // namespace sallyport::xml
