#include "site.h"

#include <algorithm>

#include "bridge.h"

namespace sallyport::ngx {

namespace {

bool matches_expression(const SrvConf& server, std::string_view host) {
#if (NGX_PCRE)
  ngx_str_t subject = borrow(host);
  for (const ngx_http_regex_t* expression : server.host_expressions) {
    if (ngx_regex_exec(expression->regex, &subject, nullptr, 0) >= 0) return true;
  }
#else
  static_cast<void>(server);
  static_cast<void>(host);
#endif
  return false;
}

}  // namespace

bool is_named_host(const SrvConf& server, std::string_view host) {
  return is_plain_host(host) && (server.host_names.covers(host) || matches_expression(server, host));
}

bool carries_for(const SrvConf& server, std::string_view host) {
  return std::any_of(server.carries_for.begin(), server.carries_for.end(),
                     [&](const SrvConf* other) { return is_named_host(*other, host); });
}

Site site_kind(ngx_http_request_t* r) {
  const SrvConf& server = *srv_conf(r);
  const std::string_view host = view(r->headers_in.server);
  if (!server.hands_over || host == server.base_host) return Site::kBase;
  return is_named_host(server, host) ? Site::kOther : Site::kUnknown;
}

std::string unknown_host(ngx_http_request_t* r) {
  return "the host <" + std::string(view(r->headers_in.server)) + "> of the request is no server_name of this server";
}

bool is_for_site(ngx_http_request_t* r, Site kind, std::string_view host) {
  const SrvConf& server = *srv_conf(r);
  if (kind == Site::kUnknown) return false;
  const std::string_view own = server.base_host;
  const std::string_view here = kind == Site::kOther ? view(r->headers_in.server) : own;
  const std::string_view there = host.empty() ? own : host;
  const std::string_view domain = server.cookie_settings.domain;
  return here == there || (!domain.empty() && is_in_domain(here, domain) && is_in_domain(there, domain));
}

std::string site_of(ngx_http_request_t* r) {
  const SrvConf& server = *srv_conf(r);
  return site_kind(r) == Site::kOther ? site_of(server, view(r->headers_in.server)) : server.base;
}

std::string site_of(const SrvConf& server, std::string_view host) {
  std::string site = server.base;
  const std::size_t begin = site.find("://") + 3;
  return site.replace(begin, server.base_host.size(), host);
}

}  // namespace sallyport::ngx
