#include "saml/claimed_issuer.h"

#include "saml/structure.h"
#include "xml/names.h"

namespace sallyport::saml {

namespace {

// It is the first child of both.
std::optional<xml::Element> issuer_of(const xml::Element& parent) {
  return ChildCursor(parent).take(xml::kNsSaml, "Issuer");
}

std::optional<xml::Element> find_issuer(const xml::Element& response) {
  if (auto issuer = issuer_of(response)) return issuer;
  for (const xml::Element& child : response.children()) {
    if (child.is(xml::kNsSaml, "Assertion")) return issuer_of(child);
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<std::string>> claimed_issuer(std::string_view document, const xml::Limits& limits) {
  const auto parsed = xml::Document::parse(document, limits);
  if (!parsed) return Error(parsed.error());
  const xml::Element response = parsed->root();
  if (!response.is(xml::kNsSamlp, "Response")) {
    return structure_error("expected a Response, received " + std::string(response.local_name()));
  }
  const auto element = find_issuer(response);
  if (!element) return std::optional<std::string>();
  auto issuer = read_issuer(*element);
  if (!issuer) return std::move(issuer).error();
  return std::optional<std::string>(std::move(issuer).value());
}

}  // namespace sallyport::saml
