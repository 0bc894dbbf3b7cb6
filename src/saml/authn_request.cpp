#include "saml/authn_request.h"

#include <array>

#include "base/encoding.h"
#include "base/url.h"
#include "saml/names.h"
#include "xml/names.h"
#include "xml/signing.h"

namespace sallyport::saml {

namespace {

constexpr std::string_view kRequestParameter = "SAMLRequest=";
constexpr std::string_view kBetweenIdAndInstant = "\" IssueInstant=\"";

void append_attribute(std::string& out, std::string_view name, std::string_view value) {
  out += ' ';
  out += name;
  out += "=\"";
  out += xml_escape(value);
  out += '"';
}

// The root element up to the value of ID, its last attribute but one.
std::string open_root(const AuthnRequestSettings& settings, bool force_authn) {
  std::string out = "<samlp:AuthnRequest";
  append_attribute(out, "xmlns:samlp", xml::kNsSamlp);
  append_attribute(out, "xmlns:saml", xml::kNsSaml);
  append_attribute(out, "Version", "2.0");
  append_attribute(out, "Destination", settings.destination);
  append_attribute(out, "AssertionConsumerServiceURL", settings.acs_url);
  append_attribute(out, "ProtocolBinding", kBindingPost);
  if (force_authn) append_attribute(out, "ForceAuthn", "true");
  out += " ID=\"";
  return out;
}

// AllowCreate has no place beside a transient format (Core 3.4.1.1 with erratum 14).
void append_name_id_policy(std::string& out, const std::string& format) {
  out += "<samlp:NameIDPolicy";
  if (!format.empty() && format != kFormatUnspecified) append_attribute(out, "Format", format);
  if (format != kFormatTransient) append_attribute(out, "AllowCreate", "true");
  out += "/>";
}

void append_requested_contexts(std::string& out, const AuthnRequestSettings& settings) {
  if (settings.authn_contexts.empty()) return;
  out += "<samlp:RequestedAuthnContext";
  append_attribute(out, "Comparison", comparison_word(settings.comparison));
  out += '>';
  for (const std::string& context : settings.authn_contexts) {
    out += "<saml:AuthnContextClassRef>";
    out += xml_escape(context);
    out += "</saml:AuthnContextClassRef>";
  }
  out += "</samlp:RequestedAuthnContext>";
}

// What stands behind the value of IssueInstant.
std::string close_root(const AuthnRequestSettings& settings) {
  std::string out = "\"><saml:Issuer>";
  out += xml_escape(settings.sp_entity_id);
  out += "</saml:Issuer>";
  append_name_id_policy(out, settings.name_id_format);
  append_requested_contexts(out, settings);
  out += "</samlp:AuthnRequest>";
  return out;
}

Error internal(std::string detail) { return {Reason::kInternal, std::move(detail)}; }

// Appends SigAlg and Signature behind the query that begins at `query_start` (Bindings 3.4.4.1).
Status append_query_signature(std::string& url, std::size_t query_start,
                              const xml::PrivateKey& key) {
  const xml::SignatureAlgorithm algorithm = key.default_algorithm();
  url += "&SigAlg=";
  url_append(url, xml::uri_of(algorithm));
  auto value = key.sign(std::string_view(url).substr(query_start), algorithm);
  if (!value.ok()) return std::move(value).error();
  url += "&Signature=";
  append_query_base64(url, *value);
  return Done{};
}

}  // namespace

std::optional<std::string> make_request_id(Random& random) {
  std::array<char, 20> bytes;
  if (!random.fill(bytes.data(), bytes.size())) return std::nullopt;
  std::string id;
  id.reserve(1 + 2 * bytes.size());
  id += '_';
  hex_append(id, {bytes.data(), bytes.size()});
  return id;
}

AuthnRequestTemplate::AuthnRequestTemplate(const AuthnRequestSettings& settings)
    : settings_(settings), query_prefix_(settings.destination) {
  const auto make = [&settings](bool force_authn) {
    std::string before = open_root(settings, force_authn);
    std::string after = close_root(settings);
    SplicedDeflate deflated(before, after);
    return Variant{std::move(before), std::move(after), std::move(deflated)};
  };
  plain_ = make(settings.force_authn);
  forced_ = make(true);
  append_query(query_prefix_, kRequestParameter.substr(0, kRequestParameter.size() - 1), "");
}

const AuthnRequestTemplate::Variant& AuthnRequestTemplate::variant(bool force_authn) const {
  return force_authn ? forced_ : plain_;
}

std::string AuthnRequestTemplate::document(std::string_view id, Millis issue_instant,
                                           bool force_authn) const {
  const Variant& parts = variant(force_authn);
  std::string out = parts.before;
  out += id;
  out += kBetweenIdAndInstant;
  out += format_instant(issue_instant);
  out += parts.after;
  return out;
}

Result<std::string> AuthnRequestTemplate::redirect_url(std::string_view id, Millis issue_instant,
                                                       std::string_view relay_state,
                                                       const xml::PrivateKey* key,
                                                       bool force_authn) const {
  const SplicedDeflate& deflated = variant(force_authn).deflated;
  constexpr std::string_view kRelayState = "&RelayState=";
  constexpr std::size_t kSignatureRoom = 1536;
  const std::string instant = format_instant(issue_instant);
  const std::size_t middle = id.size() + kBetweenIdAndInstant.size() + instant.size();
  std::string url;
  url.reserve(query_prefix_.size() + deflated.encoded_size(middle) + kRelayState.size() +
              3 * relay_state.size() + (key != nullptr ? kSignatureRoom : 0));
  url += query_prefix_;
  if (!deflated.append(url, {id, kBetweenIdAndInstant, instant})) {
    return internal("a request ID of " + std::to_string(id.size()) + " bytes");
  }
  if (!relay_state.empty()) {
    url += kRelayState;
    url_append(url, relay_state);
  }
  if (key != nullptr) {
    const std::size_t query_start = query_prefix_.size() - kRequestParameter.size();
    SALLYPORT_TRY(append_query_signature(url, query_start, *key));
  }
  return url;
}

Result<std::string> AuthnRequestTemplate::post_field(std::string_view id, Millis issue_instant,
                                                     const xml::PrivateKey* key,
                                                     const xml::Certificate* certificate,
                                                     bool force_authn) const {
  std::string message = document(id, issue_instant, force_authn);
  if (key == nullptr) return base64_encode(message);
  if (certificate == nullptr) return internal("a signing key without its certificate");
  auto signed_message = xml::sign_enveloped(message, *key, *certificate);
  if (!signed_message.ok()) return std::move(signed_message).error();
  return base64_encode(*signed_message);
}

}  // namespace sallyport::saml
