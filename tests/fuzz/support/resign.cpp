#include "resign.h"

#include <xmlsec/openssl/crypto.h>
#include <xmlsec/openssl/symbols.h>
#include <xmlsec/transforms.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

enum class Which { kAll, kOfTheRoot };

std::string resigned(std::string_view document, EVP_PKEY* ec, EVP_PKEY* rsa, Which which) {
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
    if (is_signature(*node) && (which == Which::kAll || (*node)->parent == root)) sign(*node, ec, rsa);
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

XmlNode* child_named(XmlNode& parent, std::string_view local_name) {
  for (XmlNode& child : parent.children) {
    if (child.is_element() && child.local_name() == local_name) return &child;
  }
  return nullptr;
}

bool uses_prefix(XmlNode& root, std::string_view prefix) {
  const auto is_of_it = [&](std::string_view name) { return name.substr(0, name.find(':')) == prefix; };
  for (const XmlNode* node : elements_of(root)) {
    if (node->prefix() == prefix) return true;
    for (const auto& each : node->attributes) {
      if (is_of_it(each.first)) return true;
    }
  }
  return false;
}

// The prefixes that it uses, and not the default namespace, so that it can stand by itself.
void declare_prefixes(XmlNode& element, const XmlNode& parent) {
  constexpr std::string_view kDeclares = "xmlns:";
  for (const auto& each : parent.attributes) {
    if (each.first.compare(0, kDeclares.size(), kDeclares) != 0 || element.attribute(each.first) != nullptr) continue;
    if (uses_prefix(element, std::string_view(each.first).substr(kDeclares.size()))) element.attributes.push_back(each);
  }
}

}  // namespace

std::string resigned(std::string_view document, EVP_PKEY* ec, EVP_PKEY* rsa) {
  return resigned(document, ec, rsa, Which::kAll);
}

std::string resigned_alone(std::string_view document, EVP_PKEY* ec, EVP_PKEY* rsa) {
  auto tree = parse_tree(document);
  XmlNode* const assertion = tree ? child_named(*tree, "Assertion") : nullptr;
  if (assertion == nullptr || child_named(*tree, "Signature") == nullptr) return {};
  if (child_named(*assertion, "Signature") == nullptr) return {};
  declare_prefixes(*assertion, *tree);
  auto alone = parse_tree(resigned(write_tree(*assertion), ec, rsa));
  if (!alone) return {};
  *assertion = std::move(*alone);
  return resigned(write_tree(*tree), ec, rsa, Which::kOfTheRoot);
}

}  // namespace sallyport::fuzz
