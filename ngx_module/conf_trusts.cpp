// One login::Trust for each server and each IdP that it may name.
#include "conf_finish.h"

#include <algorithm>
#include <memory>

#include "conf_message.h"
#include "login_page.h"

namespace sallyport::ngx {

namespace {

bool is_of(const LocConf& location, const SrvConf& server) {
  const auto& others = server.carries_for;
  return location.server == &server || std::find(others.begin(), others.end(), location.server) != others.end();
}

// Which IdPs locations of the server, and of those whose logins it carries out, may name; with a variable that is any.
void find_idp_names(const MainConf& conf, SrvConf& server) {
  for (const LocConf* location : conf.locations) {
    if (!location->on || !is_of(*location, server)) continue;
    const LocConf::AuthSaml& auth = *location->auth_saml.value;
    server.names_any_idp = server.names_any_idp || auth.is_variable;
    server.idp_names.insert(auth.names.begin(), auth.names.end());
  }
}

// A redirect is cheaper for everybody; a form only where nothing else is offered.
const saml::Endpoint& choose_endpoint(const saml::IdpMetadata& metadata) {
  const auto redirect =
      std::find_if(metadata.single_sign_on.begin(), metadata.single_sign_on.end(),
                   [](const auto& each) { return each.binding == saml::Binding::kRedirect; });
  return redirect != metadata.single_sign_on.end() ? *redirect : metadata.single_sign_on.front();
}

// Requests that must be signed, without a key.
bool check_signing_key(ngx_conf_t* cf, const SrvConf& server, const IdpConf& idp) {
  const OwnKey* first = server.keys && !server.keys->empty() ? &server.keys->front() : nullptr;
  const SignRequests mode = server.sign_requests.or_default(SignRequests::kAuto);
  if (mode == SignRequests::kOn && first == nullptr) {
    conf_error(cf, server.sign_requests.origin,
               "\"saml_sign_requests on\" needs a key: write \"saml_certificate FILE;\" and "
               "\"saml_certificate_key FILE;\", or \"saml_sign_requests auto;\"");
    return false;
  }
  const bool is_wanted = idp.metadata.want_authn_requests_signed;
  if (is_wanted && (first == nullptr || mode == SignRequests::kOff)) {
    conf_warning(cf, idp.origin,
                 "the metadata of saml_idp " + quoted(idp.name) +
                     " wants signed requests, and those of the server at " +
                     place(origin_of(server.core)) + " are unsigned: the IdP may refuse them; " +
                     (first == nullptr ? "write \"saml_certificate FILE;\" and "
                                         "\"saml_certificate_key FILE;\""
                                       : "remove \"saml_sign_requests off;\""));
  }
  return true;
}

// The key that signs requests to this IdP; null: none.
const OwnKey* signing_key_of(const SrvConf& server, const saml::IdpMetadata& metadata) {
  const SignRequests mode = server.sign_requests.or_default(SignRequests::kAuto);
  const bool signs = mode == SignRequests::kOn || (mode == SignRequests::kAuto && metadata.want_authn_requests_signed);
  return signs && server.keys && !server.keys->empty() ? &server.keys->front() : nullptr;
}

// An IdP must encrypt only where its answers can be read.
bool check_encryption(ngx_conf_t* cf, const SrvConf& server, const IdpConf& idp) {
  if (!idp.require_encrypted.or_default(false)) return true;
  const bool has_rsa =
      server.keys && std::any_of(server.keys->begin(), server.keys->end(),
                                 [](const OwnKey& own) { return own.key.is_rsa(); });
  if (has_rsa) return true;
  conf_error(cf, idp.require_encrypted.origin,
             "\"require_encrypted on\" of saml_idp " + quoted(idp.name) +
                 ": the server at " + place(origin_of(server.core)) +
                 " has no RSA key to decrypt with; write \"saml_certificate FILE;\" and "
                 "\"saml_certificate_key FILE;\" there, or \"require_encrypted off;\"");
  return false;
}

const std::string& sp_entity_id_of(const SrvConf& server, const IdpConf& idp) {
  return idp.sp_entity_id.empty() ? *server.entity_id.value : idp.sp_entity_id;
}

saml::AuthnRequestTemplate make_request(const SrvConf& server, const IdpConf& idp,
                                        const saml::Endpoint& endpoint) {
  saml::AuthnRequestSettings settings;
  settings.sp_entity_id = sp_entity_id_of(server, idp);
  settings.acs_url = server.endpoint_url("acs");
  settings.destination = endpoint.location;
  settings.name_id_format = idp.name_id_format;
  settings.authn_contexts = idp.authn_contexts;
  settings.comparison = idp.comparison;
  settings.force_authn = idp.force_authn;
  return saml::AuthnRequestTemplate(settings);
}

std::unique_ptr<login::Trust> make_trust(const SrvConf& server, const IdpConf& idp) {
  auto trust = std::make_unique<login::Trust>();
  trust->idp_name = idp.name;
  trust->display_name = idp.display_name;
  trust->sp_entity_id = sp_entity_id_of(server, idp);
  trust->acs_url = server.endpoint_url("acs");
  trust->algorithms = idp.algorithms;
  trust->require_signed = idp.require_signed;
  trust->authn_contexts = idp.authn_contexts;
  trust->comparison = idp.comparison;
  trust->rules = idp.rules;
  if (server.keys) trust->decryption_keys = *server.keys;
  trust->encryption = idp.encryption;
  trust->require_encrypted = idp.require_encrypted.or_default(false);
  trust->rules_digest = policy::digest_of(*idp.rules);
  trust->allow_unsolicited = idp.allow_unsolicited.or_default(false);
  trust->generation = idp.generation;
  if (!idp.metadata.signing.empty()) apply_metadata(*trust, server, idp, idp.metadata);
  return trust;
}

// Of a saml_idp that is not there yet, or no more.
login::Trust vacant_trust(const std::string& idp_name) {
  static const auto kNoRules = std::make_shared<const policy::IdentityRules>();
  login::Trust trust;
  trust.idp_name = idp_name;
  trust.display_name = idp_name;
  trust.rules = kNoRules;
  trust.is_vacant = true;
  return trust;
}

// A name that a file of saml_idp_directory may bring yet; null after a message where there is no such directory.
const login::Trust* await_idp(ngx_conf_t* cf, const MainConf& conf, LocConf& location, const std::string& name) {
  const Origin& origin = location.auth_saml.origin;
  if (!conf.idp_directory.is_set()) {
    conf_error(cf, origin, "\"auth_saml\": no trust for " + quoted(name));
    return nullptr;
  }
  conf_warning(cf, origin, "\"auth_saml\" names " + quoted(name) + ", and there is neither a saml_idp block nor a good file " +
                               quoted(*conf.idp_directory.value + "/" + name + ".conf") +
                               " of that name: nobody can log in there until it comes");
  return &location.server->trusts.add(std::make_unique<login::Trust>(vacant_trust(name)));
}

// With more IdPs than the login page has buttons for, users find theirs by their address: one without domains, nobody does.
void warn_of_unfindable(ngx_conf_t* cf, const LocConf& location) {
  const auto& trusts = location.trusts;
  const auto has_domains = [](const login::Trust* trust) { return !trust->rules->email_domains.empty(); };
  if (trusts.size() <= kMostButtons) return;
  const auto lost = std::find_if_not(trusts.begin(), trusts.end(), has_domains);
  if (lost == trusts.end()) return;
  const bool is_list = std::none_of(trusts.begin(), trusts.end(), has_domains);
  conf_warning(cf, location.auth_saml.origin,
               "\"auth_saml\" names " + std::to_string(trusts.size()) + " IdPs, more than the " +
                   std::to_string(kMostButtons) + " that the login page has buttons for, and saml_idp " +
                   quoted((*lost)->idp_name) + " has no \"email_domains\" by which an e-mail address would find it: " +
                   (is_list ? "a long list is shown" : "nobody can choose it") + "; write \"email_domains DOMAIN ...;\" there");
}

// A line that many locations inherit counts once.
void add_admitting(ngx_conf_t* cf, const LocConf& location) {
  auto& admitting = location.server->admitting;
  const Origin& origin = location.auth_saml.origin;
  const bool is_known = std::any_of(admitting.begin(), admitting.end(), [&](const LocConf* other) {
    return other->auth_saml.origin.line == origin.line && other->auth_saml.origin.file == origin.file;
  });
  if (is_known) return;
  admitting.push_back(&location);
  warn_of_unfindable(cf, location);
}

}  // namespace

bool check_idp_at(ngx_conf_t* cf, const SrvConf& server, const IdpConf& idp) {
  // The block's own checks refuse both; a trust without them must not come to be.
  if (!idp.source && (idp.metadata.signing.empty() || idp.metadata.single_sign_on.empty())) {
    conf_error(cf, idp.origin, "saml_idp " + quoted(idp.name) + " has no signing certificate or no SSO URL");
    return false;
  }
  return check_signing_key(cf, server, idp) && check_encryption(cf, server, idp);
}

void put_trust(SrvConf& server, const IdpConf& idp) {
  auto trust = make_trust(server, idp);
  login::Trust* before = server.trusts.find(idp.name);
  if (before == nullptr) {
    server.trusts.add(std::move(trust));
  } else {
    *before = std::move(*trust);
  }
}

void vacate_trust(SrvConf& server, const std::string& idp_name) {
  if (login::Trust* trust = server.trusts.find(idp_name)) *trust = vacant_trust(idp_name);
}

bool make_trusts(ngx_conf_t* cf, const MainConf& conf, SrvConf& server) {
  find_idp_names(conf, server);
  for (const auto& idp : conf.idps) {
    if (!server.may_name(idp->name)) continue;
    if (!check_idp_at(cf, server, *idp)) return false;
    put_trust(server, *idp);
  }
  return true;
}

void apply_metadata(login::Trust& trust, const SrvConf& server, const IdpConf& idp, const saml::IdpMetadata& metadata) {
  const saml::Endpoint& endpoint = choose_endpoint(metadata);
  const OwnKey* key = signing_key_of(server, metadata);
  trust.idp_entity_id = metadata.entity_id;
  trust.certificates = metadata.signing;
  // Files are not read again while nginx runs: theirs could only end logins, never be renewed.
  trust.valid_until = idp.source ? metadata.valid_until : std::nullopt;
  trust.request_binding = endpoint.binding;
  trust.request = make_request(server, idp, endpoint);
  trust.signing_key = key == nullptr ? nullptr : &key->key;
  trust.signing_certificate = key == nullptr ? nullptr : &key->certificate;
  trust.binding = session::session_binding(trust.sp_entity_id, idp.name, metadata.entity_id);
}

bool link_trusts(ngx_conf_t* cf, const MainConf& conf) {
  for (LocConf* location : conf.locations) {
    if (!location->on) continue;
    for (const std::string& name : location->auth_saml.value->names) {
      const login::Trust* trust = location->server->trusts.find(name);
      if (trust == nullptr) trust = await_idp(cf, conf, *location, name);
      if (trust == nullptr) return false;
      location->trusts.push_back(trust);
    }
    add_admitting(cf, *location);
  }
  return true;
}

}  // namespace sallyport::ngx
