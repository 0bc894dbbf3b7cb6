#include "xml/signature.h"

#include <libxml/tree.h>

#include <utility>

#include "base/digest.h"
#include "xml/canonical.h"
#include "xml/evp.h"
#include "xml/names.h"
#include "xml/node_text.h"
#include "xml/signature_shape.h"

namespace sallyport::xml {
namespace {

// So many keys are tried at most: IdPs publish two or three while they change them.
constexpr int kMaxKeys = 8;

Error refused(std::string detail) { return {Reason::kSignatureInvalid, std::move(detail)}; }

Status check_allowed(const SignatureShape& shape, const AlgorithmSet& allowed) {
  if (!allowed.has(shape.algorithm)) {
    return Error{Reason::kAlgorithmNotAllowed,
                 "signed with " + std::string(name_of(shape.algorithm))};
  }
  if (!allowed.has_digest(shape.digest)) {
    return Error{Reason::kAlgorithmNotAllowed, "a SHA-1 digest"};
  }
  return Done{};
}

bool fits(const PublicKey& key, SignatureAlgorithm algorithm) {
  return key_kind_of(algorithm) == KeyKind::kRsa ? key.is_rsa() : key.is_ec();
}

// Who cannot make the key's owner sign gets no further than this: one canonical SignedInfo and a
// few public-key operations.
Status check_value(const SignatureShape& shape, const std::vector<Certificate>& certificates) {
  const std::string octets = canonicalize(shape.signed_info, nullptr, shape.signed_info_prefixes);
  if (octets.empty()) return refused("SignedInfo has no canonical form");
  int tried = 0;
  for (const Certificate& certificate : certificates) {
    if (!fits(certificate.key(), shape.algorithm)) continue;
    if (++tried > kMaxKeys) break;
    if (verify_value(octets, shape.value, shape.algorithm, certificate.key())) return Done{};
  }
  return refused(tried == 0 ? "no configured key fits the algorithm"
                            : "the signature value fits none of the configured keys");
}

// The octets that were signed, if they are.
Result<std::string> digested_octets(const Element& parent, const SignatureShape& shape) {
  std::string octets = canonicalize(parent, &shape.element, shape.reference_prefixes);
  if (octets.empty()) return refused("the signed element has no canonical form");
  const std::string digest = digest_bytes(octets, shape.digest);
  if (digest.empty()) return Error{Reason::kInternal, "no digest"};
  if (!equal_constant_time(digest, shape.digest_value)) {
    return refused("the digest differs: the element was changed after it was signed");
  }
  return octets;
}

// Signature value first, digest second.
Status check_signature(const SignatureShape& shape, const std::vector<Certificate>& certificates,
                       const AlgorithmSet& allowed) {
  SALLYPORT_TRY(check_allowed(shape, allowed));
  return check_value(shape, certificates);
}

Result<std::string> verified_octets(const Element& parent, const SignatureShape& shape,
                                    const std::vector<Certificate>& certificates,
                                    const AlgorithmSet& allowed) {
  SALLYPORT_TRY(check_signature(shape, certificates, allowed));
  return digested_octets(parent, shape);
}

// Whether a default namespace reaches the element from around it.
bool inherits_default(const Element& element) {
  xmlNode* node = element.node();
  const xmlNs* found = xmlSearchNs(node->doc, node, nullptr);
  // In canonical form an element's own is the first of its declarations.
  return found != nullptr && found->href[0] != '\0' && found != node->nsDef;
}

// Canonical octets hold an element as it is digested by itself where nothing reaches it from around: neither a default
// namespace nor what a PrefixList names. The other prefixes that it uses it declares itself, or the digest differs.
bool stands_as_digested(const Element& element, const SignatureShape& shape) {
  const std::string_view whole = CanonicalTree::octets_of(element);
  const auto signature = element.only_child(kNsDsig, "Signature");
  if (whole.empty() || !signature || !shape.reference_prefixes.empty() || inherits_default(element)) return false;
  const std::string_view left_out = CanonicalTree::octets_of(*signature);
  const auto begin = static_cast<std::size_t>(left_out.data() - whole.data());
  std::string octets(whole.substr(0, begin));
  octets += whole.substr(begin + left_out.size());
  const std::string digest = digest_bytes(octets, shape.digest);
  return !digest.empty() && equal_constant_time(digest, shape.digest_value);
}

Result<CanonicalTree> read_octets(std::string octets, const Element& parent, const Limits& limits) {
  Result<CanonicalTree> tree = CanonicalTree::read(std::move(octets), limits);
  if (!tree.ok()) return tree;
  const Element root = tree->root();
  if (!root.is(parent.namespace_uri(), parent.local_name()) ||
      root.attribute("ID") != parent.attribute("ID")) {
    return refused("the signed octets are another element");
  }
  return tree;
}

// Element before `node` among its siblings.
const xmlNode* previous_element(const xmlNode* node) {
  do {
    node = node->prev;
  } while (node != nullptr && node->type != XML_ELEMENT_NODE);
  return node;
}

bool is_signature_in_place(const xmlNode* signature) {
  const xmlNode* parent = signature->parent;
  if (!is_named(parent, kNsSamlp, "Response") && !is_named(parent, kNsSaml, "Assertion")) {
    return false;
  }
  const xmlNode* before = previous_element(signature);
  return before != nullptr && is_named(before, kNsSaml, "Issuer") &&
         previous_element(before) == nullptr;
}

// Next node in document order; null at the end.
const xmlNode* next_in_order(const xmlNode* node, const xmlNode* root) {
  if (node->children != nullptr) return node->children;
  while (node != root && node->next == nullptr) node = node->parent;
  return node == root ? nullptr : node->next;
}

}  // namespace

std::optional<SignedElement> SignedElement::only_child(std::string_view namespace_uri,
                                                       std::string_view local_name) const {
  const auto child = element_.only_child(namespace_uri, local_name);
  if (!child) return std::nullopt;
  return SignedElement(*child);
}

Result<SignedDocument> SignatureVerifier::verify(const Element& parent,
                                                 const Limits& limits) const {
  const Result<SignatureShape> shape = read_signature_shape(parent);
  if (!shape.ok()) return Error(shape.error());
  Result<std::string> octets = verified_octets(parent, *shape, *certificates_, allowed_);
  if (!octets.ok()) return std::move(octets).error();
  Result<CanonicalTree> tree = read_octets(std::move(octets).value(), parent, limits);
  if (!tree.ok()) return std::move(tree).error();
  return SignedDocument(std::move(tree).value(), shape->algorithm);
}

Result<std::string> SignatureVerifier::verify_octets(const Element& parent) const {
  const Result<SignatureShape> shape = read_signature_shape(parent);
  if (!shape.ok()) return Error(shape.error());
  return verified_octets(parent, *shape, *certificates_, allowed_);
}

Status SignatureVerifier::confirm(const SignedElement& element, const Element& received) const {
  const Result<SignatureShape> shape = read_signature_shape(received);
  if (!shape.ok()) return Error(shape.error());
  SALLYPORT_TRY(check_signature(*shape, *certificates_, allowed_));
  if (stands_as_digested(element.element(), *shape)) return Done{};
  const auto octets = digested_octets(received, *shape);
  if (!octets.ok()) return Error(octets.error());
  return Done{};
}

bool is_signed(const Element& parent) { return parent.count_children(kNsDsig, "Signature") > 0; }

Status check_signature_positions(const Document& document) {
  const xmlNode* root = document.root().node();
  for (const xmlNode* node = root; node != nullptr; node = next_in_order(node, root)) {
    if (node->type != XML_ELEMENT_NODE) continue;
    if (is_named(node, kNsDsig, "Signature") && !is_signature_in_place(node)) {
      return Error{Reason::kSignatureMalformed, "a Signature out of place"};
    }
    if (is_named(node, kNsDsig, "SignedInfo") && !is_named(node->parent, kNsDsig, "Signature")) {
      return Error{Reason::kSignatureMalformed, "a SignedInfo out of place"};
    }
  }
  return Done{};
}

}  // namespace sallyport::xml
