// Where a login is asked for, and mistakes that show only when all levels are known.
#include "conf_finish.h"

#include <algorithm>
#include <set>

#include "bridge.h"
#include "conf_message.h"
#include "conf_value.h"
#include "gate_handlers.h"

namespace sallyport::ngx {

namespace {

bool is_same(const Origin& a, const Origin& b) { return a.line == b.line && a.file == b.file; }

// Whether auth_saml stands at this very level.
bool has_own_auth(const LocConf& location) {
  return location.auth_saml.is_set() &&
         (location.outer == nullptr || !location.outer->auth_saml.is_set() ||
          !is_same(location.auth_saml.origin, location.outer->auth_saml.origin));
}

std::string known_idps(const MainConf& conf) {
  if (conf.idps.empty()) return "there is no saml_idp block yet";
  std::vector<std::string> names;
  for (const auto& idp : conf.idps) names.push_back(idp->name);
  return "known: " + one_of(names);
}

bool check_names(ngx_conf_t* cf, const MainConf& conf, const LocConf& location) {
  if (!location.on) return true;
  const LocConf::AuthSaml& auth = *location.auth_saml.value;
  for (const std::string& name : auth.names) {
    if (conf.idps.find(name) != nullptr || conf.idp_directory.is_set()) continue;
    conf_error(cf, location.auth_saml.origin,
               "\"auth_saml\" names the unknown IdP " + quoted(name) + "; " + known_idps(conf) +
                   "; write \"saml_idp " + name + " { metadata FILE; }\" in http, or correct the "
                                                  "name");
    return false;
  }
  if (auth.is_variable && conf.idps.empty() && !conf.idp_directory.is_set()) {
    conf_error(cf, location.auth_saml.origin,
               "\"auth_saml\" has a variable, but there is no saml_idp block that it could name, nor a saml_idp_directory");
    return false;
  }
  return true;
}

// saml_require idp=NAME; a file of saml_idp_directory may bring any.
bool check_required_idps(ngx_conf_t* cf, const MainConf& conf, const LocConf& location) {
  if (!location.on || conf.idp_directory.is_set()) return true;
  for (const RequireLine& line : location.require_lines) {
    for (const RequireConf& pair : line.pairs) {
      if (pair.key != login::RequireKey::kIdp || !is_constant(pair.value)) continue;
      const std::string name(view(pair.value.value));
      if (conf.idps.find(name) != nullptr) continue;
      conf_error(cf, line.origin, quoted("saml_require idp=" + name) + " names the unknown IdP; " + known_idps(conf) +
                                      "; correct the name, or remove the pair");
      return false;
    }
  }
  return true;
}

bool check_optional(ngx_conf_t* cf, const LocConf& location) {
  if (!location.on || location.mode.or_default(Mode::kRequire) != Mode::kOptional ||
      location.require_lines.empty()) {
    return true;
  }
  conf_error(cf, location.require_lines.back().origin,
             "\"saml_require\" beside \"auth_saml_mode optional\" of " +
                 place(location.mode.origin) +
                 ": a request without a session would pass unchecked; write \"auth_saml_mode "
                 "require;\", or \"saml_require off;\" where everybody may enter");
  return false;
}

// Who has no session passes there, and who has one must have the space.
void warn_of_optional_space(ngx_conf_t* cf, const LocConf& location) {
  if (!location.on || location.mode.or_default(Mode::kRequire) != Mode::kOptional ||
      !location.space.is_set() || location.space.value->off) {
    return;
  }
  conf_warning(cf, location.space.origin,
               "\"saml_space\" beside \"auth_saml_mode optional\" of " + place(location.mode.origin) +
                   ": a request without a session passes, whatever the space");
}

// Whether all endpoints are inside the location; a regular expression or a named one may.
bool covers_endpoints(const LocConf& location) {
  const ngx_http_core_loc_conf_t& core = *location.core;
#if (NGX_PCRE)
  if (core.regex != nullptr) return true;
#endif
  if (core.noname || core.named) return true;
  const std::string first = location.server->endpoint.or_default("/saml") + "/";
  return !core.exact_match && std::string_view(first).substr(0, core.name.len) == view(core.name);
}

bool check_endpoints(ngx_conf_t* cf, const LocConf& location) {
  if (!location.endpoints_here) return true;
  if (has_own_auth(location) && !location.auth_saml.value->off) {
    conf_error(cf, location.endpoints_origin,
               "\"saml_endpoints\" beside \"auth_saml\": nobody could log in where a login is "
               "needed first; remove auth_saml from this location");
    return false;
  }
  if (location.core->handler != endpoints_content_handler) {
    conf_error(cf, location.endpoints_origin,
               "\"saml_endpoints\" beside another directive that answers requests (like "
               "proxy_pass): remove one of the two");
    return false;
  }
  if (!covers_endpoints(location)) {
    conf_error(cf, location.endpoints_origin,
               "\"saml_endpoints\" in a location that does not cover every endpoint under " +
                   quoted(location.server->endpoint.or_default("/saml")) + "; write \"location " +
                   location.server->endpoint.or_default("/saml") + "/ { saml_endpoints; }\"");
    return false;
  }
  if (!location.server->active) {
    conf_error(cf, location.endpoints_origin,
               "\"saml_endpoints\" in a server where auth_saml is on nowhere: write \"auth_saml "
               "NAME;\" in the location to protect");
    return false;
  }
  return true;
}

// Levels whose saml_require lines some protected location obeys.
std::set<const LocConf*> levels_in_use(const MainConf& conf) {
  std::set<const LocConf*> used;
  for (const LocConf* location : conf.locations) {
    if (!location->on) continue;
    for (const LocConf* level = location; level != nullptr; level = level->outer) {
      used.insert(level);
      if (level->require_off) break;
    }
  }
  return used;
}

// A saml_require that nobody obeys: where auth_saml was forgotten the page is open to everybody.
bool check_require_in_use(ngx_conf_t* cf, const LocConf& location,
                          const std::set<const LocConf*>& used) {
  if (!location.has_own_require || used.count(&location) != 0) return true;
  const Origin& origin = location.require_lines.back().origin;
  if (location.auth_saml.is_set()) {
    conf_warning(cf, origin,
                 "\"saml_require\" has no effect: \"auth_saml off\" of " +
                     place(location.auth_saml.origin) + " makes this public");
    return true;
  }
  conf_error(cf, origin,
             "\"saml_require\" without \"auth_saml\": nobody is asked to log in here, so everybody "
             "could enter; write \"auth_saml NAME;\" beside it");
  return false;
}

bool is_at_or_under(const LocConf* location, const LocConf& level) {
  while (location != nullptr && location != &level) location = location->outer;
  return location != nullptr;
}

// Whether the setting stands at this very level, and no protected location here or below has it. (The same line may stand
// elsewhere too: in a file that is included twice.)
template <class T>
bool is_unused(const MainConf& conf, const LocConf& location, const Setting<T> LocConf::*member) {
  const Setting<T>& setting = location.*member;
  const auto has_it = [&](const LocConf* other) {
    return (other->*member).is_set() && is_same((other->*member).origin, setting.origin);
  };
  if (!setting.is_set() || (location.outer != nullptr && has_it(location.outer))) return false;
  const auto obeys_it = [&](const LocConf* other) { return other->on && has_it(other) && is_at_or_under(other, location); };
  return std::none_of(conf.locations.begin(), conf.locations.end(), obeys_it);
}

// A condition of entering that no protected location has.
bool refuse_unused(ngx_conf_t* cf, const LocConf& location, const std::string& directive, const Origin& origin) {
  if (location.auth_saml.is_set()) {
    conf_warning(cf, origin, quoted(directive) + " has no effect: \"auth_saml off\" of " + place(location.auth_saml.origin) +
                                 " makes this public");
    return true;
  }
  conf_error(cf, origin, quoted(directive) + " without \"auth_saml\": nobody is asked to log in here, so everybody could enter; "
                                             "write \"auth_saml NAME;\" beside it");
  return false;
}

bool check_settings_in_use(ngx_conf_t* cf, const MainConf& conf, const LocConf& location) {
  const auto warn = [&](const char* directive, const Origin& origin) {
    conf_warning(cf, origin, quoted(directive) + " has no effect: \"auth_saml\" is on nowhere under it");
  };
  if (is_unused(conf, location, &LocConf::mode)) warn("auth_saml_mode", location.mode.origin);
  if (is_unused(conf, location, &LocConf::unauthenticated)) warn("saml_unauthenticated", location.unauthenticated.origin);
  if (is_unused(conf, location, &LocConf::space) && !location.space.value->off &&
      !refuse_unused(cf, location, "saml_space", location.space.origin)) {
    return false;
  }
  return !is_unused(conf, location, &LocConf::force_authn) || *location.force_authn.value == 0 ||
         refuse_unused(cf, location, "saml_force_authn", location.force_authn.origin);
}

}  // namespace

void find_active(MainConf& conf) {
  for (LocConf* location : conf.locations) {
    location->on = location->auth_saml.is_set() && !location->auth_saml.value->off &&
                   !location->endpoints_here;
    if (location->on) location->server->protects = location->server->active = conf.active = true;
    if (location->endpoints_here) location->server->has_endpoints_location = true;
  }
}

bool check_locations(ngx_conf_t* cf, const MainConf& conf, const LocConf* http_level) {
  const std::set<const LocConf*> used = levels_in_use(conf);
  if (!check_require_in_use(cf, *http_level, used) || !check_settings_in_use(cf, conf, *http_level)) return false;
  return std::all_of(conf.locations.begin(), conf.locations.end(), [&](const LocConf* location) {
    warn_of_optional_space(cf, *location);
    return check_names(cf, conf, *location) && check_required_idps(cf, conf, *location) && check_optional(cf, *location) &&
           check_endpoints(cf, *location) && check_require_in_use(cf, *location, used) &&
           check_settings_in_use(cf, conf, *location);
  });
}

}  // namespace sallyport::ngx
