// Directives of locations: who may enter, and what the application gets to see.
#include "directives.h"

#include <algorithm>

#include "base/encoding.h"
#include "conf_value.h"
#include "gate_handlers.h"
#include "policy/single_value.h"

namespace sallyport::ngx {

namespace {

constexpr std::size_t kMaxHeaderBytes = 64 * 1024;  // no session record holds more

constexpr Word<login::RequireKey> kRequireKeys[] = {
    {"user", login::RequireKey::kUser},   {"email", login::RequireKey::kEmail},
    {"idp", login::RequireKey::kIdp},     {"space", login::RequireKey::kSpace},
    {"role", login::RequireKey::kRole},   {"group", login::RequireKey::kGroup},
};
constexpr std::string_view kAttributeKey = "attr:";
constexpr const char* kRequireHelp =
    "; known keys: user, email, idp, space, role, group, attr:NAME; write for example "
    "\"saml_require group=Engineering;\"";

// Headers that frame or route the request: an identity value must never take their place.
constexpr std::string_view kRefusedHeaders[] = {"host",    "connection", "content-length",
                                                "transfer-encoding", "te", "trailer", "upgrade",
                                                "cookie",  "expect"};

// nginx's variables that show what the client wrote, beside those of its arguments, cookies and headers. Not $host, which must
// be a name of the server's.
constexpr std::string_view kClientVariables[] = {
    "args",    "content_length", "content_type",      "document_uri",     "is_args",        "query_string", "remote_user",
    "request", "request_body",   "request_body_file", "request_filename", "request_method", "request_uri",  "ssl_server_name",
    "uri"};

bool is_chosen_by_client(std::string_view variable) {
  for (const std::string_view source : {"arg_", "cookie_", "http_"}) {
    if (variable.substr(0, source.size()) == source) return true;
  }
  return std::find(std::begin(kClientVariables), std::end(kClientVariables), variable) != std::end(kClientVariables);
}

// The names of the variables in a text, as nginx reads them: without regard to case.
std::vector<std::string> variables_in(std::string_view text) {
  constexpr std::string_view kNameBytes = "abcdefghijklmnopqrstuvwxyz0123456789_";
  const std::string lower = ascii_lower(text);
  std::vector<std::string> names;
  for (std::size_t at = lower.find('$'); at != std::string::npos; at = lower.find('$', at)) {
    if (lower[++at] == '{') ++at;
    names.push_back(lower.substr(at, std::min(lower.find_first_not_of(kNameBytes, at), lower.size()) - at));
  }
  return names;
}

bool set_auth_variable(ngx_conf_t* cf, LocConf::AuthSaml& auth, std::string_view text) {
  for (const std::string& name : variables_in(text)) {
    if (!name.empty() && !is_chosen_by_client(name)) continue;
    conf_error(cf, "\"auth_saml " + std::string(text) + "\": " +
                       (name.empty() ? "a variable has a name behind \"$\"; write for example \"auth_saml $org;\""
                                     : "the client chooses this variable freely and so could choose the "
                                       "weakest IdP; use a map of $host instead"));
    return false;
  }
  auth.is_variable = true;
  auth.variable_name = std::string(text.substr(text.find_first_not_of("${")));
  auth.variable_name.erase(auth.variable_name.find_last_not_of('}') + 1);
  auth.variable_name = ascii_lower(auth.variable_name);
  return compile_value(cf, text, &auth.variable);
}

bool add_auth_name(ngx_conf_t* cf, LocConf::AuthSaml& auth, std::string_view name) {
  std::string problem;
  if (is_word(name, "off")) problem = "\"off\" stands alone: write \"auth_saml off;\"";
  if (name.find('$') != std::string_view::npos) {
    problem = "a variable stands alone: write \"auth_saml " + std::string(name) + ";\"";
  }
  if (std::find(auth.names.begin(), auth.names.end(), name) != auth.names.end()) {
    problem = "\"auth_saml\" names " + quoted(name) + " twice: remove one";
  }
  if (!problem.empty()) {
    conf_error(cf, problem);
    return false;
  }
  auth.names.emplace_back(name);
  return true;
}

// The key of one key=value of saml_require.
bool read_require_key(ngx_conf_t* cf, std::string_view key, RequireConf& out) {
  out.key_text = std::string(key);
  if (key.substr(0, kAttributeKey.size()) == kAttributeKey && key.size() > kAttributeKey.size()) {
    out.key = login::RequireKey::kAttribute;
    out.attribute = std::string(key.substr(kAttributeKey.size()));
    return true;
  }
  for (const auto& known : kRequireKeys) {
    if (known.text == key) {
      out.key = known.value;
      return true;
    }
  }
  conf_error(cf, "\"saml_require\" does not know the key " + quoted(key) + kRequireHelp);
  return false;
}

// What nobody can ever meet, and what to write instead; empty for a good value, and for one that only requests know.
std::string why_never_met(const RequireConf& require) {
  if (!is_constant(require.value)) return {};
  const std::string_view text = view(require.value.value);
  if (policy::is_blank(text)) return "a blank value never matches, so nobody could enter; write the value";
  if (text.front() == '"' || text.front() == '\'') {
    return "the quotes would be part of the value: put them around the whole pair: \"" + require.key_text + "=...\"";
  }
  const std::size_t colon = text.rfind(':');
  if (require.key == login::RequireKey::kSpace && (colon == 0 || colon + 1 == text.size())) {
    return "a space or role is missing beside the colon; write \"space=NAME\" or \"space=NAME:ROLE\"";
  }
  return {};
}

bool add_require_pair(ngx_conf_t* cf, RequireLine& line, std::string_view pair) {
  if (pair == "off") {
    conf_error(cf, "\"off\" stands alone: write \"saml_require off;\"");
    return false;
  }
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos) {
    conf_error(cf, "\"saml_require\" wants key=value, not " + quoted(pair) + kRequireHelp);
    return false;
  }
  RequireConf require{};
  if (!read_require_key(cf, pair.substr(0, equals), require) || !compile_value(cf, pair.substr(equals + 1), &require.value)) {
    return false;
  }
  if (const std::string problem = why_never_met(require); !problem.empty()) {
    conf_error(cf, "\"saml_require " + std::string(pair) + "\": " + problem);
    return false;
  }
  line.pairs.push_back(std::move(require));
  return true;
}

bool check_header_name(ngx_conf_t* cf, std::string_view name) {
  if (!is_token(name) || name.find('$') != std::string_view::npos) {
    conf_error(cf, "\"saml_header\": " + quoted(name) +
                       " is not a header name; use letters, digits and \"-\", and variables in the value only");
    return false;
  }
  const std::string folded = StripSet::fold(name);
  for (const std::string_view refused : kRefusedHeaders) {
    if (folded != refused) continue;
    conf_error(cf, "\"saml_header\" must not set " + quoted(name) +
                       ": it frames or routes the request; choose a name of its own, for example "
                       "\"X-App-User\"");
    return false;
  }
  return true;
}

}  // namespace

bool set_auth_saml(ngx_conf_t* cf, LocConf& conf) {
  if (!check_first(cf, conf.auth_saml.is_set(), conf.auth_saml.origin)) return false;
  const std::vector<std::string_view> arguments = words(cf);
  LocConf::AuthSaml auth;
  if (arguments.size() == 2 && is_word(arguments[1], "off")) {
    auth.off = true;
  } else if (arguments.size() == 2 && arguments[1].find('$') != std::string_view::npos) {
    if (!set_auth_variable(cf, auth, arguments[1])) return false;
  } else {
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      if (!add_auth_name(cf, auth, arguments[i])) return false;
    }
  }
  conf.auth_saml.value = std::move(auth);
  conf.auth_saml.origin = here(cf);
  return true;
}

bool add_require(ngx_conf_t* cf, LocConf& conf) {
  const std::vector<std::string_view> arguments = words(cf);
  if (arguments.size() == 2 && is_word(arguments[1], "off")) {
    if (conf.require_off) {
      conf_error(cf, "\"saml_require off\" stands here twice: remove one");
      return false;
    }
    conf.require_off = true;
    return true;
  }
  RequireLine line;
  line.origin = here(cf);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!add_require_pair(cf, line, arguments[i])) return false;
  }
  conf.require_lines.push_back(std::move(line));
  conf.has_own_require = true;
  return true;
}

std::optional<Millis> force_authn_value(ngx_conf_t* cf) {
  if (is_word(words(cf)[1], "off")) return 0;
  return positive_time_value(cf);
}

std::optional<LocConf::Space> space_value(ngx_conf_t* cf) {
  const std::string_view text = words(cf)[1];
  LocConf::Space space;
  space.off = is_word(text, "off");
  if (space.off) return space;
  if (text.empty()) {
    conf_error(cf, "\"saml_space\" wants the request's active space, usually a variable like \"$space\", or "
                   "\"off\"");
    return std::nullopt;
  }
  if (!compile_value(cf, text, &space.value)) return std::nullopt;
  return space;
}

std::optional<std::string> headers_prefix_value(ngx_conf_t* cf) {
  const std::string_view prefix = words(cf)[1];
  if (is_word(prefix, "off")) return std::string();
  if (!is_token(prefix) || prefix.back() != '-' || prefix.size() < 2 || prefix.size() > 64 ||
      prefix.find('$') != std::string_view::npos) {
    conf_error(cf, "\"saml_headers\" takes \"off\" or the beginning of header names, without variables and ending in "
                   "\"-\" like \"X-SSO-\", not " + quoted(prefix));
    return std::nullopt;
  }
  return std::string(prefix);
}

bool add_header(ngx_conf_t* cf, LocConf& conf) {
  const std::vector<std::string_view> arguments = words(cf);
  const std::string_view name = arguments[1];
  if (!check_header_name(cf, name)) return false;
  if (!conf.extra_headers) conf.extra_headers = std::make_shared<std::vector<ExtraHeader>>();
  for (const ExtraHeader& other : *conf.extra_headers) {
    if (StripSet::fold(view(other.header.name)) != StripSet::fold(name)) continue;
    conf_error(cf, "\"saml_header " + std::string(name) +
                       "\" stands here twice: an application would see either value; remove one");
    return false;
  }
  ExtraHeader header{};
  if (!make_header_name(cf->pool, name, &header.header)) return false;
  header.header.may_be_known = true;
  if (!compile_value(cf, arguments[2], &header.value)) return false;
  conf.extra_headers->push_back(header);
  conf.extra_headers_origin = here(cf);
  conf.has_own_headers = true;
  return true;
}

bool set_header_limit(ngx_conf_t* cf, LocConf& conf) {
  if (!check_first(cf, conf.header_limit_one.is_set(), conf.header_limit_one.origin)) return false;
  const std::vector<std::string_view> arguments = words(cf);
  const std::optional<std::size_t> one = parse_size(cf, arguments[1]);
  const std::optional<std::size_t> total = one ? parse_size(cf, arguments[2]) : std::nullopt;
  if (!total) return false;
  if (*one == 0 || *one > *total || *total > kMaxHeaderBytes) {
    conf_error(cf, "\"saml_header_limit\" wants the limit of one value and then that of all values "
                   "together, which is not smaller and at most 64k, like \"saml_header_limit 4k "
                   "16k;\"");
    return false;
  }
  conf.header_limit_one.value = *one;
  conf.header_limit_total.value = *total;
  conf.header_limit_one.origin = conf.header_limit_total.origin = here(cf);
  return true;
}

bool set_endpoints_here(ngx_conf_t* cf, LocConf& conf) {
  if (!check_first(cf, conf.endpoints_here, conf.endpoints_origin)) return false;
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  core->handler = endpoints_content_handler;
  conf.endpoints_here = true;
  conf.endpoints_origin = here(cf);
  return true;
}

}  // namespace sallyport::ngx
