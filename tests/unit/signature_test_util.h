// What the tests of signatures share.
#pragma once

#include <string>
#include <vector>

#include "xml/names.h"
#include "xml/signature.h"
#include "xml_test_util.h"

namespace sallyport::test {

// Verifies the element with `id` (the root, or its Assertion) of a document.
inline Result<xml::SignedDocument> verify(
    const std::string& text, const std::string& id, EVP_PKEY* key,
    xml::AlgorithmSet allowed = xml::AlgorithmSet::defaults()) {
  auto document = xml::Document::parse(text, xml::Limits());
  if (!document.ok()) return std::move(document).error();
  const std::vector<xml::Certificate> certificates = {certificate_of(key)};
  xml::Element element = document->root();
  if (element.attribute("ID") != id) {
    const auto child = element.only_child(xml::kNsSaml, "Assertion");
    if (!child) return Error{Reason::kStructureInvalid, "no such element"};
    element = *child;
  }
  return xml::SignatureVerifier(certificates, allowed).verify(element, xml::Limits());
}

inline std::string reason_of(const Result<xml::SignedDocument>& result) {
  return result.ok() ? "accepted" : std::string(reason_word(result.error().reason));
}

inline std::string detail_of(const Result<xml::SignedDocument>& result) {
  return result.ok() ? "" : result.error().detail;
}

}  // namespace sallyport::test
