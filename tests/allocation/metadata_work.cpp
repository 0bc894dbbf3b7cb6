#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "login_fixture.h"
#include "login_work.h"
#include "saml/aggregate_index.h"
#include "saml/idp_metadata.h"
#include "saml/metadata_update.h"
#include "saml/sp_metadata.h"
#include "xml/document.h"
#include "xml/signature.h"

namespace sallyport::testing {
namespace {

using login_test::sign_by;
using test::replaced;

constexpr std::size_t kMaxBytes = 1024 * 1024;
constexpr char kEntityId[] = "https://idp.example.org";

std::string key_descriptor(const Identity& identity, const char* use) {
  return std::string("<md:KeyDescriptor") + use + "><ds:KeyInfo><ds:X509Data><ds:X509Certificate>" +
         identity.certificate.base64() + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>";
}

// Reading a certificate is most of the work: of documents that differ in other things one has two.
std::string idp_metadata_text(const std::string& keys = key_descriptor(rsa_identity(), "")) {
  return R"(<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" )"
         R"(xmlns:ds="http://www.w3.org/2000/09/xmldsig#" ID="_m" entityID="https://idp.example.org">)"
         R"(<!-- by hand --><md:IDPSSODescriptor WantAuthnRequestsSigned="true" )"
         R"(protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">)" +
         keys +
         R"(<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" )"
         R"(Location="https://idp.example.org/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>)";
}

// Three entities in two groups; names that need the parser's help.
std::string aggregate_text() {
  const std::string one = idp_metadata_text();
  const std::string other = replaced(one, "https://idp.example.org", "https://other.example.org/?a=1&amp;b=2");
  return R"(<?xml version="1.0"?><md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_all">)" +
         replaced(other, "ID=\"_m\"", "ID=\"_n\"") + "<md:EntitiesDescriptor cacheDuration=\"PT1H\">" + one +
         "</md:EntitiesDescriptor></md:EntitiesDescriptor>";
}

std::string describe(const Result<saml::IdpMetadata>& metadata) {
  if (!metadata.ok()) return refused(metadata.error());
  std::string all = "accepted " + metadata->entity_id;
  for (const auto& endpoint : metadata->single_sign_on) all += ' ' + endpoint.location;
  // A key that cannot be read, be it for want of memory, is passed over beside one that can.
  for (const auto& certificate : metadata->signing) {
    const std::string& base64 = certificate.base64();
    const bool known = base64 == rsa_identity().certificate.base64() || base64 == ec_identity().certificate.base64();
    if (!known) all += " another key";
  }
  return all + (metadata->want_authn_requests_signed ? " signed" : "");
}

std::string read_metadata(const std::string& text) {
  return describe(saml::parse_idp_metadata(text, "", login_test::kNow, kMaxBytes));
}

std::string without_keys_for_signatures(const std::string& text) {
  return replaced(replaced(text, "use=\"signing\"", "use=\"encryption\""), "<md:KeyDescriptor>",
                  "<md:KeyDescriptor use=\"encryption\">");
}

// ---- signed ----

// Whoever signs here takes no comments.
std::string signed_text(std::string text) {
  constexpr std::string_view kComment = "<!-- by hand -->";
  for (std::size_t at; (at = text.find(kComment)) != text.npos;) text.erase(at, kComment.size());
  return sign_by(text, rsa_identity());
}

Work signed_work(std::string name, const std::string& text, const Identity& signer) {
  const auto signers = std::make_shared<std::vector<xml::Certificate>>();
  signers->push_back(signer.certificate);
  return {"metadata: " + std::move(name), [text, signers] {
            saml::MetadataExpectation expected;
            expected.signers = signers.get();
            expected.entity_id = kEntityId;
            expected.now = login_test::kNow;
            expected.max_bytes = kMaxBytes;
            return describe(saml::check_metadata(text, expected));
          }};
}

std::string verified_octets(const std::string& text, const std::vector<xml::Certificate>& signers) {
  const auto document = xml::Document::parse(text, xml::aggregate_limits(text.size()));
  if (!document.ok()) return refused(document.error());
  const auto octets = xml::SignatureVerifier(signers, xml::AlgorithmSet::defaults()).verify_octets(document->root());
  return octets.ok() ? "accepted " + *octets : refused(octets.error());
}

void add_signed(std::vector<Work>& all) {
  const std::string one = signed_text(idp_metadata_text());
  const std::string many = signed_text(aggregate_text());
  all.push_back(signed_work("signed", one, rsa_identity()));
  all.push_back(signed_work("signed by another", one, other_rsa_identity()));
  all.push_back(signed_work("signed, changed", replaced(one, "/sso", "/evil"), rsa_identity()));
  all.push_back(signed_work("not signed", idp_metadata_text(), rsa_identity()));
  const auto signers = std::make_shared<std::vector<xml::Certificate>>();
  signers->push_back(rsa_identity().certificate);
  all.push_back({"metadata: octets of a signed federation", [many, signers] { return verified_octets(many, *signers); }});
}

// ---- one of many, without a tree of all ----

std::string read_one_of(const std::string& text, const std::string& name) {
  const saml::ReadAt read = [&text](std::uint64_t offset, std::size_t size) -> Result<std::string> {
    return offset >= text.size() ? std::string() : text.substr(static_cast<std::size_t>(offset), size);
  };
  const auto index = saml::AggregateIndex::build(read);
  if (!index.ok()) return refused(index.error());
  const auto document = index->document_of(name, read);
  return document.ok() ? "accepted " + *document : refused(document.error());
}

void add_aggregates(std::vector<Work>& all) {
  const std::string text = aggregate_text();
  all.push_back({"metadata: one of a federation", [text] { return read_one_of(text, kEntityId); }});
  all.push_back({"metadata: one of a federation, by a name with references",
                 [text] { return read_one_of(text, "https://other.example.org/?a=1&b=2"); }});
  all.push_back({"metadata: nobody of a federation", [text] { return read_one_of(text, "https://nobody.example.org"); }});
  all.push_back({"metadata: half a federation",
                 [half = text.substr(0, text.size() / 2)] { return read_one_of(half, kEntityId); }});
}

}  // namespace

std::vector<Work> metadata_work() {
  std::vector<Work> all;
  const std::string text =
      idp_metadata_text(key_descriptor(rsa_identity(), " use=\"signing\"") + key_descriptor(ec_identity(), ""));
  all.push_back({"metadata: read", [text] { return read_metadata(text); }});
  all.push_back({"metadata: no key for signatures", [none = without_keys_for_signatures(text)] { return read_metadata(none); }});
  add_signed(all);
  add_aggregates(all);
  all.push_back({"metadata: ours", [] {
                   saml::SpMetadata sp;
                   sp.entity_id = std::string(login_test::kSpEntityId);
                   sp.acs_urls = {std::string(login_test::kAcsUrl)};
                   sp.certificates = {&rsa_identity().certificate};
                   return "accepted " + saml::sp_metadata_document(sp, "_metadata");
                 }});
  return all;
}

}  // namespace sallyport::testing
