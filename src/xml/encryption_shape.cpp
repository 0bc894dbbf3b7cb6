#include "xml/encryption_shape.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "base/encoding.h"
#include "xml/names.h"

namespace sallyport::xml {
namespace {

// An IdP wraps the key for each certificate that it knows of us. Each may cost a private-key operation.
constexpr std::size_t kMaxKeys = 4;

std::string name_of_element(const Element& element) { return std::string(element.local_name()); }

Error malformed(std::string detail) { return {Reason::kStructureInvalid, std::move(detail)}; }

Error not_allowed(const Element& method, std::string_view uri) {
  return {Reason::kAlgorithmNotAllowed, "encrypted with \"" + std::string(uri) + "\" (" +
                                            name_of_element(method) +
                                            "), which encryption_algorithms does not name"};
}

// A child that may or must stand at its place.
struct Place {
  std::string_view namespace_uri;
  std::string_view name;
  bool is_required;
  std::optional<Element>* found;
};

// The children of an element: those of `places`, in their order, each at most once, and nothing
// else.
Status read_children(const Element& parent, std::initializer_list<Place> places) {
  auto at = parent.children().begin();
  const auto end = parent.children().end();
  for (const Place& place : places) {
    if (at != end && (*at).is(place.namespace_uri, place.name)) {
      *place.found = *at;
      ++at;
    } else if (place.is_required) {
      return malformed(name_of_element(parent) + " without " + std::string(place.name) +
                       " in its place");
    }
  }
  if (at != end) {
    return malformed(name_of_element(*at) + " is not expected at its place in " +
                     name_of_element(parent));
  }
  if (parent.has_stray_text()) return malformed("text inside " + name_of_element(parent));
  return Done{};
}

// Encoded content would have to be decoded a second time, content that is not one element could be
// read in two ways.
Status check_type(const Element& element, std::string_view type) {
  const auto given = element.attribute("Type");
  if (given && *given != type) {
    return malformed(expected_received(name_of_element(element) + " Type", type, *given));
  }
  if (element.attribute("Encoding")) {
    return malformed(name_of_element(element) + " with an Encoding");
  }
  return Done{};
}

std::string without_blanks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
  return out;
}

// Blanks are where the sender broke the lines (XML Schema Part 2, section 3.2.16).
Result<std::string> decoded_text(const Element& element) {
  const auto text = element.text();
  if (!text) return malformed(name_of_element(element) + " holds more than text");
  auto bytes = base64_decode(without_blanks(*text));
  if (!bytes || bytes->empty()) return malformed(name_of_element(element) + " is not base64");
  return *std::move(bytes);
}

// A CipherReference would make us fetch and transform what a sender names.
Result<std::string> cipher_value(const Element& cipher_data) {
  std::optional<Element> value;
  SALLYPORT_TRY(read_children(cipher_data, {{kNsXenc, "CipherValue", true, &value}}));
  return decoded_text(*value);
}

Result<std::string_view> algorithm_of(const Element& element) {
  const auto uri = element.attribute("Algorithm");
  if (!uri) return malformed(name_of_element(element) + " without Algorithm");
  return *uri;
}

// --- EncryptionMethod ---

Result<DataCipher> read_data_method(const Element& method, const EncryptionSet& allowed) {
  const auto uri = algorithm_of(method);
  if (!uri.ok()) return Error(uri.error());
  const auto cipher = data_cipher_by_uri(*uri);
  if (!cipher || !allowed.has(*cipher)) return not_allowed(method, *uri);
  std::optional<Element> size;
  SALLYPORT_TRY(read_children(method, {{kNsXenc, "KeySize", false, &size}}));
  if (size && size->text() != std::to_string(8 * key_size(*cipher))) {
    return malformed("a KeySize other than the algorithm's");
  }
  return *cipher;
}

std::optional<DigestAlgorithm> mask_by_uri(std::string_view uri) {
  constexpr std::pair<std::string_view, DigestAlgorithm> kMasks[] = {
      {"mgf1sha1", DigestAlgorithm::kSha1},
      {"mgf1sha256", DigestAlgorithm::kSha256},
      {"mgf1sha384", DigestAlgorithm::kSha384},
      {"mgf1sha512", DigestAlgorithm::kSha512}};
  if (uri.substr(0, kNsXenc11.size()) != kNsXenc11) return std::nullopt;
  uri.remove_prefix(kNsXenc11.size());
  for (const auto& [name, digest] : kMasks) {
    if (name == uri) return digest;
  }
  return std::nullopt;
}

Status read_digest(const Element& method, DigestAlgorithm& out) {
  const auto uri = algorithm_of(method);
  if (!uri.ok()) return Error(uri.error());
  const bool is_mask = method.local_name() == "MGF";
  const auto digest = is_mask ? mask_by_uri(*uri) : digest_algorithm_by_uri(*uri);
  if (!digest) return not_allowed(method, *uri);
  out = *digest;
  return Done{};
}

// Parameters belong to OAEP, the mask function only to that of XML Encryption 1.1 (section 5.5).
Status read_key_method(const Element& method, const EncryptionSet& allowed, WrappedKey& out) {
  const auto uri = algorithm_of(method);
  if (!uri.ok()) return Error(uri.error());
  const auto transport = key_transport_by_uri(*uri);
  if (!transport || !allowed.has(*transport)) return not_allowed(method, *uri);
  out.transport = *transport;
  if (*transport == KeyTransport::kRsa15) return read_children(method, {});
  std::optional<Element> label;
  std::optional<Element> digest;
  std::optional<Element> mask;
  SALLYPORT_TRY(read_children(method, {{kNsXenc, "OAEPparams", false, &label},
                                       {kNsDsig, "DigestMethod", false, &digest},
                                       {kNsXenc11, "MGF", false, &mask}}));
  if (mask && *uri == kRsaOaepMgf1p) return malformed("an MGF with rsa-oaep-mgf1p");
  if (digest) SALLYPORT_TRY(read_digest(*digest, out.digest));
  if (mask) SALLYPORT_TRY(read_digest(*mask, out.mask));
  if (!label) return Done{};
  auto bytes = decoded_text(*label);
  if (!bytes.ok()) return std::move(bytes).error();
  out.label = std::move(*bytes);
  return Done{};
}

// --- EncryptedKey ---

// Of what it says about the key only a certificate is looked at. What would lead to yet another key is
// refused.
Status read_key_hint(const Element& key_info, WrappedKey& out) {
  for (const Element child : key_info.children()) {
    const std::string_view name = child.local_name();
    if (name == "EncryptedKey" || name == "RetrievalMethod" || name == "AgreementMethod") {
      return malformed(std::string(name) + " in the KeyInfo of an EncryptedKey");
    }
    if (!child.is(kNsDsig, "X509Data")) continue;
    const auto certificate = child.only_child(kNsDsig, "X509Certificate");
    if (certificate) out.certificate = without_blanks(certificate->text().value_or(""));
  }
  return Done{};
}

// `key_name` is that of the EncryptedData's KeyInfo; empty: none.
Result<WrappedKey> read_wrapped_key(const Element& element, const EncryptionSet& allowed,
                                    std::string_view key_name) {
  SALLYPORT_TRY(check_type(element, kEncryptedKeyType));
  std::optional<Element> method, key_info, cipher_data, references, carried;
  SALLYPORT_TRY(read_children(element, {{kNsXenc, "EncryptionMethod", true, &method},
                                        {kNsDsig, "KeyInfo", false, &key_info},
                                        {kNsXenc, "CipherData", true, &cipher_data},
                                        {kNsXenc, "ReferenceList", false, &references},
                                        {kNsXenc, "CarriedKeyName", false, &carried}}));
  if (carried && !key_name.empty() && carried->text() != key_name) {
    return malformed("an EncryptedKey whose CarriedKeyName is not the KeyName asked for");
  }
  WrappedKey out;
  SALLYPORT_TRY(read_key_method(*method, allowed, out));
  if (key_info) SALLYPORT_TRY(read_key_hint(*key_info, out));
  auto value = cipher_value(*cipher_data);
  if (!value.ok()) return std::move(value).error();
  out.value = std::move(*value);
  return out;
}

// --- EncryptedData ---

// All of one kind, in document order.
std::vector<Element> children_named(const Element& parent, std::string_view namespace_uri,
                                    std::string_view name) {
  std::vector<Element> all;
  for (const Element child : parent.children()) {
    if (child.is(namespace_uri, name)) all.push_back(child);
  }
  return all;
}

// It may only point at an EncryptedKey that is looked at anyway.
Status check_retrieval(const Element& method, const std::vector<Element>& beside) {
  if (method.attribute("Type").value_or(kEncryptedKeyType) != kEncryptedKeyType ||
      method.has_child_elements()) {
    return malformed("a RetrievalMethod of another kind than to an EncryptedKey");
  }
  const std::string_view uri = method.attribute("URI").value_or("");
  const bool is_known = std::any_of(beside.begin(), beside.end(), [&](const Element& key) {
    const auto id = key.attribute("Id");
    return id && !id->empty() && !uri.empty() && uri.front() == '#' && uri.substr(1) == *id;
  });
  if (is_known) return Done{};
  return malformed("a RetrievalMethod to \"" + std::string(uri) +
                   "\", which is no EncryptedKey beside the EncryptedData");
}

// EncryptedKeys in the KeyInfo, then those beside the EncryptedData.
Result<std::vector<WrappedKey>> read_keys(const std::optional<Element>& key_info,
                                          const std::vector<Element>& beside,
                                          const EncryptionSet& allowed) {
  std::vector<Element> elements;
  if (key_info) elements = children_named(*key_info, kNsXenc, "EncryptedKey");
  elements.insert(elements.end(), beside.begin(), beside.end());
  // First of all: what follows looks at each of them several times.
  if (elements.size() > kMaxKeys) {
    return Error{Reason::kXmlLimits,
                 "too many EncryptedKeys, at most " + std::to_string(kMaxKeys)};
  }
  if (elements.empty()) return malformed("an EncryptedData without EncryptedKey");
  std::string_view key_name;
  if (key_info) {
    for (const Element& method : children_named(*key_info, kNsDsig, "RetrievalMethod")) {
      SALLYPORT_TRY(check_retrieval(method, beside));
    }
    const auto name = key_info->only_child(kNsDsig, "KeyName");
    if (name) key_name = name->text().value_or("");
  }
  std::vector<WrappedKey> keys;
  for (const Element& element : elements) {
    auto key = read_wrapped_key(element, allowed, key_name);
    if (!key.ok()) return std::move(key).error();
    keys.push_back(std::move(*key));
  }
  return keys;
}

// The EncryptedKeys behind the EncryptedData (SAML Core 2.2.4).
Result<std::vector<Element>> keys_beside(const Element& holder) {
  std::vector<Element> keys;
  bool is_first = true;
  for (const Element child : holder.children()) {
    const bool is_expected = child.is(kNsXenc, is_first ? "EncryptedData" : "EncryptedKey");
    if (!is_expected) {
      return malformed(name_of_element(child) + " is not expected at its place in " +
                       name_of_element(holder));
    }
    if (!is_first) keys.push_back(child);
    is_first = false;
  }
  if (is_first || holder.has_stray_text()) {
    return malformed(name_of_element(holder) + " that does not hold one EncryptedData");
  }
  return keys;
}

}  // namespace

Result<EncryptionShape> read_encryption_shape(const Element& holder, const EncryptionSet& allowed) {
  const auto beside = keys_beside(holder);
  if (!beside.ok()) return Error(beside.error());
  const Element data = *holder.children().begin();
  SALLYPORT_TRY(check_type(data, kEncryptedElement));
  std::optional<Element> method, key_info, cipher_data;
  SALLYPORT_TRY(read_children(data, {{kNsXenc, "EncryptionMethod", true, &method},
                                     {kNsDsig, "KeyInfo", false, &key_info},
                                     {kNsXenc, "CipherData", true, &cipher_data}}));
  EncryptionShape out;
  const auto cipher = read_data_method(*method, allowed);
  if (!cipher.ok()) return Error(cipher.error());
  out.cipher = *cipher;
  auto keys = read_keys(key_info, *beside, allowed);
  if (!keys.ok()) return std::move(keys).error();
  out.keys = std::move(*keys);
  auto value = cipher_value(*cipher_data);
  if (!value.ok()) return std::move(value).error();
  out.value = std::move(*value);
  return out;
}

}  // namespace sallyport::xml
