// What can only be done when the whole configuration is known.
#include "conf_finish.h"

#include <algorithm>

#include "bridge.h"
#include "conf_message.h"

namespace sallyport::ngx {

namespace {

bool resolve_servers(ngx_conf_t* cf, MainConf& conf) {
  for (SrvConf* server : conf.servers) {
    if (!server->active) continue;
    if (!resolve_server(cf, *server)) return false;
    std::vector<std::string>& names = conf.cookie_names;
    const std::string& name = server->cookie_settings.name;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  warn_of_shared_cookies(cf, conf);
  return true;
}

bool make_all_trusts(ngx_conf_t* cf, MainConf& conf) {
  for (SrvConf* server : conf.servers) {
    if (server->active && !make_trusts(cf, conf, *server)) return false;
  }
  return load_idp_directory(cf, conf) && link_trusts(cf, conf);
}

bool finish(ngx_conf_t* cf, MainConf& conf, LocConf* http_level) {
  find_active(conf);
  find_shared_acs(cf, conf);
  if (!check_locations(cf, conf, http_level)) return false;
  if (!resolve_metadata(cf, conf) || !resolve_store(cf, conf) || !resolve_policies(cf, conf)) return false;
  if (!conf.active) return true;
  warn_of_unknown_names(cf, conf);
  resolve_auth_variables(cf, conf);
  compute_anew(cf, conf);
  find_wanted_parts(cf, conf);
  return resolve_servers(cf, conf) && load_keys(cf, conf) && load_templates(cf, conf) && load_secrets(cf, conf) &&
         check_shared_acs(cf, conf) && make_all_trusts(cf, conf) && resolve_headers(cf, conf, http_level) &&
         add_session_zone(cf, &conf) == NGX_OK;
}

}  // namespace

ngx_int_t finish_configuration(ngx_conf_t* cf) {
  return fence<ngx_int_t>(NGX_ERROR, cf->log, [&]() -> ngx_int_t {
    auto* conf =
        static_cast<MainConf*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_saml_module));
    auto* http_level =
        static_cast<LocConf*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_saml_module));
    return finish(cf, *conf, http_level) ? NGX_OK : NGX_ERROR;
  });
}

}  // namespace sallyport::ngx
