// Metadata of any kind. As a file that was not looked at before: what the scan for one entity finds is what the tree of the
// whole says, and it holds for what no parser takes too. What is taken names one IdP with a key and a place to send users to,
// and asking for it by name finds the same. Signed by a key that is trusted here, it is what xmlsec1 verifies.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "../unit/test_identity.h"
#include "base/encoding.h"
#include "base/url.h"
#include "saml/aggregate_index.h"
#include "saml/idp_metadata.h"
#include "saml/metadata_update.h"
#include "support/fuzz_target.h"
#include "support/resign.h"
#include "support/xml_edits.h"
#include "xml/document.h"
#include "xml/signature.h"
#include "xml/signing.h"

namespace {

using namespace sallyport;

constexpr std::size_t kMaxBytes = 1024 * 1024;
constexpr Millis kNow = 1795296660000;  // 2026-11-21T21:31:00Z

void check(const saml::IdpMetadata& idp) {
  REQUIRE(!trim_blanks(idp.entity_id).empty());
  REQUIRE(!idp.signing.empty());
  REQUIRE(!idp.single_sign_on.empty());
  REQUIRE(!idp.valid_until || *idp.valid_until > kNow);
  for (const saml::Endpoint& endpoint : idp.single_sign_on) {
    REQUIRE(parse_url(endpoint.location).has_value());
  }
  for (const saml::Endpoint& endpoint : idp.single_logout) {
    REQUIRE(parse_url(endpoint.location).has_value());
  }
  for (const xml::Certificate& certificate : idp.signing) {
    const auto again = xml::Certificate::from_base64(certificate.base64());
    REQUIRE(again.ok() && again->fingerprint() == certificate.fingerprint());
    REQUIRE(certificate.key().is_rsa() ? certificate.key().bits() >= 2048
                                       : certificate.key().is_ec());
  }
}

void require_same(const saml::IdpMetadata& one, const saml::IdpMetadata& other) {
  REQUIRE(one.entity_id == other.entity_id && one.valid_until == other.valid_until);
  REQUIRE(one.cache_duration == other.cache_duration && one.signing.size() == other.signing.size());
  REQUIRE(one.want_authn_requests_signed == other.want_authn_requests_signed);
  REQUIRE(one.single_sign_on.size() == other.single_sign_on.size());
  for (std::size_t i = 0; i < one.signing.size(); ++i) REQUIRE(one.signing[i].base64() == other.signing[i].base64());
  for (std::size_t i = 0; i < one.single_sign_on.size(); ++i) {
    REQUIRE(one.single_sign_on[i].location == other.single_sign_on[i].location);
    REQUIRE(one.single_sign_on[i].binding == other.single_sign_on[i].binding);
  }
}

// ---- one entity out of a file ----

saml::ReadAt reader_of(std::string_view document) {
  return [document](std::uint64_t offset, std::size_t size) -> Result<std::string> {
    return std::string(offset < document.size() ? document.substr(static_cast<std::size_t>(offset), size) : "");
  };
}

bool says(const Error& error, std::string_view words) { return error.detail.find(words) != std::string::npos; }

// What stands as an entityID anywhere, be it in a comment, and a name that inputs often hold.
std::vector<std::string> names_in(std::string_view document) {
  constexpr std::string_view kMark = "entityID=";
  constexpr std::size_t kMost = 8;
  std::vector<std::string> names = {"https://idp.example.com/metadata"};
  for (std::size_t at = 0; (at = document.find(kMark, at)) != document.npos && names.size() < kMost;) {
    at += kMark.size();
    if (at >= document.size()) break;
    const std::size_t end = document.find(document[at], at + 1);
    if (end == document.npos) continue;
    const std::string name(document.substr(at + 1, end - at - 1));
    const bool is_new = std::find(names.begin(), names.end(), name) == names.end();
    if (!name.empty() && is_new) names.push_back(name);  // empty asks for the only one
  }
  return names;
}

// The tree of the whole is not there, or says no for the sake of another part of it.
void check_refused_by_tree(std::string_view document, const Error& error) {
  const auto whole = xml::Document::parse(document, xml::metadata_limits(kMaxBytes));
  REQUIRE(!whole.ok() || says(error, "is not a UTC time"));
}

void check_one(std::string_view document, const Result<saml::AggregateIndex>& index, const std::string& name) {
  const auto by_tree = saml::parse_idp_metadata(document, name, kNow, kMaxBytes);
  if (by_tree.ok()) {
    REQUIRE(by_tree->entity_id == name);
    check(*by_tree);
  }
  if (!index.ok()) {
    // The only thing that it is stricter with.
    REQUIRE(!by_tree.ok() || says(index.error(), "a tag of over 64 KB") || says(index.error(), "too many EntitiesDescriptors"));
    return;
  }
  const auto alone = index->document_of(name, reader_of(document));
  const auto by_scan = alone.ok() ? saml::parse_idp_metadata(*alone, name, kNow, alone->size()) : alone.error();
  if (!by_scan.ok()) {
    REQUIRE(by_scan.error().reason == Reason::kConfigInvalid && !by_scan.error().detail.empty());
    REQUIRE(!by_tree.ok());
    return;
  }
  REQUIRE(by_scan->entity_id == name);
  check(*by_scan);
  by_tree.ok() ? require_same(*by_scan, *by_tree) : check_refused_by_tree(document, by_tree.error());
}

void check_file(std::string_view document) {
  const auto index = saml::AggregateIndex::build(reader_of(document));
  if (!index.ok()) REQUIRE(index.error().reason == Reason::kConfigInvalid && !index.error().detail.empty());
  for (const std::string& name : names_in(document)) check_one(document, index, name);
  const auto only = saml::parse_idp_metadata(document, "", kNow, kMaxBytes);
  if (only.ok()) {
    check(*only);
    check_one(document, index, only->entity_id);
  } else {
    REQUIRE(only.error().reason == Reason::kConfigInvalid && !only.error().detail.empty());
  }
}

// ---- signed ----

struct Signers {
  EVP_PKEY* ec = test::ec_key();
  EVP_PKEY* rsa = test::rsa_key();
  std::vector<xml::Certificate> certificates = {test::certificate_of(ec), test::certificate_of(rsa)};
};

const Signers& signers() {
  static const Signers all;
  return all;
}

Result<saml::IdpMetadata> check_signed(std::string_view document, std::string_view name, const saml::IdpMetadata* current) {
  saml::MetadataExpectation expected;
  expected.signers = &signers().certificates;
  expected.entity_id = name;
  expected.current = current;
  expected.now = kNow;
  expected.max_bytes = kMaxBytes;
  return saml::check_metadata(document, expected);
}

// As the module reads what is too large for a tree: the octets, and one entity of them.
void check_octets(std::string_view document, const saml::IdpMetadata& idp) {
  const auto received = xml::Document::parse(document, xml::aggregate_limits(document.size()));
  REQUIRE(received.ok());
  const std::string id(received->root().attribute("ID").value_or(""));
  REQUIRE(test::xmlsec_accepts(document, id, signers().ec) || test::xmlsec_accepts(document, id, signers().rsa));
  const xml::SignatureVerifier verifier(signers().certificates, xml::AlgorithmSet::defaults());
  const auto octets = verifier.verify_octets(received->root());
  REQUIRE(octets.ok());
  const auto again = saml::parse_idp_metadata(*octets, idp.entity_id, kNow, octets->size());
  REQUIRE(again.ok());
  require_same(*again, idp);
  check_one(*octets, saml::AggregateIndex::build(reader_of(*octets)), idp.entity_id);
}

void check_with_signature(std::string_view document) {
  for (const std::string& name : names_in(document)) {
    const auto idp = check_signed(document, name, nullptr);
    if (!idp.ok()) continue;
    REQUIRE(idp->entity_id == name);
    check(*idp);
    check_octets(document, *idp);
    // The same again changes nothing; what is valid for longer stays.
    saml::IdpMetadata current = *idp;
    REQUIRE(check_signed(document, name, &current).ok());
    current.valid_until = idp->valid_until.value_or(kNow) + 1;
    REQUIRE(!check_signed(document, name, &current).ok());
  }
}

[[maybe_unused]] std::string mutate(std::string_view document, unsigned seed) {
  fuzz::Dice dice(seed);
  return fuzz::edited(document, dice.pick(fuzz::kAllEdits), {}, dice);
}

}  // namespace

FUZZ_MUTATOR(mutate);

FUZZ_TARGET(metadata) {
  static const bool started = (xml::initialize_parser(), xml::initialize_signing().ok());
  REQUIRE(started);
  check_file(input);
  check_with_signature(input);
  check_with_signature(fuzz::resigned(input, signers().ec, signers().rsa));
}
