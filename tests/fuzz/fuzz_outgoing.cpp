// What we send: requests and metadata of any settings are documents that the strict parser takes and that
// hold the very settings; a redirect's parameter is the document again.
#include <zlib.h>

#include <string>
#include <string_view>
#include <vector>

#include "../unit/test_identity.h"
#include "base/encoding.h"
#include "base/url.h"
#include "saml/authn_request.h"
#include "saml/sp_metadata.h"
#include "support/fuzz_input.h"
#include "support/fuzz_target.h"
#include "xml/document.h"
#include "xml/names.h"
#include "xml/signature.h"
#include "xml/signing.h"

namespace {

using namespace sallyport;
using xml::Element;

constexpr Millis kNow = 1795296660000;  // 2026-11-21T21:31:00Z
constexpr std::string_view kId = "_0123456789abcdef0123456789abcdef01234567";

// A setting as a configuration may hold it: any printable text, but not none.
std::string setting(fuzz::FuzzInput& input) {
  std::string text = input.text(80);
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7E) c = static_cast<char>(0x20 + byte % 0x5F);
  }
  return text.empty() ? "s" : text;
}

std::vector<std::string> settings(fuzz::FuzzInput& input) {
  std::vector<std::string> all;
  for (std::uint64_t count = input.number(0, 4); count > 0; --count) all.push_back(setting(input));
  return all;
}

xml::Document parsed(std::string_view text) {
  auto document = xml::Document::parse(text, xml::message_limits(1 << 20));
  if (!document.ok()) fuzz::broken(document.error().detail.c_str(), __FILE__, __LINE__);
  return std::move(*document);
}

std::string inflated(std::string_view bytes) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, -MAX_WBITS) == Z_OK);
  std::string out(1 << 18, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  REQUIRE(result == Z_STREAM_END);
  return out;
}

// The value of a query parameter behind the last '?' or a '&'.
std::string parameter(std::string_view url, std::string_view name) {
  const std::string wanted = "&" + std::string(name) + "=";
  const std::size_t at = url.rfind(wanted);
  const std::size_t begin = at == url.npos ? url.rfind("?" + wanted.substr(1)) : at;
  REQUIRE(begin != url.npos);
  const std::string_view rest = url.substr(begin + wanted.size());
  const auto value = form_decode(rest.substr(0, rest.find('&')));
  REQUIRE(value.has_value());
  return *value;
}

void check_request(const Element& root, const saml::AuthnRequestSettings& settings, bool forced) {
  REQUIRE(root.is(xml::kNsSamlp, "AuthnRequest") && root.attribute("ID") == kId);
  REQUIRE(root.attribute("Destination") == settings.destination);
  REQUIRE(root.attribute("AssertionConsumerServiceURL") == settings.acs_url);
  REQUIRE((root.attribute("ForceAuthn") == "true") == forced);
  const auto issuer = root.only_child(xml::kNsSaml, "Issuer");
  REQUIRE(issuer && issuer->text() == settings.sp_entity_id);
  const auto contexts = root.only_child(xml::kNsSamlp, "RequestedAuthnContext");
  REQUIRE(contexts.has_value() == !settings.authn_contexts.empty());
  if (!contexts) return;
  REQUIRE(contexts->count_children(xml::kNsSaml, "AuthnContextClassRef") ==
          settings.authn_contexts.size());
}

void send_request(fuzz::FuzzInput& input) {
  saml::AuthnRequestSettings settings_;
  settings_.sp_entity_id = setting(input);
  settings_.acs_url = setting(input);
  settings_.destination = "https://idp.example.org/sso" + std::string(input.flag() ? "?a=b" : "");
  settings_.name_id_format = setting(input);
  settings_.authn_contexts = settings(input);
  settings_.comparison = input.flag() ? saml::AuthnContextComparison::kMinimum
                                      : saml::AuthnContextComparison::kExact;
  settings_.force_authn = input.flag();
  const bool force = input.flag();
  const saml::AuthnRequestTemplate request(settings_);
  const std::string document = request.document(kId, kNow, force);
  check_request(parsed(document).root(), settings_, force || settings_.force_authn);

  const testing::Identity& identity = input.flag() ? testing::ec_identity() : testing::rsa_identity();
  const bool is_signed = input.flag();
  const std::string relay_state = input.flag() ? setting(input) : "";
  const auto url = request.redirect_url(kId, kNow, relay_state,
                                        is_signed ? &identity.key : nullptr, force);
  REQUIRE(url.ok() && parse_url(*url).has_value());
  const auto bytes = base64_decode(parameter(*url, "SAMLRequest"));
  REQUIRE(bytes && inflated(*bytes) == document);
  if (!relay_state.empty()) REQUIRE(parameter(*url, "RelayState") == relay_state);
  REQUIRE((url->find("&Signature=") != std::string::npos) == is_signed);

  const auto field = request.post_field(kId, kNow, is_signed ? &identity.key : nullptr,
                                        is_signed ? &identity.certificate : nullptr, force);
  REQUIRE(field.ok());
  const auto posted = parsed(base64_decode(*field).value_or(""));
  check_request(posted.root(), settings_, force || settings_.force_authn);
  if (!is_signed) return;
  const std::vector<xml::Certificate> certificates = {identity.certificate};
  REQUIRE(xml::SignatureVerifier(certificates, xml::AlgorithmSet::defaults())
              .verify(posted.root(), xml::message_limits(1 << 20))
              .ok());
}

void publish(fuzz::FuzzInput& input) {
  saml::SpMetadata sp;
  sp.entity_id = setting(input);
  sp.acs_urls = settings(input);
  sp.slo_urls = settings(input);
  sp.name_id_formats = settings(input);
  sp.requested_attributes = settings(input);
  sp.service_name = setting(input);
  if (input.flag()) sp.certificates = {&testing::ec_identity().certificate};
  if (input.flag()) sp.certificates.push_back(&testing::rsa_identity().certificate);
  sp.can_decrypt = input.flag();
  sp.authn_requests_signed = input.flag();
  const xml::Document document = parsed(saml::sp_metadata_document(sp, kId));
  REQUIRE(document.root().attribute("entityID") == sp.entity_id);
  const auto role = document.root().only_child(xml::kNsMetadata, "SPSSODescriptor");
  REQUIRE(role && role->count_children(xml::kNsMetadata, "AssertionConsumerService") ==
                      sp.acs_urls.size());
}

}  // namespace

FUZZ_TARGET(outgoing) {
  static const bool started = (xml::initialize_parser(), xml::initialize_signing().ok());
  REQUIRE(started);
  fuzz::FuzzInput choices(input);
  choices.flag() ? send_request(choices) : publish(choices);
}
