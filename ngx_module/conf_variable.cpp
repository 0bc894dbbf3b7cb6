// Which variables may say "off" in auth_saml, and which want more than the front of a session's record.
#include <algorithm>

#include "bridge.h"
#include "conf_finish.h"

namespace sallyport::ngx {

namespace {

ngx_http_core_main_conf_t* core_conf(ngx_conf_t* cf) {
  return static_cast<ngx_http_core_main_conf_t*>(
      ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
}

bool is_indexed_as(ngx_http_core_main_conf_t* core, uintptr_t index, std::string_view name) {
  if (index >= core->variables.nelts) return false;
  const auto* indexed = static_cast<ngx_http_variable_t*>(core->variables.elts);
  return view(indexed[index].name) == name;
}

// nginx's own variables ($host, $uri...) show what the client sent; a named capture has no data and a
// variable of `set` has its own index there, and both may hold what the client sent.
bool is_computed(ngx_conf_t* cf, const MainConf& conf, std::string_view name) {
  ngx_http_core_main_conf_t* core = core_conf(cf);
  const auto* keys = static_cast<ngx_hash_key_t*>(core->variables_keys->keys.elts);
  for (ngx_uint_t i = conf.built_in_variables; i < core->variables_keys->keys.nelts; ++i) {
    if (view(keys[i].key) != name) continue;
    const auto* variable = static_cast<ngx_http_variable_t*>(keys[i].value);
    return variable->data != 0 && !is_indexed_as(core, variable->data, name);
  }
  return false;
}

}  // namespace

void note_built_in_variables(ngx_conf_t* cf) {
  auto* conf =
      static_cast<MainConf*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_saml_module));
  conf->built_in_variables = core_conf(cf)->variables_keys->keys.nelts;
}

void resolve_auth_variables(ngx_conf_t* cf, const MainConf& conf) {
  for (LocConf* location : conf.locations) {
    if (!location->auth_saml.is_set() || !location->auth_saml.value->is_variable) continue;
    LocConf::AuthSaml& auth = *location->auth_saml.value;
    auth.off_counts = is_computed(cf, conf, auth.variable_name);
  }
}

void find_wanted_parts(ngx_conf_t* cf, MainConf& conf) {
  constexpr std::string_view kAttribute = "saml_attr_";
  constexpr std::string_view kBehindTheFront[] = {"saml_name_id", "saml_name_id_format", "saml_session_index",
                                                  "saml_authn_context"};
  const ngx_http_core_main_conf_t* core = core_conf(cf);
  const auto* variables = static_cast<const ngx_http_variable_t*>(core->variables.elts);
  for (ngx_uint_t i = 0; i < core->variables.nelts; ++i) {
    const std::string_view name = view(variables[i].name);
    conf.wants_whole_records =
        conf.wants_whole_records || name.substr(0, kAttribute.size()) == kAttribute ||
        std::find(std::begin(kBehindTheFront), std::end(kBehindTheFront), name) != std::end(kBehindTheFront);
  }
  for (const LocConf* location : conf.locations) {
    for (const RequireLine& line : location->require_lines) {
      for (const RequireConf& require : line) {
        conf.wants_whole_records = conf.wants_whole_records || require.key == login::RequireKey::kAttribute;
      }
    }
  }
}

}  // namespace sallyport::ngx
