// Received XML up to verified octets: the gates, the tree, canonicalization and the verifier with a
// fixed key. What the gates pass can be canonicalized, canonical form is its own canonical form and is read as
// libxml2 reads it, and what is accepted xmlsec1 accepts too.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "../unit/xml_test_util.h"
#include "support/fuzz_target.h"
#include "support/same_tree.h"
#include "xml/canonical.h"
#include "xml/canonical_tree.h"
#include "xml/document.h"
#include "xml/signature.h"

namespace {

using namespace sallyport;
using namespace sallyport::fuzz;
using namespace sallyport::xml;

// The seeds in corpus/signature are signed with its key.
constexpr char kCertificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBgTCCASegAwIBAgIUFYvcDz5dl8pTTCE/H+/pP26VssgwCgYIKoZIzj0EAwIw\n"
    "FjEUMBIGA1UEAwwLaWRwLmV4YW1wbGUwHhcNMjYxMTIxMjIzNTA1WhcNNDYxMTE2\n"
    "MjIzNTA1WjAWMRQwEgYDVQQDDAtpZHAuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqG\n"
    "SM49AwEHA0IABH4hxX4n6rgoWhSC1Ya/zeCElMw6NNUXHOKLTK8FvtAXrAknarG+\n"
    "R59LuuRTc+m6cAOoXdDscT8VAsm2X6cf3XGjUzBRMB0GA1UdDgQWBBQYdupHl8o7\n"
    "NjfJ1VcuTHiK+Qps2jAfBgNVHSMEGDAWgBQYdupHl8o7NjfJ1VcuTHiK+Qps2jAP\n"
    "BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIEixSZiazKvfAoq2L8n+\n"
    "n05to05FbBjtmFvRB6cQ0OeeAiEA4CcuoXGN06JaEgZByUES/l2q/F82XQqyrMPm\n"
    "RjuOn5c=\n"
    "-----END CERTIFICATE-----\n";

const std::vector<Certificate>& certificates() {
  static const std::vector<Certificate> all = [] {
    auto certificate = Certificate::from_pem(kCertificate);
    REQUIRE(certificate.ok());
    return std::vector<Certificate>{std::move(certificate).value()};
  }();
  return all;
}

// Reads every byte, so that a sanitizer sees what is not there.
std::size_t touch(std::string_view text) {
  std::size_t sum = text.size();
  for (const char c : text) sum += static_cast<unsigned char>(c);
  return sum;
}

std::size_t touch(const Element& element) {
  std::size_t sum = touch(element.local_name()) + touch(element.namespace_uri());
  sum += touch(element.attribute("ID").value_or("")) + touch(element.text().value_or(""));
  sum += element.has_stray_text() ? 1 : 0;
  for (const Element child : element.children()) sum += touch(child);
  return sum;
}

// Such octets are refused: libxml2 up to 2.9 reads them in its own way, and later versions write them without the reference.
bool may_have_reference_in_namespace(std::string_view octets) {
  for (auto at = octets.find("xmlns"); at != octets.npos; at = octets.find("xmlns", at + 1)) {
    const auto begin = octets.find('"', at);
    if (begin == octets.npos) return false;
    const std::string_view name = octets.substr(begin + 1);
    if (name.substr(0, name.find('"')).find('&') != name.npos) return true;
  }
  return false;
}

const std::vector<std::string> kPrefixes = {"#default", "saml", "xs"};

void check_canonical(const Element& element, Limits limits) {
  const std::string octets = canonicalize(element, nullptr, kPrefixes);
  REQUIRE(!octets.empty());
  limits.bytes = octets.size();
  limits.namespaces_per_element += 64;
  const auto parsed = Document::parse(octets, limits);
  if (!parsed.ok()) {
    REQUIRE(parsed.error().reason == Reason::kXmlLimits || may_have_reference_in_namespace(octets));
    return;
  }
  REQUIRE(canonicalize(parsed->root(), nullptr, kPrefixes) == octets);
  const auto tree = CanonicalTree::read(octets, limits);
  if (!tree.ok()) {
    REQUIRE(tree.error().reason == Reason::kXmlLimits || may_have_reference_in_namespace(octets));
    return;
  }
  REQUIRE(is_same_tree(tree->root().node(), parsed->root().node()));
  REQUIRE(canonicalize(tree->root(), nullptr, kPrefixes) == octets);
}

// Octets of anybody: what is taken is XML, and says the same to libxml2 where its gates let it through.
void check_octets(std::string_view input, const Limits& limits) {
  const auto tree = CanonicalTree::read(std::string(input), limits);
  if (!tree.ok()) return;
  const auto parsed = Document::parse(input, limits);
  if (parsed.ok()) REQUIRE(is_same_tree(tree->root().node(), parsed->root().node()));
}

std::size_t check_signature(const Element& element, std::string_view text, const Limits& limits) {
  const auto verified =
      SignatureVerifier(certificates(), AlgorithmSet::defaults()).verify(element, limits);
  if (!verified.ok()) return touch(verified.error().detail);
  const std::string id(element.attribute("ID").value_or(""));
  REQUIRE(!id.empty() && !is_signed(verified->root().element()));
  REQUIRE(test::xmlsec_accepts(text, id, certificates().front().key().raw()));
  return touch(verified->octets()) + touch(verified->root().element());
}

}  // namespace

FUZZ_TARGET(signature) {
  static const bool started = (initialize_parser(), initialize_signing().ok());
  REQUIRE(started);
  static volatile std::size_t sink;
  sink = sink + (Document::parse(input, metadata_limits(1 << 20)).ok() ? 1 : 0);
  const Limits limits = message_limits(1 << 16);
  check_octets(input, limits);
  const auto document = Document::parse(input, limits);
  if (!document.ok()) {
    sink = sink + touch(document.error().detail);
    return;
  }
  const std::size_t before = touch(document->root());
  sink = sink + (check_signature_positions(*document).ok() ? 1 : 0);
  check_canonical(document->root(), limits);
  sink = sink + check_signature(document->root(), input, limits);
  for (const Element child : document->root().children()) {
    check_canonical(child, limits);
    sink = sink + check_signature(child, input, limits);
  }
  REQUIRE(touch(document->root()) == before);
}
