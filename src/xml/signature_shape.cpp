#include "xml/signature_shape.h"

#include <libxml/tree.h>

#include <optional>
#include <utility>

#include "base/encoding.h"
#include "xml/names.h"
#include "xml/node_text.h"
#include "xml/shape_gate.h"

namespace sallyport::xml {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

Error malformed(std::string detail) { return {Reason::kSignatureMalformed, std::move(detail)}; }

std::string name_of_element(const Element& element) { return std::string(element.local_name()); }

std::size_t digest_size(DigestAlgorithm digest) {
  switch (digest) {
    case DigestAlgorithm::kSha1:
      return 20;
    case DigestAlgorithm::kSha256:
      return 32;
    case DigestAlgorithm::kSha384:
      return 48;
    case DigestAlgorithm::kSha512:
      return 64;
  }
  return 0;
}

// Walks the children of an element in order; each must be the one that is expected.
class ChildWalk {
 public:
  explicit ChildWalk(const Element& parent)
      : parent_(parent), at_(parent.children().begin()), end_(parent.children().end()) {}

  bool next_is(std::string_view namespace_uri, std::string_view name) const {
    return at_ != end_ && (*at_).is(namespace_uri, name);
  }

  Result<Element> take(std::string_view name) {
    if (!next_is(kNsDsig, name)) {
      return malformed(name_of_element(parent_) + " without " + std::string(name) +
                       " in its place");
    }
    const Element child = *at_;
    ++at_;
    return child;
  }

  void skip() { ++at_; }

  Status at_end() const {
    if (at_ != end_) {
      return malformed(name_of_element(*at_) + " where " + name_of_element(parent_) +
                       " should end");
    }
    if (parent_.has_stray_text()) return malformed("text inside " + name_of_element(parent_));
    return Done{};
  }

 private:
  Element parent_;
  Element::Iterator at_;
  Element::Iterator end_;
};

// Only the named attribute and `Id`, both without namespace.
Status check_attributes(const Element& element, std::string_view allowed) {
  for (const xmlAttr* attribute = element.node()->properties; attribute != nullptr;
       attribute = attribute->next) {
    const std::string_view name = view_of(attribute->name);
    if (attribute->ns == nullptr && (name == "Id" || (!allowed.empty() && name == allowed))) {
      continue;
    }
    return malformed("attribute " + std::string(name) + " on " + name_of_element(element));
  }
  return Done{};
}

Result<std::string_view> algorithm_of(const Element& element) {
  SALLYPORT_TRY(check_attributes(element, "Algorithm"));
  const auto uri = element.attribute("Algorithm");
  if (!uri) return malformed(name_of_element(element) + " without Algorithm");
  return *uri;
}

// The Algorithm of an element that has no children (HMACOutputLength, parameters).
Result<std::string_view> bare_algorithm_of(const Element& element) {
  SALLYPORT_TRY(ChildWalk(element).at_end());
  return algorithm_of(element);
}

// Base64 text of an element that holds nothing else.
Result<std::string> decoded_text(const Element& element) {
  SALLYPORT_TRY(check_attributes(element, {}));
  const auto text = element.text();
  if (!text) return malformed(name_of_element(element) + " holds more than text");
  auto bytes = base64_decode(trim_blanks(*text));
  if (!bytes || bytes->empty()) return malformed(name_of_element(element) + " is not base64");
  return *std::move(bytes);
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> all;
  for (std::size_t at = text.find_first_not_of(kBlanks); at != text.npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    all.emplace_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBlanks, end);
  }
  return all;
}

// The prefixes of an element that names exclusive canonicalization.
Result<std::vector<std::string>> exclusive_prefixes(const Element& element) {
  const Result<std::string_view> uri = algorithm_of(element);
  if (!uri.ok()) return Error(uri.error());
  if (*uri != kExclusiveC14n) {
    return malformed(expected_received(name_of_element(element), kExclusiveC14n, *uri));
  }
  ChildWalk walk(element);
  std::vector<std::string> prefixes;
  if (walk.next_is(kExclusiveC14n, "InclusiveNamespaces")) {
    const Element list = *element.children().begin();
    SALLYPORT_TRY(check_attributes(list, "PrefixList"));
    SALLYPORT_TRY(ChildWalk(list).at_end());
    const auto text = list.attribute("PrefixList");
    if (!text || !is_short_prefix_list(*text)) return malformed("a bad PrefixList");
    prefixes = words(*text);
    walk.skip();
  }
  SALLYPORT_TRY(walk.at_end());
  return prefixes;
}

// Enveloped first, exclusive second. Enveloped alone would mean inclusive canonicalization.
Result<std::vector<std::string>> read_transforms(const Element& transforms) {
  SALLYPORT_TRY(check_attributes(transforms, {}));
  ChildWalk walk(transforms);
  const Result<Element> enveloped = walk.take("Transform");
  if (!enveloped.ok()) return Error(enveloped.error());
  const Result<std::string_view> first = bare_algorithm_of(*enveloped);
  if (!first.ok()) return Error(first.error());
  if (*first != kEnvelopedSignature) {
    return malformed(expected_received("first Transform", kEnvelopedSignature, *first));
  }
  const Result<Element> exclusive = walk.take("Transform");
  if (!exclusive.ok()) return Error(exclusive.error());
  SALLYPORT_TRY(walk.at_end());
  return exclusive_prefixes(*exclusive);
}

class ShapeReader {
 public:
  ShapeReader(const Element& parent, const Element& signature)
      : parent_(parent), shape_{signature, signature, {}, {}, {}, {}, {}, {}} {}

  Result<SignatureShape> read() {
    SALLYPORT_TRY(signature());
    SALLYPORT_TRY(signed_info());
    return std::move(shape_);
  }

 private:
  Status signature() {
    SALLYPORT_TRY(check_attributes(shape_.element, {}));
    ChildWalk walk(shape_.element);
    SALLYPORT_TRY(store(walk.take("SignedInfo"), shape_.signed_info));
    Element value = shape_.element;
    SALLYPORT_TRY(store(walk.take("SignatureValue"), value));
    SALLYPORT_TRY(store(decoded_text(value), shape_.value));
    // What it says of keys is not read: keys come from the configuration.
    if (walk.next_is(kNsDsig, "KeyInfo")) walk.skip();
    return walk.at_end();
  }

  Status signed_info() {
    SALLYPORT_TRY(check_attributes(shape_.signed_info, {}));
    ChildWalk walk(shape_.signed_info);
    Element child = shape_.signed_info;
    SALLYPORT_TRY(store(walk.take("CanonicalizationMethod"), child));
    SALLYPORT_TRY(store(exclusive_prefixes(child), shape_.signed_info_prefixes));
    SALLYPORT_TRY(store(walk.take("SignatureMethod"), child));
    SALLYPORT_TRY(signature_method(child));
    SALLYPORT_TRY(store(walk.take("Reference"), child));
    SALLYPORT_TRY(reference(child));
    return walk.at_end();
  }

  Status signature_method(const Element& method) {
    std::string_view uri;
    SALLYPORT_TRY(store(bare_algorithm_of(method), uri));
    const auto algorithm = signature_algorithm_by_uri(uri);
    if (!algorithm) return unknown_algorithm(uri);
    shape_.algorithm = *algorithm;
    return Done{};
  }

  Status reference(const Element& reference) {
    SALLYPORT_TRY(check_attributes(reference, "URI"));
    SALLYPORT_TRY(reference_uri(reference));
    ChildWalk walk(reference);
    Element child = reference;
    SALLYPORT_TRY(store(walk.take("Transforms"), child));
    SALLYPORT_TRY(store(read_transforms(child), shape_.reference_prefixes));
    SALLYPORT_TRY(store(walk.take("DigestMethod"), child));
    SALLYPORT_TRY(digest_method(child));
    SALLYPORT_TRY(store(walk.take("DigestValue"), child));
    SALLYPORT_TRY(store(decoded_text(child), shape_.digest_value));
    if (shape_.digest_value.size() != digest_size(shape_.digest)) {
      return malformed("a DigestValue of the wrong length");
    }
    return walk.at_end();
  }

  // Compared as text: no other form of a reference is understood.
  Status reference_uri(const Element& reference) {
    const auto id = parent_.attribute("ID");
    if (!id || id->empty()) return malformed("a signed element without ID");
    const auto uri = reference.attribute("URI");
    if (!uri) return malformed("a Reference without URI");
    const std::string expected = "#" + std::string(*id);
    if (*uri != expected) return malformed(expected_received("Reference", expected, *uri));
    return Done{};
  }

  Status digest_method(const Element& method) {
    std::string_view uri;
    SALLYPORT_TRY(store(bare_algorithm_of(method), uri));
    const auto digest = digest_algorithm_by_uri(uri);
    if (!digest) return unknown_algorithm(uri);
    shape_.digest = *digest;
    return Done{};
  }

  static Error unknown_algorithm(std::string_view uri) {
    return {Reason::kAlgorithmNotAllowed, "unknown algorithm \"" + std::string(uri) + "\""};
  }

  template <class T>
  static Status store(Result<T> result, T& out) {
    if (!result.ok()) return std::move(result).error();
    out = std::move(result).value();
    return Done{};
  }

  Element parent_;
  SignatureShape shape_;
};

}  // namespace

Result<SignatureShape> read_signature_shape(const Element& parent) {
  std::optional<Element> signature;
  for (const Element child : parent.children()) {
    if (!child.is(kNsDsig, "Signature")) continue;
    if (signature) return malformed("two Signatures in " + name_of_element(parent));
    signature = child;
  }
  if (!signature) {
    return Error{Reason::kSignatureMissing, name_of_element(parent) + " is not signed"};
  }
  return ShapeReader(parent, *signature).read();
}

}  // namespace sallyport::xml
