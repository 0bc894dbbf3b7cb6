// `saml_redis NAME { }` (DESIGN 2.4) as the workers use it.
#pragma once

#include "ngx.h"

#include <cstddef>
#include <string>
#include <vector>

#include "base/instant.h"
#include "conf.h"

namespace sallyport::ngx {

// One `server` line.
struct RedisServer {
  std::string text;                    // as written, for messages
  std::string host;                    // a name or an address without brackets; empty for a unix socket
  std::vector<ngx_addr_t> addresses;   // as resolved at start, in the cycle's pool
};

struct RedisConf {
  std::string name;
  Origin origin;
  RedisServer server;
  unsigned database = 0;
  std::string username;
  std::string password;                // empty: none
  bool is_tls = false;
  std::string tls_name;                // ssl_name; empty: the node's own name or address
#if (NGX_SSL)
  ngx_ssl_t* ssl = nullptr;            // of the cycle; set where is_tls
#endif
  Millis connect_timeout = 1000;       // connecting, TLS, AUTH, SELECT and a first PING together
  Millis timeout = 500;                // of one command
  std::size_t keepalive = 8;           // connections per worker
  std::string key_prefix = "sso:";
  Millis cache_time = 5 * kSecond;
  Millis grace = kMinute;
};

}  // namespace sallyport::ngx
