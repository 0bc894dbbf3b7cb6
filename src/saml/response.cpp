#include "saml/response.h"

#include "saml/names.h"
#include "saml/structure.h"
#include "xml/names.h"
#include "xml/signature.h"

namespace sallyport::saml {

namespace {

using xml::Element;
using xml::kNsSaml;
using xml::kNsSamlp;

// --- Status (Core 3.2.2.1) ---

// StatusCodes nest; the outermost one decides.
Status read_status_codes(const Element& outermost, std::vector<std::string>& out) {
  std::optional<Element> code = outermost;
  while (code) {
    auto value = required_attribute(*code, "Value");
    if (!value.ok()) return std::move(value).error();
    out.push_back(std::move(*value));
    ChildCursor children(*code);
    const auto inner = children.take(kNsSamlp, "StatusCode");
    SALLYPORT_TRY(children.finish());
    code = inner;
  }
  return Done{};
}

Status read_status(const Element& status, ResponseHeader& out) {
  ChildCursor children(status);
  const auto code = children.take(kNsSamlp, "StatusCode");
  if (!code) return structure_error("a Status without StatusCode");
  SALLYPORT_TRY(read_status_codes(*code, out.status_codes));
  if (const auto message = children.take(kNsSamlp, "StatusMessage")) {
    out.status_message = std::string(message->text().value_or(""));
  }
  children.take(kNsSamlp, "StatusDetail");
  return children.finish();
}

// The code's last word: "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed" says nothing more.
std::string_view short_code(std::string_view code) {
  constexpr std::string_view kPrefix = "urn:oasis:names:tc:SAML:2.0:status:";
  return code.substr(0, kPrefix.size()) == kPrefix ? code.substr(kPrefix.size()) : code;
}

Status check_status(const ResponseHeader& header) {
  if (header.status_codes.front() == kStatusSuccess) return Done{};
  std::string detail = "the IdP answered ";
  for (std::size_t i = 0; i < header.status_codes.size(); ++i) {
    if (i > 0) detail += " / ";
    detail += short_code(header.status_codes[i]);
  }
  if (!header.status_message.empty()) detail += ": " + header.status_message;
  return Error{Reason::kStatusNotSuccess, std::move(detail)};
}

// --- Response (Core 3.2.2, 3.3.3) ---

Status read_attributes(const Element& response, ResponseHeader& out) {
  SALLYPORT_TRY(check_version(response));
  auto id = required_attribute(response, "ID");
  if (!id.ok()) return std::move(id).error();
  out.id = std::move(*id);
  auto issue_instant = required_instant(response, "IssueInstant");
  if (!issue_instant.ok()) return std::move(issue_instant).error();
  out.issue_instant = *issue_instant;
  out.destination = attribute_string(response, "Destination");
  out.in_response_to = attribute_string(response, "InResponseTo");
  return Done{};
}

// Everything of the Response but its assertions, whose place is checked too.
Result<ResponseHeader> read_header(const Element& response) {
  if (!response.is(kNsSamlp, "Response")) {
    return structure_error("expected a Response, received " + std::string(response.local_name()));
  }
  ResponseHeader out;
  SALLYPORT_TRY(read_attributes(response, out));
  ChildCursor children(response);
  if (const auto element = children.take(kNsSaml, "Issuer")) {
    auto issuer = read_issuer(*element);
    if (!issuer.ok()) return std::move(issuer).error();
    out.issuer = std::move(*issuer);
  }
  children.take(xml::kNsDsig, "Signature");
  children.take(kNsSamlp, "Extensions");
  const auto status = children.take(kNsSamlp, "Status");
  if (!status) return structure_error("a Response without Status at its place");
  SALLYPORT_TRY(read_status(*status, out));
  SALLYPORT_TRY(check_status(out));
  while (children.take(kNsSaml, "Assertion") || children.take(kNsSaml, "EncryptedAssertion")) {
  }
  SALLYPORT_TRY(children.finish());
  return out;
}

bool is_any_assertion(const Element& element) {
  const std::string_view name = element.local_name();
  return (name == "Assertion" || name == "EncryptedAssertion") &&
         element.namespace_uri() == kNsSaml;
}

// In all of the document: wrapping attacks need a second one somewhere. The depth is bounded.
std::size_t count_assertions(const Element& element) {
  std::size_t count = is_any_assertion(element) ? 1 : 0;
  for (const Element& child : element.children()) count += count_assertions(child);
  return count;
}

Status check_one_assertion(const Element& response) {
  const std::size_t count = count_assertions(response);
  if (count == 0) return structure_error("a Response with Success but without assertion");
  if (count > 1) {
    return structure_error("several assertions (" + std::to_string(count) + ") in one Response");
  }
  return Done{};
}

const std::vector<xml::DecryptionKey>& keys_of(const EncryptionRules& encryption) {
  static const std::vector<xml::DecryptionKey> none;
  return encryption.keys == nullptr ? none : *encryption.keys;
}

// --- Signatures ---

Error about(const Error& error, std::string_view what) {
  return {error.reason, "signature of the " + std::string(what) + ": " + error.detail};
}

Error no_assertion() { return structure_error("the Response has no Assertion of its own"); }

xml::SignatureVerifier verifier_of(const SignatureRules& rules) {
  return {*rules.certificates, rules.algorithms};
}

}  // namespace

ResponseReader::ResponseReader(const SignatureRules& rules, const EncryptionRules& encryption,
                               const xml::Limits& limits)
    : rules_(rules),
      encryption_(encryption),
      limits_(limits),
      decrypter_(keys_of(encryption), encryption.algorithms, limits) {}

Status ResponseReader::open(std::string_view document) {
  auto received = xml::Document::parse(document, limits_);
  if (!received.ok()) return std::move(received).error();
  received_ = std::move(received).value();
  decrypter_.expect(*received_, document.size());
  const Element root = received_->root();
  auto header = read_header(root);
  if (!header.ok()) return std::move(header).error();
  header_ = std::move(header).value();
  SALLYPORT_TRY(check_one_assertion(root));
  encrypted_ = root.count_children(kNsSaml, "EncryptedAssertion") > 0;
  if (encryption_.require && !encrypted_) {
    return Error{Reason::kEncryptionMissing, "the Assertion is not encrypted"};
  }
  return xml::check_signature_positions(*received_);
}

Status ResponseReader::verify() {
  const Element root = received_->root();
  if (xml::is_signed(root)) return verify_response(root);
  return encrypted_ ? check_response_signed() : verify_assertion(root);
}

// Behind a signed Response only its octets are looked at.
Status ResponseReader::verify_response(const Element& received) {
  auto octets = verifier_of(rules_).verify(received, limits_);
  if (!octets.ok()) return about(octets.error(), "Response");
  octets_ = std::move(octets).value();
  response_signed_ = true;
  auto header = read_header(octets_->root().element());
  if (!header.ok()) return std::move(header).error();
  header_ = std::move(header).value();
  header_.is_signed = true;
  return Done{};
}

Status ResponseReader::verify_assertion(const Element& received) {
  const auto assertion = received.only_child(kNsSaml, "Assertion");
  if (!assertion) return no_assertion();
  if (!xml::is_signed(*assertion)) return Done{};
  auto octets = verifier_of(rules_).verify(*assertion, limits_);
  if (!octets.ok()) return about(octets.error(), "Assertion");
  octets_ = std::move(octets).value();
  assertion_signed_ = true;
  return Done{};
}

Status ResponseReader::decrypt() {
  if (!encrypted_) return Done{};
  return response_signed_ ? decrypt_signed() : decrypt_unsigned();
}

Status ResponseReader::decrypt_signed() {
  const auto holder = octets_->root().only_child(kNsSaml, "EncryptedAssertion");
  if (!holder) return no_assertion();
  auto plain = decrypter_.decrypt(*holder);
  if (!plain.ok()) return std::move(plain).error();
  signed_plain_ = std::move(plain).value();
  return check_inside(signed_plain_->document());
}

Status ResponseReader::decrypt_unsigned() {
  const auto holder = received_->root().only_child(kNsSaml, "EncryptedAssertion");
  if (!holder) return no_assertion();
  auto plain = decrypter_.decrypt(*holder);
  if (!plain.ok()) return std::move(plain).error();
  plain_ = std::move(plain).value();
  return check_inside(*plain_);
}

// What check_one_assertion and the gates make sure of outside.
Status ResponseReader::check_inside(const xml::Document& plain) const {
  const bool is_sound = plain.root().is(kNsSaml, "Assertion") &&
                        count_assertions(plain.root()) == 1 &&
                        xml::check_signature_positions(plain).ok() &&
                        !xml::share_ids(plain, *received_);
  if (!is_sound) return xml::decryption_failed();
  return Done{};
}

Status ResponseReader::confirm() {
  if (encrypted_) {
    SALLYPORT_TRY(confirm_decrypted());
  } else if (response_signed_) {
    SALLYPORT_TRY(confirm_assertion());
  }
  return check_required();
}

Status ResponseReader::confirm_decrypted() {
  if (response_signed_) {
    const xml::SignedElement assertion = signed_plain_->root();
    if (!xml::is_signed(assertion.element())) return Done{};
    if (!verifier_of(rules_).confirm(assertion, assertion.element()).ok()) return xml::decryption_failed();
  } else {
    auto octets = verifier_of(rules_).verify(plain_->root(), limits_);
    if (!octets.ok()) return xml::decryption_failed();
    octets_ = std::move(octets).value();
  }
  assertion_signed_ = true;
  return Done{};
}

Status ResponseReader::confirm_assertion() {
  const auto assertion = octets_->root().only_child(kNsSaml, "Assertion");
  const auto received = received_->root().only_child(kNsSaml, "Assertion");
  if (!assertion || !received) return no_assertion();
  if (!xml::is_signed(assertion->element())) return Done{};
  const Status confirmed = verifier_of(rules_).confirm(*assertion, *received);
  if (!confirmed.ok()) return about(confirmed.error(), "Assertion");
  assertion_signed_ = true;
  return Done{};
}

Status ResponseReader::check_response_signed() const {
  const bool is_wanted =
      rules_.require == RequireSigned::kResponse || rules_.require == RequireSigned::kBoth;
  if (!is_wanted || response_signed_) return Done{};
  return Error{Reason::kSignatureMissing, "the Response is not signed"};
}

Status ResponseReader::check_required() const {
  SALLYPORT_TRY(check_response_signed());
  const bool wants_assertion =
      rules_.require == RequireSigned::kAssertion || rules_.require == RequireSigned::kBoth;
  if (wants_assertion && !assertion_signed_) {
    return Error{Reason::kSignatureMissing, "the Assertion is not signed"};
  }
  if (!octets_) {
    return Error{Reason::kSignatureMissing, "neither the Response nor the Assertion is signed"};
  }
  return Done{};
}

std::optional<xml::SignedElement> ResponseReader::signed_assertion() const {
  if (!response_signed_) return octets_->root();
  if (encrypted_) return signed_plain_->root();
  return octets_->root().only_child(kNsSaml, "Assertion");
}

Result<VerifiedResponse> ResponseReader::read() {
  const auto element = signed_assertion();
  if (!element) return no_assertion();
  auto assertion = parse_assertion(*element, decrypter_);
  if (!assertion.ok()) return std::move(assertion).error();
  return VerifiedResponse{std::move(header_), std::move(assertion).value()};
}

Result<VerifiedResponse> read_response(std::string_view document, const SignatureRules& rules,
                                       const xml::Limits& limits,
                                       const EncryptionRules& encryption) {
  ResponseReader reader(rules, encryption, limits);
  SALLYPORT_TRY(reader.open(document));
  SALLYPORT_TRY(reader.verify());
  SALLYPORT_TRY(reader.decrypt());
  SALLYPORT_TRY(reader.confirm());
  return reader.read();
}

}  // namespace sallyport::saml
