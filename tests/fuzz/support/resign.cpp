#include "resign.h"

#include <xmlsec/openssl/crypto.h>
#include <xmlsec/openssl/symbols.h>
#include <xmlsec/transforms.h>

#include <optional>
#include <vector>

#include "../../unit/xml_test_util.h"
#include "leaks_of_others.h"
#include "xml_tree.h"

namespace sallyport::fuzz {
namespace {

// In document order, as `elements_of` lists the tree of the same text.
void collect(xmlNode* node, std::vector<xmlNode*>& out) {
  for (; node != nullptr; node = node->next) {
    if (node->type != XML_ELEMENT_NODE) continue;
    out.push_back(node);
    collect(node->children, out);
  }
}

bool is_signature(xmlNode* node) {
  return xmlSecCheckNodeName(node, xmlSecNodeSignature, xmlSecDSigNs) == 1;
}

std::string method_of(xmlNode* signature) {
  xmlNode* const info = xmlSecFindChild(signature, xmlSecNodeSignedInfo, xmlSecDSigNs);
  xmlNode* const method =
      info == nullptr ? nullptr : xmlSecFindChild(info, xmlSecNodeSignatureMethod, xmlSecDSigNs);
  if (method == nullptr) return {};
  xmlChar* const value = xmlGetNoNsProp(method, BAD_CAST "Algorithm");
  const std::string copy(value == nullptr ? "" : reinterpret_cast<const char*>(value));
  xmlFree(value);
  return copy;
}

// Transforms that neither reach out of the document nor run a program from it.
bool allow_plain_transforms(xmlSecDSigCtx* context) {
  for (xmlSecTransformId id :
       {xmlSecTransformEnvelopedId, xmlSecTransformExclC14NId, xmlSecTransformExclC14NWithCommentsId,
        xmlSecTransformInclC14NId, xmlSecTransformInclC14NWithCommentsId, xmlSecTransformSha1Id,
        xmlSecTransformSha256Id, xmlSecTransformSha384Id, xmlSecTransformSha512Id}) {
    if (xmlSecDSigCtxEnableReferenceTransform(context, id) != 0) return false;
  }
  context->enabledReferenceUris =
      xmlSecTransformUriTypeSameDocument | xmlSecTransformUriTypeEmpty;
  return true;
}

// A KeyInfo that xmlsec1 shall not write into.
class SetAside {
 public:
  explicit SetAside(xmlNode* node)
      : node_(node),
        parent_(node == nullptr ? nullptr : node->parent),
        next_(node == nullptr ? nullptr : node->next) {
    if (node_ != nullptr) xmlUnlinkNode(node_);
  }
  ~SetAside() {
    if (node_ == nullptr) return;
    next_ == nullptr ? xmlAddChild(parent_, node_) : xmlAddPrevSibling(next_, node_);
  }
  SetAside(const SetAside&) = delete;
  SetAside& operator=(const SetAside&) = delete;

 private:
  xmlNode* node_;
  xmlNode* parent_;
  xmlNode* next_;
};

void sign(xmlNode* signature, EVP_PKEY* ec, EVP_PKEY* rsa) {
  const CPtr<xmlSecDSigCtx, xmlSecDSigCtxDestroy> context(xmlSecDSigCtxCreate(nullptr));
  if (context == nullptr || !allow_plain_transforms(context.get())) std::abort();
  EVP_PKEY* const key = method_of(signature).find("rsa") != std::string::npos ? rsa : ec;
  context->signKey = xmlSecKeyCreate();
  EVP_PKEY_up_ref(key);
  xmlSecKeySetValue(context->signKey, xmlSecOpenSSLEvpKeyAdopt(key));
  const SetAside key_info(xmlSecFindChild(signature, xmlSecNodeKeyInfo, xmlSecDSigNs));
  const LeaksOfOthers ignored;
  xmlSecDSigCtxSign(context.get(), signature);
}

std::string content(const xmlNode* node) {
  xmlChar* const text = xmlNodeGetContent(node);
  const std::string copy(text == nullptr ? "" : reinterpret_cast<const char*>(text));
  xmlFree(text);
  return copy;
}

bool holds_a_value(xmlNode* node) {
  return xmlSecCheckNodeName(node, xmlSecNodeDigestValue, xmlSecDSigNs) == 1 ||
         xmlSecCheckNodeName(node, xmlSecNodeSignatureValue, xmlSecDSigNs) == 1;
}

}  // namespace

std::string resigned(std::string_view document, EVP_PKEY* ec, EVP_PKEY* rsa) {
  auto tree = parse_tree(document);
  const auto parsed = tree ? test::read_xml(document) : nullptr;
  if (parsed == nullptr) return std::string(document);
  xmlNode* const root = xmlDocGetRootElement(parsed.get());
  std::vector<xmlNode*> nodes;
  collect(root, nodes);
  const std::vector<XmlNode*> written = elements_of(*tree);
  if (nodes.size() != written.size()) return std::string(document);

  // xmlsec1 takes no nodes away but those inside of values.
  for (xmlNode* node : nodes) {
    if (holds_a_value(node) && xmlFirstElementChild(node) != nullptr) return std::string(document);
  }
  const xmlChar* ids[] = {BAD_CAST "ID", nullptr};
  xmlSecAddIDs(parsed.get(), root, ids);
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    if (is_signature(*node)) sign(*node, ec, rsa);
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!holds_a_value(nodes[i])) continue;
    XmlNode text;
    text.text = content(nodes[i]);
    // Where something stands beside the value it stays, at the price of the signature.
    if (written[i]->children.size() <= 1) written[i]->children.assign(1, text);
  }
  return write_tree(*tree);
}

}  // namespace sallyport::fuzz
