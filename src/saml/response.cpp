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
  if (response.count_children(kNsSaml, "EncryptedAssertion") > 0) {
    return Error{Reason::kDecryptionFailed,
                 "encrypted assertions are not supported yet: turn encryption off at the IdP"};
  }
  return Done{};
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

Status ResponseReader::open(std::string_view document) {
  auto received = xml::Document::parse(document, limits_);
  if (!received.ok()) return std::move(received).error();
  received_ = std::move(received).value();
  const Element root = received_->root();
  auto header = read_header(root);
  if (!header.ok()) return std::move(header).error();
  header_ = std::move(header).value();
  SALLYPORT_TRY(check_one_assertion(root));
  return xml::check_signature_positions(*received_);
}

Status ResponseReader::verify() {
  const Element root = received_->root();
  return xml::is_signed(root) ? verify_response(root) : verify_assertion(root);
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

Status ResponseReader::confirm() {
  if (response_signed_) SALLYPORT_TRY(confirm_assertion());
  return check_required();
}

Status ResponseReader::confirm_assertion() {
  const auto assertion = octets_->root().only_child(kNsSaml, "Assertion");
  if (!assertion) return no_assertion();
  if (!xml::is_signed(assertion->element())) return Done{};
  const Status confirmed = verifier_of(rules_).confirm(*assertion);
  if (!confirmed.ok()) return about(confirmed.error(), "Assertion");
  assertion_signed_ = true;
  return Done{};
}

Status ResponseReader::check_required() const {
  const RequireSigned require = rules_.require;
  const bool wants_response =
      require == RequireSigned::kResponse || require == RequireSigned::kBoth;
  const bool wants_assertion =
      require == RequireSigned::kAssertion || require == RequireSigned::kBoth;
  if (wants_response && !response_signed_) {
    return Error{Reason::kSignatureMissing, "the Response is not signed"};
  }
  if (wants_assertion && !assertion_signed_) {
    return Error{Reason::kSignatureMissing, "the Assertion is not signed"};
  }
  if (!octets_) {
    return Error{Reason::kSignatureMissing, "neither the Response nor the Assertion is signed"};
  }
  return Done{};
}

Result<Assertion> ResponseReader::read_assertion() const {
  const xml::SignedElement root = octets_->root();
  if (!response_signed_) return parse_assertion(root);
  const auto assertion = root.only_child(kNsSaml, "Assertion");
  if (!assertion) return no_assertion();
  return parse_assertion(*assertion);
}

Result<VerifiedResponse> ResponseReader::read() {
  auto assertion = read_assertion();
  if (!assertion.ok()) return std::move(assertion).error();
  return VerifiedResponse{std::move(header_), std::move(assertion).value()};
}

Result<VerifiedResponse> read_response(std::string_view document, const SignatureRules& rules,
                                       const xml::Limits& limits) {
  ResponseReader reader(rules, limits);
  SALLYPORT_TRY(reader.open(document));
  SALLYPORT_TRY(reader.verify());
  SALLYPORT_TRY(reader.confirm());
  return reader.read();
}

}  // namespace sallyport::saml
