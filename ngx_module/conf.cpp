// nginx's callbacks: one object per level, inheritance from level to level.
#include "conf.h"

#include "bridge.h"
#include "conf_message.h"
#include "redis_conf.h"

namespace sallyport::ngx {

namespace {

template <class Conf>
void* create(ngx_conf_t* cf) {
  return fence<void*>(nullptr, cf->log, [&]() -> void* { return make_in_pool<Conf>(cf->pool); });
}

void inherit_server(SrvConf& inner, const SrvConf& outer) {
  inner.entity_id.inherit(outer.entity_id);
  inner.base_url.inherit(outer.base_url);
  inner.endpoint.inherit(outer.endpoint);
  // A key belongs to its certificate: both lists come from one level.
  if (inner.certificate_files.empty() && inner.key_files.empty()) {
    inner.certificate_files = outer.certificate_files;
    inner.key_files = outer.key_files;
  }
  inner.sign_requests.inherit(outer.sign_requests);
  inner.clock_skew.inherit(outer.clock_skew);
  inner.max_assertion_age.inherit(outer.max_assertion_age);
  inner.max_message_size.inherit(outer.max_message_size);
  inner.max_metadata_size.inherit(outer.max_metadata_size);
  inner.login_template.inherit(outer.login_template);
  inner.error_template.inherit(outer.error_template);
  inner.strip.inherit(outer.strip);
  inner.session_timeout.inherit(outer.session_timeout);
  inner.idle_timeout.inherit(outer.idle_timeout);
  inner.cookie.inherit(outer.cookie);
  inner.secret_files.inherit(outer.secret_files);
}

// Lines of outer levels come first; with saml_require off only the own ones count.
void inherit_requirements(LocConf& inner, const LocConf& outer) {
  if (inner.require_off) return;
  inner.require_lines.insert(inner.require_lines.begin(), outer.require_lines.begin(),
                             outer.require_lines.end());
}

void inherit_location(LocConf& inner, LocConf& outer) {
  inner.outer = &outer;
  inner.auth_saml.inherit(outer.auth_saml);
  inner.mode.inherit(outer.mode);
  inner.login_page.inherit(outer.login_page);
  inherit_requirements(inner, outer);
  inner.headers_prefix.inherit(outer.headers_prefix);
  if (!inner.has_own_headers) {
    inner.extra_headers = outer.extra_headers;
    inner.extra_headers_origin = outer.extra_headers_origin;
  }
  inner.header_format.inherit(outer.header_format);
  inner.header_limit_one.inherit(outer.header_limit_one);
  inner.header_limit_total.inherit(outer.header_limit_total);
  inner.overflow_cut.inherit(outer.overflow_cut);
  inner.allow_preflight.inherit(outer.allow_preflight);
  inner.unauthenticated.inherit(outer.unauthenticated);
  inner.cache_shared.inherit(outer.cache_shared);
  inner.end_upgraded.inherit(outer.end_upgraded);
  inner.force_authn.inherit(outer.force_authn);
  inner.space.inherit(outer.space);
}

// An `if` or `limit_except` inside a location with saml_endpoints goes on answering.
void inherit_endpoints(LocConf& inner) {
  if (!inner.core->noname || !inner.outer->endpoints_here) return;
  inner.endpoints_here = true;
  inner.endpoints_origin = inner.outer->endpoints_origin;
  if (inner.core->handler == nullptr) inner.core->handler = inner.outer->core->handler;
}

MainConf* main_conf_of(ngx_conf_t* cf) {
  return static_cast<MainConf*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_saml_module));
}

}  // namespace

void* create_main_conf(ngx_conf_t* cf) { return create<MainConf>(cf); }
void* create_srv_conf(ngx_conf_t* cf) { return create<SrvConf>(cf); }
void* create_loc_conf(ngx_conf_t* cf) { return create<LocConf>(cf); }

char* merge_srv_conf(ngx_conf_t* cf, void* parent, void* child) {
  return fence<char*>(kConfError, cf->log, [&] {
    auto* server = static_cast<SrvConf*>(child);
    inherit_server(*server, *static_cast<const SrvConf*>(parent));
    server->core = static_cast<ngx_http_core_srv_conf_t*>(
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
    server->server_location =
        static_cast<LocConf*>(server->core->ctx->loc_conf[ngx_http_saml_module.ctx_index]);
    main_conf_of(cf)->servers.push_back(server);
    return kConfOk;
  });
}

char* merge_loc_conf(ngx_conf_t* cf, void* parent, void* child) {
  return fence<char*>(kConfError, cf->log, [&] {
    auto* location = static_cast<LocConf*>(child);
    location->core = static_cast<ngx_http_core_loc_conf_t*>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    inherit_location(*location, *static_cast<LocConf*>(parent));
    inherit_endpoints(*location);
    location->server =
        static_cast<SrvConf*>(ngx_http_conf_get_module_srv_conf(cf, ngx_http_saml_module));
    main_conf_of(cf)->locations.push_back(location);
    return kConfOk;
  });
}

const RedisConf* MainConf::find_redis(std::string_view name) const {
  for (const auto& block : redis_blocks) {
    if (block->name == name) return block.get();
  }
  return nullptr;
}

const PolicyConf* MainConf::find_policy(std::string_view name) const {
  for (const PolicyConf& policy : policies) {
    if (policy.policy->name == name) return &policy;
  }
  return nullptr;
}

}  // namespace sallyport::ngx
