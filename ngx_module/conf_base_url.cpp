// The address of a server for browsers when saml_base_url does not say it: never from the Host
// header, so only where names and ports leave one answer.
#include "conf_finish.h"

#include <set>

#include "bridge.h"
#include "conf_message.h"

namespace sallyport::ngx {

namespace {

struct Listening {
  std::set<unsigned> ports;
  bool has_ssl = false;
  bool has_plain = false;
};

bool is_ssl(const ngx_http_listen_opt_t& options) {
#if (NGX_HTTP_V3)
  if (options.quic) return true;
#endif
  return options.ssl;
}

bool serves(const ngx_http_conf_addr_t& address, const ngx_http_core_srv_conf_t* server) {
  auto* const* servers = static_cast<ngx_http_core_srv_conf_t* const*>(address.servers.elts);
  for (ngx_uint_t i = 0; i < address.servers.nelts; ++i) {
    if (servers[i] == server) return true;
  }
  return false;
}

Listening find_listening(ngx_conf_t* cf, const ngx_http_core_srv_conf_t* server) {
  Listening found;
  const auto* core = static_cast<const ngx_http_core_main_conf_t*>(
      ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
  if (core->ports == nullptr) return found;
  const auto* ports = static_cast<const ngx_http_conf_port_t*>(core->ports->elts);
  for (ngx_uint_t p = 0; p < core->ports->nelts; ++p) {
    const auto* addresses = static_cast<const ngx_http_conf_addr_t*>(ports[p].addrs.elts);
    for (ngx_uint_t a = 0; a < ports[p].addrs.nelts; ++a) {
      if (!serves(addresses[a], server)) continue;
      // Browsers do not come through unix sockets.
      if (ports[p].family == AF_UNIX) continue;
      found.ports.insert(ports[p].port);
      (is_ssl(addresses[a].opt) ? found.has_ssl : found.has_plain) = true;
    }
  }
  return found;
}

// The server's only name, when it is one that a browser can ask for; else what is wrong.
std::string_view single_name(const ngx_http_core_srv_conf_t* server, std::string* problem) {
  const auto* names = static_cast<const ngx_http_server_name_t*>(server->server_names.elts);
  if (server->server_names.nelts != 1) {
    *problem = "it has several names";
    return {};
  }
#if (NGX_PCRE)
  if (names[0].regex != nullptr) {
    *problem = "its name is a regular expression";
    return {};
  }
#endif
  const std::string_view name = view(names[0].name);
  if (name.empty() || name == "_") {
    *problem = "it has no server_name";
  } else if (name.find('*') != std::string_view::npos || name.front() == '.') {
    *problem = "its name " + quoted(name) + " is a wildcard";
  } else {
    return name;
  }
  return {};
}

std::string derive(ngx_conf_t* cf, const SrvConf& server, std::string* problem) {
  const std::string_view name = single_name(server.core, problem);
  if (!problem->empty()) return {};
  const Listening listening = find_listening(cf, server.core);
  if (listening.ports.size() != 1 || listening.has_ssl == listening.has_plain) {
    *problem = listening.ports.empty()       ? "it listens on no port"
               : listening.ports.size() == 1 ? "its port speaks both http and https"
                                             : "it listens on several ports";
    return {};
  }
  const unsigned port = *listening.ports.begin();
  std::string url = listening.has_ssl ? "https://" : "http://";
  url += name;
  if (port != (listening.has_ssl ? 443U : 80U)) url += ":" + std::to_string(port);
  return url;
}

}  // namespace

bool listens_on(ngx_conf_t* cf, const SrvConf& server, unsigned port) {
  return find_listening(cf, server.core).ports.count(port) != 0;
}

bool resolve_base_url(ngx_conf_t* cf, SrvConf& server) {
  if (server.base_url.is_set()) {
    server.base = *server.base_url.value;
    return true;
  }
  std::string problem;
  server.base = derive(cf, server, &problem);
  if (problem.empty()) return true;
  conf_error(cf, origin_of(server.core),
             "this server has \"auth_saml\" and needs \"saml_base_url\", the address that browsers "
             "use, because " + problem + "; write for example \"saml_base_url "
                                    "https://app.example.com;\"");
  return false;
}

}  // namespace sallyport::ngx
