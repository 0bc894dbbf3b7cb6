#include "relay_target.h"

#include <algorithm>

#include "base/host_names.h"
#include "base/url.h"
#include "conf.h"
#include "endpoints.h"
#include "login_flow.h"
#include "site.h"

namespace sallyport::ngx {

namespace {

std::string path_or_root(std::string_view path) { return local_or(std::string(path), "/"); }

// What is behind `site` in the address; empty: it is not of that site.
std::string_view path_under(std::string_view site, std::string_view address) {
  const bool is_under = address.size() > site.size() && address.substr(0, site.size()) == site && address[site.size()] == '/';
  return is_under ? address.substr(site.size()) : std::string_view();
}

}  // namespace

std::string return_target(ngx_http_request_t* r, const std::optional<std::string>& value) {
  const SrvConf& server = *srv_conf(r);
  const auto address = value && value->size() <= session::kMaxReturnUrl ? parse_url(*value) : std::nullopt;
  if (!address) return local_or(value, "/");
  const std::string site = site_of(server, address->host);
  const std::string_view path = path_under(site, *value);
  if (path.empty() || !is_local_path(path)) return "/";
  if (site == site_of(r)) return std::string(path);
  const std::string_view domain = server.cookie_settings.domain;
  const bool is_shared = site_kind(r) == Site::kBase && !domain.empty() && is_in_domain(address->host, domain);
  return is_shared ? *value : "/";
}

std::string path_here(ngx_http_request_t* r, std::string_view relay_state) {
  const std::string_view path = path_under(site_of(r), relay_state);
  return path_or_root(path.empty() ? relay_state : path);
}

std::string login_url_for(ngx_http_request_t* r, std::string_view relay_state) {
  const SrvConf& server = *srv_conf(r);
  if (const auto address = parse_url(relay_state)) {
    const std::string site = site_of(server, address->host);
    const std::string_view path = path_under(site, relay_state);
    if (!path.empty() && carries_for(server, address->host)) {
      return login_url_at(site, server, nullptr, path_or_root(path), 0);
    }
  }
  return server.protects ? login_url(r, nullptr, path_here(r, relay_state)) : std::string();
}

}  // namespace sallyport::ngx
