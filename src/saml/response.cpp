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

// The verified octets, of the Response if it is signed, else of the Assertion; none: neither is.
struct Verified {
  std::optional<xml::SignedDocument> octets;
  bool response_signed = false;
  bool assertion_signed = false;
};

Error about(const Error& error, std::string_view what) {
  return {error.reason, "signature of the " + std::string(what) + ": " + error.detail};
}

Error no_assertion() { return structure_error("the Response has no Assertion of its own"); }

// Behind a signed Response only its octets are looked at; its Assertion may be signed as well.
Status verify_response(const Element& received, const xml::SignatureVerifier& verifier,
                       const xml::Limits& limits, Verified& out) {
  auto octets = verifier.verify(received, limits);
  if (!octets.ok()) return about(octets.error(), "Response");
  out.octets = std::move(*octets);
  out.response_signed = true;
  const auto assertion = out.octets->root().only_child(kNsSaml, "Assertion");
  if (!assertion) return no_assertion();
  if (!xml::is_signed(assertion->element())) return Done{};
  const Status confirmed = verifier.confirm(*assertion);
  if (!confirmed.ok()) return about(confirmed.error(), "Assertion");
  out.assertion_signed = true;
  return Done{};
}

Status verify_assertion(const Element& received, const xml::SignatureVerifier& verifier,
                        const xml::Limits& limits, Verified& out) {
  const auto assertion = received.only_child(kNsSaml, "Assertion");
  if (!assertion) return no_assertion();
  if (!xml::is_signed(*assertion)) return Done{};
  auto octets = verifier.verify(*assertion, limits);
  if (!octets.ok()) return about(octets.error(), "Assertion");
  out.octets = std::move(*octets);
  out.assertion_signed = true;
  return Done{};
}

Status check_required(const Verified& verified, RequireSigned require) {
  const bool wants_response =
      require == RequireSigned::kResponse || require == RequireSigned::kBoth;
  const bool wants_assertion =
      require == RequireSigned::kAssertion || require == RequireSigned::kBoth;
  if (wants_response && !verified.response_signed) {
    return Error{Reason::kSignatureMissing, "the Response is not signed"};
  }
  if (wants_assertion && !verified.assertion_signed) {
    return Error{Reason::kSignatureMissing, "the Assertion is not signed"};
  }
  if (!verified.octets) {
    return Error{Reason::kSignatureMissing, "neither the Response nor the Assertion is signed"};
  }
  return Done{};
}

// Every signature there is, and as many as the rules want.
Result<Verified> verify(const Element& received, const SignatureRules& rules,
                        const xml::Limits& limits) {
  const xml::SignatureVerifier verifier(*rules.certificates, rules.algorithms);
  Verified out;
  if (xml::is_signed(received)) {
    SALLYPORT_TRY(verify_response(received, verifier, limits, out));
  } else {
    SALLYPORT_TRY(verify_assertion(received, verifier, limits, out));
  }
  SALLYPORT_TRY(check_required(out, rules.require));
  return out;
}

Result<Assertion> read_assertion(const Verified& verified) {
  const xml::SignedElement root = verified.octets->root();
  if (!verified.response_signed) return parse_assertion(root);
  const auto assertion = root.only_child(kNsSaml, "Assertion");
  if (!assertion) return no_assertion();
  return parse_assertion(*assertion);
}

}  // namespace

Result<VerifiedResponse> read_response(std::string_view document, const SignatureRules& rules,
                                       const xml::Limits& limits) {
  auto received = xml::Document::parse(document, limits);
  if (!received.ok()) return std::move(received).error();
  const Element root = received->root();
  auto header = read_header(root);
  if (!header.ok()) return std::move(header).error();
  SALLYPORT_TRY(check_one_assertion(root));
  SALLYPORT_TRY(xml::check_signature_positions(*received));

  auto verified = verify(root, rules, limits);
  if (!verified.ok()) return std::move(verified).error();
  if (verified->response_signed) {
    header = read_header(verified->octets->root().element());
    if (!header.ok()) return std::move(header).error();
    header->is_signed = true;
  }
  auto assertion = read_assertion(*verified);
  if (!assertion.ok()) return std::move(assertion).error();
  return VerifiedResponse{std::move(*header), std::move(*assertion)};
}

}  // namespace sallyport::saml
