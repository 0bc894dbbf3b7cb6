#include "saml/idp_metadata.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/url.h"
#include "saml/metadata_entities.h"
#include "saml/names.h"
#include "xml/document.h"
#include "xml/names.h"

namespace sallyport::saml {

namespace {

// The verifier tries so many keys of one kind: a further one might never be asked.
constexpr std::size_t kMaxSigningKeys = 8;

bool is_true(std::optional<std::string_view> boolean) {
  return boolean && (*boolean == "true" || *boolean == "1");
}

// A certificate that is usable and new goes to `out`; why another is not, to `problem`.
void add_certificate(const xml::Element& element, std::vector<xml::Certificate>& out,
                     std::string& problem) {
  const auto text = element.text();
  if (!text) {
    problem = "an X509Certificate holds elements instead of base64";
    return;
  }
  auto certificate = xml::Certificate::from_base64(*text);
  if (!certificate.ok()) {
    problem = certificate.error().detail;
    return;
  }
  const auto known = std::find_if(out.begin(), out.end(), [&](const xml::Certificate& other) {
    return other.base64() == certificate->base64();
  });
  if (known == out.end()) out.push_back(std::move(*certificate));
}

void add_certificates(const xml::Element& key_info, std::vector<xml::Certificate>& out,
                      std::string& problem) {
  bool found = false;
  for (const xml::Element& data : key_info.children()) {
    if (!data.is(xml::kNsDsig, "X509Data")) continue;
    for (const xml::Element& certificate : data.children()) {
      if (!certificate.is(xml::kNsDsig, "X509Certificate")) continue;
      found = true;
      add_certificate(certificate, out, problem);
    }
  }
  if (!found) {
    problem = key_info.count_children(xml::kNsDsig, "KeyValue") > 0
                  ? "a signing key comes as a bare KeyValue; only keys in X509Certificate are read"
                  : "a signing KeyDescriptor holds no X509Certificate";
  }
}

Result<std::vector<xml::Certificate>> signing_keys(const xml::Element& role) {
  std::vector<xml::Certificate> out;
  std::string problem = "no KeyDescriptor for signing";
  for (const xml::Element& descriptor : role.children()) {
    if (!descriptor.is(xml::kNsMetadata, "KeyDescriptor")) continue;
    if (descriptor.attribute("use").value_or("signing") != "signing") continue;
    const auto key_info = descriptor.only_child(xml::kNsDsig, "KeyInfo");
    if (!key_info) {
      problem = "a signing KeyDescriptor without KeyInfo";
      continue;
    }
    add_certificates(*key_info, out, problem);
    if (out.size() > kMaxSigningKeys) {
      return Error{Reason::kConfigInvalid, "over " + std::to_string(kMaxSigningKeys) +
                                               " signing certificates: remove the retired ones"};
    }
  }
  if (!out.empty()) return out;
  return Error{Reason::kConfigInvalid,
               "no usable signing certificate (" + problem +
                   "): answers could not be checked; get metadata with the certificate that the "
                   "IdP signs with"};
}

std::optional<Binding> binding_by_uri(std::string_view uri) {
  if (uri == kBindingRedirect) return Binding::kRedirect;
  if (uri == kBindingPost) return Binding::kPost;
  return std::nullopt;
}

// The endpoints of one service with a binding that we speak; `problem` says what was passed over.
std::vector<Endpoint> endpoints(const xml::Element& role, std::string_view service,
                                std::string& problem) {
  std::vector<Endpoint> out;
  for (const xml::Element& element : role.children()) {
    if (!element.is(xml::kNsMetadata, service)) continue;
    const std::string_view uri = trim_blanks(element.attribute("Binding").value_or(""));
    const std::string_view location = trim_blanks(element.attribute("Location").value_or(""));
    const auto binding = binding_by_uri(uri);
    if (!binding) {
      problem = "Binding <" + std::string(uri) + "> is not spoken";
    } else if (!parse_url(location)) {
      problem = "Location <" + std::string(location) + "> is not an http or https URL";
    } else {
      out.push_back({*binding, std::string(location)});
    }
  }
  return out;
}

Result<IdpMetadata> read_role(const MetadataEntity& entity, const xml::Element& role) {
  IdpMetadata idp;
  idp.entity_id = entity.entity_id;
  idp.valid_until = entity.valid_until;
  idp.cache_duration = entity.cache_duration;

  std::string problem = "none is listed";
  idp.single_sign_on = endpoints(role, "SingleSignOnService", problem);
  if (idp.single_sign_on.empty()) {
    return Error{Reason::kConfigInvalid,
                 "no SingleSignOnService with the HTTP-Redirect or HTTP-POST binding (" + problem +
                     "): turn one of them on at the IdP"};
  }
  std::string ignored;
  idp.single_logout = endpoints(role, "SingleLogoutService", ignored);

  auto keys = signing_keys(role);
  if (!keys.ok()) return std::move(keys).error();
  idp.signing = std::move(*keys);
  idp.want_authn_requests_signed = is_true(role.attribute("WantAuthnRequestsSigned"));
  return idp;
}

}  // namespace

Error unreadable_metadata(const Error& error) {
  if (error.reason == Reason::kTooLarge) {
    return {Reason::kConfigInvalid, "the metadata is too large (" + error.detail +
                                        "): raise saml_max_metadata_size, or take the metadata of "
                                        "one entity instead of a federation's"};
  }
  return {Reason::kConfigInvalid, "the metadata cannot be read (" +
                                      std::string(reason_word(error.reason)) + ": " + error.detail +
                                      "): fetch it again from the IdP, as an XML file"};
}

Result<IdpMetadata> parse_idp_metadata(std::string_view document, std::string_view entity_id,
                                       Millis now, std::size_t max_bytes) {
  auto parsed = xml::Document::parse(document, xml::metadata_limits(max_bytes));
  if (!parsed.ok()) return unreadable_metadata(parsed.error());
  return read_idp_metadata(parsed->root(), entity_id, now);
}

Result<IdpMetadata> read_idp_metadata(const xml::Element& root, std::string_view entity_id, Millis now) {
  auto entity = choose_idp_entity(root, entity_id);
  if (!entity.ok()) return std::move(entity).error();
  auto role = choose_idp_role(*entity);
  if (!role.ok()) return in_entity(entity->entity_id, role.error());
  if (entity->valid_until && *entity->valid_until <= now) {
    return in_entity(entity->entity_id,
                     {Reason::kConfigInvalid, "the metadata expired on " +
                                                  format_instant(*entity->valid_until) +
                                                  " (validUntil): fetch it again from the IdP"});
  }
  auto idp = read_role(*entity, *role);
  if (!idp.ok()) return in_entity(entity->entity_id, idp.error());
  return idp;
}

}  // namespace sallyport::saml
