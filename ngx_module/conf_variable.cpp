// Which variables may say "off" in auth_saml, which are to be computed anew for each location, and which want more than
// the front of a session's record.
#include <algorithm>
#include <set>

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
template <class Visit>
void for_each_computed(ngx_conf_t* cf, const MainConf& conf, Visit&& visit) {
  ngx_http_core_main_conf_t* core = core_conf(cf);
  const auto* keys = static_cast<ngx_hash_key_t*>(core->variables_keys->keys.elts);
  for (ngx_uint_t i = conf.built_in_variables; i < core->variables_keys->keys.nelts; ++i) {
    auto* variable = static_cast<ngx_http_variable_t*>(keys[i].value);
    if (variable->data != 0 && !is_indexed_as(core, variable->data, view(keys[i].key))) visit(view(keys[i].key), *variable);
  }
}

bool is_computed(ngx_conf_t* cf, const MainConf& conf, std::string_view name) {
  bool found = false;
  for_each_computed(cf, conf, [&](std::string_view each, const ngx_http_variable_t&) { found = found || each == name; });
  return found;
}

using Names = std::set<std::string_view>;

void add_names(ngx_conf_t* cf, const ngx_http_complex_value_t& value, Names& names) {
  const auto* variables = static_cast<const ngx_http_variable_t*>(core_conf(cf)->variables.elts);
  for (const ngx_uint_t* index = value.flushes; index != nullptr && *index != static_cast<ngx_uint_t>(-1); ++index) {
    names.insert(view(variables[*index].name));
  }
}

// Of the variables that decide who may in where. Not those of saml_header, which nginx keeps as it does for proxy_set_header: one
// of js_set may be made to be the same all through a request.
Names deciding_variables(ngx_conf_t* cf, const MainConf& conf) {
  Names names;
  for (const LocConf* location : conf.locations) {
    if (location->auth_saml.is_set()) add_names(cf, location->auth_saml.value->variable, names);
    if (location->space.is_set()) add_names(cf, location->space.value->value, names);
    for (const RequireLine& line : location->require_lines) {
      for (const RequireConf& require : line.pairs) add_names(cf, require.value, names);
    }
  }
  return names;
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

void compute_anew(ngx_conf_t* cf, const MainConf& conf) {
  const Names names = deciding_variables(cf, conf);
  std::set<ngx_http_get_variable_pt> handlers;
  for_each_computed(cf, conf, [&](std::string_view name, const ngx_http_variable_t& variable) {
    if (names.count(name) != 0) handlers.insert(variable.get_handler);
  });
  for_each_computed(cf, conf, [&](std::string_view, ngx_http_variable_t& variable) {
    if (handlers.count(variable.get_handler) != 0) variable.flags |= NGX_HTTP_VAR_NOCACHEABLE;
  });
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
      for (const RequireConf& require : line.pairs) {
        conf.wants_whole_records = conf.wants_whole_records || require.key == login::RequireKey::kAttribute;
      }
    }
  }
}

}  // namespace sallyport::ngx
