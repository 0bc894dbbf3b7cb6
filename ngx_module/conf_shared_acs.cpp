// One ACS for many hosts (DESIGN 5.2): where saml_base_url is another host's address, the server of that name carries out
// the logins.
#include <algorithm>

#include "base/url.h"
#include "bridge.h"
#include "conf_finish.h"
#include "conf_message.h"
#include "site.h"

namespace sallyport::ngx {

namespace {

void read_names(SrvConf& server) {
  const auto* names = static_cast<const ngx_http_server_name_t*>(server.core->server_names.elts);
  for (ngx_uint_t i = 0; i < server.core->server_names.nelts; ++i) {
#if (NGX_PCRE)
    if (names[i].regex != nullptr) {
      server.host_expressions.push_back(names[i].regex);
      continue;
    }
#endif
    server.host_names.add(view(names[i].name));
  }
}

// The servers that have the name written out: those at the address's own port, where there are such. (TLS may end at a
// balancer, which comes to any port.)
std::vector<SrvConf*> servers_of(ngx_conf_t* cf, const MainConf& conf, const Url& address) {
  std::vector<SrvConf*> named;
  for (SrvConf* server : conf.servers) {
    if (server->host_names.has(address.host)) named.push_back(server);
  }
  const auto is_elsewhere = [&](const SrvConf* server) { return !listens_on(cf, *server, address.port); };
  if (!std::all_of(named.begin(), named.end(), is_elsewhere)) {
    named.erase(std::remove_if(named.begin(), named.end(), is_elsewhere), named.end());
  }
  return named;
}

bool is_single_host(const SrvConf& server) {
  return server.core->server_names.nelts <= 1 && server.host_names.is_single();
}

void link(ngx_conf_t* cf, const MainConf& conf, SrvConf& server) {
  const auto address = parse_url(*server.base_url.value);
  // A server of that one name is at home there, whatever ports there are.
  if (!address || (server.host_names.has(address->host) && is_single_host(server))) return;
  std::vector<SrvConf*> carriers = servers_of(cf, conf, *address);
  if (carriers.empty() && is_named_host(server, address->host)) carriers.push_back(&server);
  if (carriers.empty()) return;
  server.hands_over = true;
  for (SrvConf* carrier : carriers) carrier->carries_for.push_back(&server);
}

std::string server_at(const SrvConf& server) { return "the server at " + place(origin_of(server.core)); }

// What the two must have in common; nullopt: they do.
std::optional<std::string> difference(const SrvConf& server, const SrvConf& carrier) {
  if (*server.entity_id.value != *carrier.entity_id.value) {
    return "\"saml_entity_id\" is " + quoted(*server.entity_id.value) + " there and " + quoted(*carrier.entity_id.value) +
           " here";
  }
  if (server.base != carrier.base) {
    return "\"saml_base_url\" is " + quoted(server.base) + " there and " + quoted(carrier.base) + " here";
  }
  if (server.prefix != carrier.prefix) {
    return "\"saml_endpoint\" is " + quoted(server.prefix) + " there and " + quoted(carrier.prefix) + " here";
  }
  if (server.secret != carrier.secret) return "\"saml_secret_file\" differs";
  return std::nullopt;
}

bool check(ngx_conf_t* cf, const SrvConf& server, const SrvConf& carrier) {
  const auto what = difference(server, carrier);
  if (!what) return true;
  conf_error(cf, origin_of(carrier.core),
             "this server has the name that saml_base_url of " + server_at(server) + " leads to, and must carry out its "
             "logins, but " + *what + "; write the directive once, in http");
  return false;
}

}  // namespace

void find_shared_acs(ngx_conf_t* cf, MainConf& conf) {
  if (!conf.active) return;
  for (SrvConf* server : conf.servers) read_names(*server);
  for (SrvConf* server : conf.servers) {
    if (server->active && server->base_url.is_set()) link(cf, conf, *server);
  }
  for (SrvConf* server : conf.servers) server->active = server->active || !server->carries_for.empty();
}

bool check_shared_acs(ngx_conf_t* cf, const MainConf& conf) {
  for (const SrvConf* carrier : conf.servers) {
    for (const SrvConf* server : carrier->carries_for) {
      if (!check(cf, *server, *carrier)) return false;
    }
  }
  return true;
}

}  // namespace sallyport::ngx
