// /saml/metadata: what the IdP's administrator needs of this service provider.
#include <algorithm>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "bridge.h"
#include "endpoints.h"
#include "policy/attributes.h"
#include "respond.h"
#include "saml/names.h"
#include "saml/sp_metadata.h"
#include "worker.h"
#include "xml/signing.h"

namespace sallyport::ngx {

namespace {

using Trusts = std::vector<const login::Trust*>;

Trusts all_trusts(const SrvConf& server) {
  Trusts trusts;
  for (const auto& trust : server.trusts) {
    if (!trust->is_vacant) trusts.push_back(trust.get());
  }
  return trusts;
}

// One that not every IdP may use would mislead the others.
xml::EncryptionSet common_encryption(const Trusts& trusts) {
  if (trusts.empty()) return xml::EncryptionSet::defaults();
  xml::EncryptionSet common = trusts.front()->encryption;
  for (const login::Trust* trust : trusts) common = common.common(trust->encryption);
  return common;
}

void add_requested_attributes(saml::SpMetadata& sp, const policy::AttributeMap& map) {
  for (const std::string& alias : map.configured_aliases()) {
    const auto* sources = map.sources(alias);
    if (sources == nullptr || sources->empty()) continue;
    auto& requested = sp.requested_attributes;
    if (std::find(requested.begin(), requested.end(), sources->front()) == requested.end()) {
      requested.push_back(sources->front());
    }
  }
}

// For these IdPs.
saml::SpMetadata describe_sp(const SrvConf& server, const std::string& entity_id, const Trusts& trusts) {
  saml::SpMetadata sp;
  sp.entity_id = entity_id;
  sp.acs_urls.push_back(server.endpoint_url("acs"));
  sp.service_name = server.base_origin;
  if (server.keys != nullptr) {
    for (const OwnKey& key : *server.keys) sp.certificates.push_back(&key.certificate);
  }
  sp.can_decrypt = true;
  sp.encryption = common_encryption(trusts);
  for (const login::Trust* trust : trusts) {
    sp.authn_requests_signed = sp.authn_requests_signed || trust->signing_key != nullptr;
    add_requested_attributes(sp, trust->rules->attributes);
  }
  return sp;
}

// `?idp=NAME` asks for the document that this IdP needs, where we have another entity ID there. For all others there is one answer,
// so that nobody learns whether there is a NAME.
const login::Trust* only_trust(ngx_http_request_t* r, const SrvConf& server) {
  ngx_str_t value{};
  u_char name[] = "idp";
  if (ngx_http_arg(r, name, sizeof(name) - 1, &value) != NGX_OK) return nullptr;
  const login::Trust* trust = server.find_trust(view(value));
  return trust == nullptr || trust->sp_entity_id == *server.entity_id.value ? nullptr : trust;
}

// Asked for by `?signed=1`.
bool wants_signature(ngx_http_request_t* r) {
  ngx_str_t value{};
  u_char name[] = "signed";
  return ngx_http_arg(r, name, sizeof(name) - 1, &value) == NGX_OK && view(value) == "1";
}

}  // namespace

ngx_int_t answer_metadata(ngx_http_request_t* r) {
  if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) return method_not_allowed(r, "GET, HEAD");
  const SrvConf& server = *srv_conf(r);
  // The same document has the same ID, so that copies can be compared.
  const login::Trust* only = only_trust(r, server);
  const saml::SpMetadata sp = only == nullptr ? describe_sp(server, *server.entity_id.value, all_trusts(server))
                                              : describe_sp(server, only->sp_entity_id, {only});
  const std::string id = "_" + hex_encode(as_view(sha256(sp.entity_id))).substr(0, 40);
  std::string document = saml::sp_metadata_document(sp, id);
  if (wants_signature(r) && server.keys != nullptr && !server.keys->empty()) {
    const OwnKey& own = server.keys->front();
    auto made = xml::sign_enveloped(document, own.key, own.certificate);
    if (!made.ok()) {
      ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "saml: metadata could not be signed: %s",
                    made.error().detail.c_str());
      return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    document = std::move(made).value();
  }
  Reply reply;
  reply.content_type = "application/samlmetadata+xml";
  reply.body = document;
  return send_reply(r, reply);
}

}  // namespace sallyport::ngx
