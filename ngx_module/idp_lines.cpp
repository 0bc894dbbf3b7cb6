// The lines of a `saml_idp` block.
#include "idp_block.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/url.h"
#include "conf_file.h"
#include "conf_value.h"
#include "saml/names.h"

namespace sallyport::ngx {

namespace {

constexpr Word<saml::RequireSigned> kRequireSigned[] = {
    {"any", saml::RequireSigned::kAny},
    {"response", saml::RequireSigned::kResponse},
    {"assertion", saml::RequireSigned::kAssertion},
    {"both", saml::RequireSigned::kBoth}};
constexpr Word<saml::Binding> kBindings[] = {{"redirect", saml::Binding::kRedirect},
                                             {"post", saml::Binding::kPost}};
constexpr Word<saml::AuthnContextComparison> kComparisons[] = {
    {"exact", saml::AuthnContextComparison::kExact},
    {"minimum", saml::AuthnContextComparison::kMinimum},
    {"better", saml::AuthnContextComparison::kBetter},
    {"maximum", saml::AuthnContextComparison::kMaximum}};
constexpr Word<std::string_view> kNameIdFormats[] = {
    {"email", saml::kFormatEmail},
    {"persistent", saml::kFormatPersistent},
    {"transient", saml::kFormatTransient},
    {"unspecified", saml::kFormatUnspecified}};

// A URI without blanks: it has a scheme.
bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && colon > 0 && is_visible(text);
}

bool read_display_name(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  if (values[1].empty() || values[1].size() > 200 || !is_utf8(values[1])) {
    return refuse(cf, block, "\"display_name\" wants 1 to 200 bytes of UTF-8");
  }
  // As a name may hold it, but hardly at the beginning of a word.
  if ((' ' + std::string(values[1])).find(" $") != std::string::npos) {
    return refuse(cf, block, "\"display_name\" takes no variables: " + quoted(values[1]) + " would be shown as it stands");
  }
  block.idp.display_name = std::string(values[1]);
  return true;
}

bool read_metadata_line(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  const std::string lower = ascii_lower(values[1].substr(0, 8));
  if (lower.rfind("http://", 0) == 0) {
    return refuse(cf, block, "metadata by URL is fetched by https only: whoever is on the way could put keys of his own into it");
  }
  if (lower == "https://") {
    if (!parse_url(values[1])) return refuse(cf, block, quoted(values[1]) + " is not a URL that could be fetched");
    block.idp.source = MetadataSource{std::string(values[1]), here(cf), kHour, {}, {}};
    return true;
  }
  if (values[1].empty()) return refuse(cf, block, "\"metadata\" wants the path of a file, or a URL with https");
  const std::optional<std::string> path = full_path(cf, values[1]);
  if (!path) return false;
  block.idp.metadata_file = *path;
  block.idp.files.push_back(*path);
  return true;
}

bool read_metadata_entity(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  if (values[1].empty()) return refuse(cf, block, "\"metadata_entity\" wants an entity ID");
  block.idp.metadata_entity = std::string(values[1]);
  return true;
}

bool read_entity_id(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  if (values[1].empty() || values[1].size() > 1024 || !is_visible(values[1])) {
    return refuse(cf, block, "\"entity_id\" wants the IdP's entity ID (its Issuer) as the IdP "
                             "shows it, not " + quoted(values[1].substr(0, 256)));
  }
  block.idp.metadata.entity_id = std::string(values[1]);
  return true;
}

bool read_sp_entity_id(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  if (!is_entity_id(values[1])) {
    return refuse(cf, block, "\"sp_entity_id\" wants what this IdP knows us by instead of saml_entity_id: at most 1024 visible "
                             "characters without variables, not " + quoted(values[1].substr(0, 256)));
  }
  block.idp.sp_entity_id = std::string(values[1]);
  return true;
}

bool read_endpoint(ngx_conf_t* cf, IdpBlock& block, const Values& values,
                   std::vector<saml::Endpoint>& endpoints) {
  if (!parse_url(values[1])) {
    return refuse(cf, block, quoted(values[0]) + ": " + quoted(values[1]) +
                                 " is not an absolute http or https URL; write for example "
                                 "\"https://idp.example.com/sso\"");
  }
  saml::Binding binding = saml::Binding::kRedirect;
  if (values.size() > 2) {
    const auto named = find_word(cf, kBindings, values[2]);
    if (!named) return false;
    binding = *named;
  }
  for (const saml::Endpoint& other : endpoints) {
    if (other.binding != binding) continue;
    return refuse(cf, block, quoted(values[0]) + " stands twice for one binding (redirect unless "
                                                 "\"post\" is behind it): remove one of them");
  }
  endpoints.push_back({binding, std::string(values[1])});
  return true;
}

bool read_sso_url(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  return read_endpoint(cf, block, values, block.idp.metadata.single_sign_on);
}
bool read_slo_url(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  return read_endpoint(cf, block, values, block.idp.metadata.single_logout);
}

// Every certificate of the file: the old key and the new one often stand in one.
bool add_certificates(ngx_conf_t* cf, IdpBlock& block, const Values& values, std::vector<xml::Certificate>& certificates) {
  const std::optional<std::string> path = full_path(cf, values[1]);
  if (!path) return false;
  block.idp.files.push_back(*path);
  const std::string line(values[0]);
  const auto pem = read_conf_file(cf, here(cf), block.subject() + line, *path, kMaxKeyFile);
  if (!pem) return false;
  auto added = xml::Certificate::all_from_pem(*pem);
  if (!added) return refuse(cf, block, line + " " + quoted(*path) + ": " + added.error().detail);
  for (xml::Certificate& certificate : *added) {
    for (const xml::Certificate& other : certificates) {
      if (other.base64() != certificate.base64()) continue;
      return refuse(cf, block, line + " " + quoted(*path) + ": a certificate of it stands twice: remove one");
    }
    certificates.push_back(std::move(certificate));
  }
  return true;
}

bool read_certificate(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  return add_certificates(cf, block, values, block.idp.metadata.signing);
}

bool read_metadata_certificate(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  return add_certificates(cf, block, values, block.idp.metadata_signers);
}

bool read_metadata_refresh(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  const auto time = parse_time(cf, values[1]);
  if (!time) return false;
  if (*time < kSecond) return refuse(cf, block, "\"metadata_refresh\" must be at least 1s");
  block.metadata_refresh = *time;
  return true;
}

bool read_require_signed(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  const auto value = find_word(cf, kRequireSigned, values[1]);
  if (value) block.idp.require_signed = *value;
  return value.has_value();
}

bool read_signature_algorithms(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  xml::AlgorithmSet set;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const auto algorithm = xml::signature_algorithm_by_name(values[i]);
    if (!algorithm) {
      return refuse(cf, block, "\"signature_algorithms\" does not know " + quoted(values[i]) +
                                   "; known: rsa-sha256, rsa-sha384, rsa-sha512, rsa-pss-sha256, "
                                   "rsa-pss-sha384, rsa-pss-sha512, ecdsa-sha256, ecdsa-sha384, "
                                   "ecdsa-sha512, and for old IdPs rsa-sha1, ecdsa-sha1");
    }
    if (set.has(*algorithm)) {
      return refuse(cf, block, "\"signature_algorithms\" names " + quoted(values[i]) + " twice");
    }
    set.add(*algorithm);
  }
  block.idp.algorithms = set;
  return true;
}

bool read_require_encrypted(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  block.idp.require_encrypted.value = find_word(cf, kFlag, values[1]);
  block.idp.require_encrypted.origin = here(cf);
  return block.idp.require_encrypted.is_set();
}

// Names a cipher or a key transport; false when it is neither, or named already.
bool add_encryption(ngx_conf_t* cf, IdpBlock& block, std::string_view name,
                    xml::EncryptionSet& set) {
  const auto cipher = xml::data_cipher_by_name(name);
  const auto transport = xml::key_transport_by_name(name);
  if (!cipher && !transport) {
    return refuse(cf, block, "\"encryption_algorithms\" does not know " + quoted(name) +
                                 "; known: aes128-gcm, aes192-gcm, aes256-gcm, rsa-oaep, and for "
                                 "IdPs that cannot do better aes128-cbc, aes192-cbc, aes256-cbc, "
                                 "rsa-1_5");
  }
  if (cipher ? set.has(*cipher) : set.has(*transport)) {
    return refuse(cf, block, "\"encryption_algorithms\" names " + quoted(name) + " twice");
  }
  if (cipher) {
    set.add(*cipher);
  } else {
    set.add(*transport);
  }
  return true;
}

bool read_encryption_algorithms(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  xml::EncryptionSet set;
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (!add_encryption(cf, block, values[i], set)) return false;
  }
  block.idp.encryption = set.or_defaults();
  return true;
}

bool read_name_id_format(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  for (const auto& word : kNameIdFormats) {
    if (!is_word(values[1], word.text)) continue;
    block.idp.name_id_format = std::string(word.value);
    return true;
  }
  if (!is_uri(values[1])) {
    return refuse(cf, block, "\"name_id_format\" takes \"email\", \"persistent\", \"transient\", "
                             "\"unspecified\" or a URI, not " + quoted(values[1]));
  }
  block.idp.name_id_format = std::string(values[1]);
  return true;
}

bool read_authn_context(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  std::vector<std::string>& contexts = block.idp.authn_contexts;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const auto* comparison = std::find_if(std::begin(kComparisons), std::end(kComparisons),
                                          [&](const auto& word) { return is_word(values[i], word.text); });
    if (comparison != std::end(kComparisons) && i + 1 == values.size() && i > 1) {
      block.idp.comparison = comparison->value;
    } else if (!is_uri(values[i])) {
      return refuse(cf, block,
                    "\"authn_context\" takes URIs like \"urn:oasis:names:tc:SAML:2.0:ac:classes:"
                    "PasswordProtectedTransport\" and at the end perhaps one of \"exact\", "
                    "\"minimum\", \"better\", \"maximum\", not " + quoted(values[i]));
    } else if (std::find(contexts.begin(), contexts.end(), values[i]) != contexts.end()) {
      return refuse(cf, block, "\"authn_context\" names " + quoted(values[i]) + " twice");
    } else {
      contexts.emplace_back(values[i]);
    }
  }
  return true;
}

bool read_force_authn(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  const auto value = find_word(cf, kFlag, values[1]);
  if (value) block.idp.force_authn = *value;
  return value.has_value();
}

bool read_user(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  if (values[1].empty() || values[1].find('$') != std::string_view::npos) {
    return refuse(cf, block, "\"user\" takes \"name_id\" or the name of an attribute, not " +
                                 quoted(values[1]));
  }
  block.idp.rules->user_source = values[1] == "name_id" ? "" : std::string(values[1]);
  return true;
}

bool read_attribute(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  const std::string_view alias = values[1];
  const bool well_formed = !alias.empty() && alias.size() <= 64 &&
                           std::all_of(alias.begin(), alias.end(), [](char byte) {
                             return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
                                    byte == '_';
                           });
  if (!well_formed) {
    return refuse(cf, block, "\"attribute\" wants a name of lower-case letters, digits and \"_\" "
                             "(it becomes $saml_attr_NAME), not " + quoted(alias));
  }
  policy::AttributeMap& map = block.idp.rules->attributes;
  const auto& configured = map.configured_aliases();
  if (std::find(configured.begin(), configured.end(), alias) != configured.end()) {
    return refuse(cf, block, "\"attribute " + std::string(alias) + "\" stands twice: write all its "
                             "sources behind one");
  }
  std::vector<std::string> sources(values.begin() + 2, values.end());
  for (const std::string& source : sources) {
    if (source.empty()) return refuse(cf, block, "\"attribute\" has an empty source");
  }
  map.set(alias, std::move(sources));
  return true;
}

bool read_allow_unsolicited(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  block.idp.allow_unsolicited = {find_word(cf, kFlag, values[1]), here(cf)};
  return block.idp.allow_unsolicited.is_set();
}

bool read_email_domains(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (Status added = block.idp.rules->email_domains.add(values[i]); !added.ok()) {
      return refuse(cf, block, "\"email_domains\": " + added.error().detail);
    }
  }
  return true;
}

bool read_policy(ngx_conf_t* cf, IdpBlock& block, const Values& values) {
  block.idp.policy_name.value = std::string(values[1]);
  block.idp.policy_name.origin = here(cf);
  return true;
}

}  // namespace

const std::vector<BlockLine<IdpBlock>>& IdpBlock::lines() {
  static const std::vector<BlockLine<IdpBlock>> kLines = {
      {"display_name", 1, 1, false, read_display_name},
      {"metadata", 1, 1, false, read_metadata_line},
      {"metadata_entity", 1, 1, false, read_metadata_entity},
      {"entity_id", 1, 1, false, read_entity_id},
      {"sp_entity_id", 1, 1, false, read_sp_entity_id},
      {"sso_url", 1, 2, true, read_sso_url},
      {"slo_url", 1, 2, true, read_slo_url},
      {"certificate", 1, 1, true, read_certificate},
      {"require_signed", 1, 1, false, read_require_signed},
      {"signature_algorithms", 1, kAnyNumber, false, read_signature_algorithms},
      {"require_encrypted", 1, 1, false, read_require_encrypted},
      {"encryption_algorithms", 1, kAnyNumber, false, read_encryption_algorithms},
      {"name_id_format", 1, 1, false, read_name_id_format},
      {"authn_context", 1, kAnyNumber, false, read_authn_context},
      {"force_authn", 1, 1, false, read_force_authn},
      {"allow_unsolicited", 1, 1, false, read_allow_unsolicited},
      {"user", 1, 1, false, read_user},
      {"attribute", 2, kAnyNumber, true, read_attribute},
      {"email_domains", 1, kAnyNumber, true, read_email_domains},
      {"policy", 1, 1, false, read_policy},
      {"metadata_refresh", 1, 1, false, read_metadata_refresh},
      {"metadata_certificate", 1, 1, true, read_metadata_certificate},
  };
  return kLines;
}

}  // namespace sallyport::ngx
