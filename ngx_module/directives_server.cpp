// Directives of the service provider itself.
#include "directives.h"

#include "base/url.h"
#include "conf_file.h"
#include "conf_value.h"

namespace sallyport::ngx {

namespace {

constexpr Millis kMaxClockSkew = 300 * kSecond;
constexpr std::size_t kMinMessage = 16 * 1024;
constexpr std::size_t kMaxMessage = 16 * 1024 * 1024;
constexpr std::size_t kMaxMetadata = 256 * 1024 * 1024;

bool add_file(ngx_conf_t* cf, std::vector<std::pair<std::string, Origin>>& files) {
  const std::optional<std::string> name = text_value(cf);
  if (!name) return false;
  std::optional<std::string> path = full_path(cf, *name);
  if (!path) return false;
  for (const auto& [other, origin] : files) {
    if (other != *path) continue;
    conf_error(cf, quoted(words(cf)[0]) + " names " + quoted(other) + " twice: remove one");
    return false;
  }
  files.emplace_back(std::move(*path), here(cf));
  return true;
}

}  // namespace

std::optional<std::string> entity_id_value(ngx_conf_t* cf) {
  const std::string_view text = words(cf)[1];
  if (!is_entity_id(text)) {
    conf_error(cf, "\"saml_entity_id\" wants a URI of at most 1024 visible characters without "
                   "variables, usually the address of the metadata like "
                   "\"https://app.example.com/saml/metadata\", not " + quoted(text.substr(0, 256)));
    return std::nullopt;
  }
  return std::string(text);
}

std::optional<std::string> base_url_value(ngx_conf_t* cf) {
  const std::string_view text = words(cf)[1];
  const std::optional<Url> url = parse_url(text);
  std::string problem;
  if (text.find('$') != std::string_view::npos) {
    problem = "must not hold variables: what comes from the request must not decide where logins "
              "end";
  } else if (!url) {
    problem = "is not an absolute http or https URL";
  } else if (url->path.size() > 1 || (url->path.size() == 1 && url->path != "/")) {
    problem = "must not have a path (the endpoints' path is set by saml_endpoint)";
  }
  if (!problem.empty()) {
    conf_error(cf, "\"saml_base_url\": " + quoted(text) + " " + problem +
                       "; write scheme, host and, if unusual, port, like "
                       "\"https://app.example.com\"");
    return std::nullopt;
  }
  return url->origin();
}

std::optional<std::string> endpoint_value(ngx_conf_t* cf) {
  const std::string_view path = words(cf)[1];
  const bool well_formed = path.size() > 1 && path.front() == '/' && path.back() != '/' &&
                           is_visible(path) &&
                           path.find_first_of("?#%$;\\\"'<>&") == std::string_view::npos &&
                           path.find("//") == std::string_view::npos &&
                           (std::string(path) + "/").find("/./") == std::string::npos &&
                           (std::string(path) + "/").find("/../") == std::string::npos;
  if (!well_formed) {
    conf_error(cf, "\"saml_endpoint\" wants a path that begins with \"/\" and does not end with "
                   "it, of plain characters, like \"/saml\", not " + quoted(path));
    return std::nullopt;
  }
  return std::string(path);
}

std::optional<Millis> time_value(ngx_conf_t* cf) { return parse_time(cf, words(cf)[1]); }

std::optional<Millis> positive_time_value(ngx_conf_t* cf) {
  std::optional<Millis> time = time_value(cf);
  if (time && *time < kSecond) {
    conf_error(cf, quoted(words(cf)[0]) + " must be at least 1s");
    time.reset();
  }
  return time;
}

std::optional<Millis> clock_skew_value(ngx_conf_t* cf) {
  std::optional<Millis> time = time_value(cf);
  if (time && *time > kMaxClockSkew) {
    conf_error(cf, "\"saml_clock_skew\" must be at most 300s: a larger one keeps expired answers "
                   "alive; set the clocks right (NTP) instead");
    time.reset();
  }
  return time;
}

std::optional<std::size_t> message_size_value(ngx_conf_t* cf) {
  std::optional<std::size_t> size = parse_size(cf, words(cf)[1]);
  if (size && (*size < kMinMessage || *size > kMaxMessage)) {
    conf_error(cf, "\"saml_max_message_size\" must be between 16k and 16m");
    size.reset();
  }
  return size;
}

std::optional<std::size_t> metadata_size_value(ngx_conf_t* cf) {
  std::optional<std::size_t> size = parse_size(cf, words(cf)[1]);
  if (size && (*size < kMinMessage || *size > kMaxMetadata)) {
    conf_error(cf, "\"saml_max_metadata_size\" must be between 16k and 256m");
    size.reset();
  }
  return size;
}

std::optional<std::string> cache_path_value(ngx_conf_t* cf) {
  const std::string_view path = words(cf)[1];
  if (path.empty() || path.find('$') != std::string_view::npos) {
    conf_error(cf, "\"saml_cache_path\" wants the path of a folder, like \"/var/lib/nginx/saml\"");
    return std::nullopt;
  }
  return full_path(cf, path);
}

std::optional<std::string> idp_directory_value(ngx_conf_t* cf) {
  const std::string_view path = words(cf)[1];
  if (path.empty() || path.find('$') != std::string_view::npos) {
    conf_error(cf, "\"saml_idp_directory\" wants the path of a folder, like \"/etc/nginx/saml_idps\"");
    return std::nullopt;
  }
  return full_path(cf, path.size() > 1 && path.back() == '/' ? path.substr(0, path.size() - 1) : path);
}

std::optional<std::string> template_value(ngx_conf_t* cf) {
  const std::string_view path = words(cf)[1];
  if (!path.empty()) return full_path(cf, path);
  conf_error(cf, quoted(words(cf)[0]) + " wants the path of a file of HTML");
  return std::nullopt;
}

bool add_certificate(ngx_conf_t* cf, SrvConf& conf) { return add_file(cf, conf.certificate_files); }
bool add_certificate_key(ngx_conf_t* cf, SrvConf& conf) { return add_file(cf, conf.key_files); }

}  // namespace sallyport::ngx
