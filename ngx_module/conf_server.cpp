// What an active server is towards browsers and IdPs.
#include "conf_finish.h"

#include <algorithm>

#include "base/url.h"
#include "conf_message.h"

namespace sallyport::ngx {

namespace {

bool check_entity_id(ngx_conf_t* cf, const SrvConf& server) {
  if (server.entity_id.is_set()) return true;
  if (!server.carries_for.empty()) {
    conf_error(cf, origin_of(server.core),
               "this server has the name that saml_base_url of the server at " +
                   place(origin_of(server.carries_for.front()->core)) +
                   " leads to, and no \"saml_entity_id\"; write the same one as there, or once in http");
    return false;
  }
  conf_error(cf, origin_of(server.core),
             "this server has \"auth_saml\" but no \"saml_entity_id\", the name by which the IdP "
             "knows it; write \"saml_entity_id https://app.example.com/saml/metadata;\" with this "
             "server's own name (it is usually the address of its metadata)");
  return false;
}

// Where to complain about the cookie.
Origin cookie_origin(const SrvConf& server) {
  return server.cookie.is_set() ? server.cookie.origin : origin_of(server.core);
}

bool check_cookie(ngx_conf_t* cf, const SrvConf& server, const SrvConf::Cookie& cookie,
                  const Url& base, bool secure) {
  std::string problem;
  if (!cookie.domain.empty() && !is_in_domain(base.host, cookie.domain)) {
    problem = "\"saml_cookie\": \"domain=" + cookie.domain + "\" does not cover " +
              quoted(base.host) +
              " of saml_base_url, so browsers would refuse the cookie; write a domain that the "
              "host ends in, or none";
  } else if (cookie.same_site == session::SameSite::kNone && !secure) {
    problem = "\"saml_cookie\": browsers refuse \"samesite=none\" without https; give "
              "saml_base_url with https, or write \"samesite=lax\"";
  } else if (secure && base.scheme == "http") {
    problem = "\"saml_cookie\": \"secure=on\" while saml_base_url is " + quoted(server.base) +
              ": browsers would not send the cookie; give saml_base_url with https (TLS may end at "
              "a balancer), or write \"secure=auto\"";
  }
  if (problem.empty()) return true;
  conf_error(cf, cookie_origin(server), problem);
  return false;
}

bool resolve_cookie(ngx_conf_t* cf, SrvConf& server, const Url& base) {
  using Secure = SrvConf::Cookie::Secure;
  const SrvConf::Cookie cookie = server.cookie.or_default({});
  const bool secure =
      cookie.secure == Secure::kOn || (cookie.secure == Secure::kAuto && base.scheme == "https");
  if (!check_cookie(cf, server, cookie, base, secure)) return false;
  server.cookie_settings.name = session::full_cookie_name(cookie.name, secure, cookie.domain);
  server.cookie_settings.domain = cookie.domain;
  server.cookie_settings.same_site = cookie.same_site;
  server.cookie_settings.secure = secure;
  return true;
}

void warn_of_http(ngx_conf_t* cf, const SrvConf& server) {
  conf_warning(cf, server.base_url.is_set() ? server.base_url.origin : origin_of(server.core),
               "the address of this server is " + quoted(server.base) +
                   ": over plain http anybody on the way can read the session cookie and the login "
                   "cookie goes without SameSite; use https, and where TLS ends at a balancer "
                   "write its address with saml_base_url");
}

// Whether browsers send the one server's session cookie to the other one, too.
bool reaches(const SrvConf& server, const SrvConf& other) {
  const std::string& domain = server.cookie_settings.domain;
  return domain.empty() ? server.base_host == other.base_host : is_in_domain(other.base_host, domain);
}

bool share_cookie(const SrvConf& a, const SrvConf& b) {
  return a.cookie_settings.name == b.cookie_settings.name && *a.entity_id.value != *b.entity_id.value &&
         (reaches(a, b) || reaches(b, a));
}

}  // namespace

void warn_of_shared_cookies(ngx_conf_t* cf, const MainConf& conf) {
  std::vector<const SrvConf*> seen;
  for (const SrvConf* server : conf.servers) {
    // One that hands its logins over has its cookie on hosts of its own.
    if (!server->protects || server->hands_over) continue;
    const auto other = std::find_if(seen.begin(), seen.end(), [&](const SrvConf* each) { return share_cookie(*server, *each); });
    if (other != seen.end()) {
      conf_warning(cf, origin_of(server->core),
                   "the cookie " + quoted(server->cookie_settings.name) + " of this server and of the one at " +
                       place(origin_of((*other)->core)) + " is one to browsers (ports do not count), and their entity IDs "
                       "differ: a login at one ends the session at the other; write \"saml_cookie OTHER;\" in one of them");
    }
    seen.push_back(server);
  }
}

bool resolve_server(ngx_conf_t* cf, SrvConf& server) {
  if (!check_entity_id(cf, server) || !resolve_base_url(cf, server)) return false;
  const std::optional<Url> base = parse_url(server.base);
  if (!base) {
    conf_error(cf, origin_of(server.core), "\"saml_base_url\" is needed: " + quoted(server.base) +
                                               " is no URL that a browser could use");
    return false;
  }
  server.base_origin = base->origin();
  server.base_host = base->host;
  server.prefix = server.endpoint.or_default("/saml");
  if (base->scheme == "http") warn_of_http(cf, server);
  return resolve_cookie(cf, server, *base);
}

}  // namespace sallyport::ngx
