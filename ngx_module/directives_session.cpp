// Directives of sessions: where they are kept and in which cookie.
#include "directives.h"

#include <algorithm>

#include "base/encoding.h"
#include "conf_file.h"
#include "conf_value.h"

namespace sallyport::ngx {

namespace {

constexpr std::size_t kMinZone = 256 * 1024;

constexpr Word<session::SameSite> kSameSite[] = {{"lax", session::SameSite::kLax},
                                                 {"strict", session::SameSite::kStrict},
                                                 {"none", session::SameSite::kNone}};
constexpr Word<SrvConf::Cookie::Secure> kSecure[] = {{"auto", SrvConf::Cookie::Secure::kAuto},
                                                     {"on", SrvConf::Cookie::Secure::kOn},
                                                     {"off", SrvConf::Cookie::Secure::kOff}};

bool begins_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool check_cookie_name(ngx_conf_t* cf, std::string_view name) {
  const std::string lower = ascii_lower(name);
  std::string problem;
  if (!is_token(name) || name.size() > 64 || name.find('$') != std::string_view::npos) {
    problem = "is not a cookie name of at most 64 characters, without variables; write for example \"saml_session\"";
  } else if (begins_with(lower, "__host-") || begins_with(lower, "__secure-")) {
    problem = "begins with a prefix that browsers reserve; leave it out, \"__Host-\" is put before "
              "the name by itself where https and no domain allow it";
  }
  if (problem.empty()) return true;
  conf_error(cf, "\"saml_cookie\": " + quoted(name) + " " + problem);
  return false;
}

// A domain of at least two labels; a leading dot means the same and is dropped.
bool set_domain(ngx_conf_t* cf, SrvConf::Cookie& cookie, std::string_view domain) {
  if (!domain.empty() && domain.front() == '.') domain.remove_prefix(1);
  const bool well_formed =
      domain.find('.') != std::string_view::npos && domain.front() != '.' && domain.back() != '.' &&
      domain.size() <= 253 && domain.find("..") == std::string_view::npos &&
      std::all_of(domain.begin(), domain.end(), [](char byte) {
        return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
               (byte >= '0' && byte <= '9') || byte == '-' || byte == '.';
      });
  if (!well_formed) {
    conf_error(cf, "\"saml_cookie\": " + quoted(domain) +
                       " is not a domain that hosts can share; write for example "
                       "\"domain=example.com\"");
    return false;
  }
  cookie.domain = ascii_lower(domain);
  return true;
}

bool set_cookie_option(ngx_conf_t* cf, SrvConf::Cookie& cookie, std::string_view option) {
  const std::size_t equals = option.find('=');
  const std::string_view key = option.substr(0, equals);
  const std::string_view value =
      equals == std::string_view::npos ? std::string_view() : option.substr(equals + 1);
  if (key == "domain" && equals != std::string_view::npos) return set_domain(cf, cookie, value);
  if (key == "samesite" && equals != std::string_view::npos) {
    const auto same_site = find_word(cf, kSameSite, value);
    if (same_site) cookie.same_site = *same_site;
    return same_site.has_value();
  }
  if (key == "secure" && equals != std::string_view::npos) {
    const auto secure = find_word(cf, kSecure, value);
    if (secure) cookie.secure = *secure;
    return secure.has_value();
  }
  conf_error(cf, "\"saml_cookie\" does not know " + quoted(option) +
                     "; after the name come \"domain=D\", \"samesite=lax|strict|none\" and "
                     "\"secure=auto|on|off\" (HttpOnly is always set)");
  return false;
}

}  // namespace

bool set_session_zone(ngx_conf_t* cf, MainConf& conf) {
  if (!check_first(cf, conf.zone_name.is_set(), conf.zone_name.origin)) return false;
  const std::string_view text = words(cf)[1];
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !is_simple_name(text.substr(0, colon))) {
    conf_error(cf, "\"saml_session_zone\" wants name:size, like \"saml:16m\", not " + quoted(text));
    return false;
  }
  const std::optional<std::size_t> size = parse_size(cf, text.substr(colon + 1));
  if (!size) return false;
  if (*size < kMinZone) {
    conf_error(cf, "\"saml_session_zone\": a zone has at least 256k; 16m hold about 8000 sessions");
    return false;
  }
  conf.zone_name.value = std::string(text.substr(0, colon));
  conf.zone_name.origin = here(cf);
  conf.zone_size = *size;
  return true;
}

bool set_session_store(ngx_conf_t* cf, MainConf& conf) {
  if (!check_first(cf, conf.session_store.is_set(), conf.session_store.origin)) return false;
  const std::string_view text = words(cf)[1];
  constexpr std::string_view kRedis = "redis=";
  if (begins_with(text, kRedis)) conf.store_redis = std::string(text.substr(kRedis.size()));
  if (!is_word(text, "shm") && conf.store_redis.empty()) {
    conf_error(cf, "\"saml_session_store\" takes \"shm\" or \"redis=NAME\", the name of a saml_redis block, not " +
                       quoted(text));
    return false;
  }
  conf.session_store.value = std::string(text);
  conf.session_store.origin = here(cf);
  return true;
}

std::optional<std::vector<std::string>> secret_files_value(ngx_conf_t* cf) {
  std::vector<std::string> files;
  for (std::size_t i = 1; i < words(cf).size(); ++i) {
    const auto path = full_path(cf, words(cf)[i]);
    if (!path) return std::nullopt;
    files.push_back(*path);
  }
  return files;
}

std::optional<SrvConf::Cookie> cookie_value(ngx_conf_t* cf) {
  const std::vector<std::string_view> arguments = words(cf);
  SrvConf::Cookie cookie;
  if (!check_cookie_name(cf, arguments[1])) return std::nullopt;
  cookie.name = std::string(arguments[1]);
  std::vector<std::string_view> seen;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const std::string_view key = arguments[i].substr(0, arguments[i].find('='));
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      conf_error(cf, "\"saml_cookie\" has " + quoted(key) + " twice: remove one");
      return std::nullopt;
    }
    seen.push_back(key);
    if (!set_cookie_option(cf, cookie, arguments[i])) return std::nullopt;
  }
  return cookie;
}

}  // namespace sallyport::ngx
