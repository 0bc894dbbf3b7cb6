// `saml_redis NAME { }` (DESIGN 2.4) as the workers use it.
#pragma once

#include "ngx.h"

#include <cstddef>
#include <string>
#include <vector>

#include "base/instant.h"
#include "conf.h"
#include "redis/topology.h"
#include "redis_address.h"

namespace sallyport::ngx {

// One `server` line.
struct RedisServer {
  std::string text;                    // as written, for messages
  redis::NodeAddress at;               // the host an address without brackets or a name; empty for a unix socket
  std::vector<RedisAddress> addresses; // as found at start; none: the name could not be resolved then
  Origin origin;

  bool is_unix() const { return at.host.empty(); }
};

enum class RedisMode { kSingle, kSentinel, kCluster };

struct RedisConf {
  std::string name;
  Origin origin;
  RedisMode mode = RedisMode::kSingle;
  std::string master;                  // its name at the sentinels
  std::vector<RedisServer> servers;    // the one; the sentinels; nodes that know the cluster
  unsigned database = 0;
  std::string username;
  std::string password;                // empty: none
  std::string sentinel_username;
  std::string sentinel_password;       // empty: none
  bool is_tls = false;
  std::string tls_name;                // ssl_name; empty: the node's own name or address
#if (NGX_SSL)
  ngx_ssl_t* ssl = nullptr;            // of the cycle; set where is_tls
#endif
  ngx_resolver_t* resolver = nullptr;  // null: names are resolved at start alone
  ngx_msec_t resolver_timeout = 0;
  Millis connect_timeout = 1000;       // connecting, TLS, AUTH, SELECT and a first PING together
  Millis timeout = 500;                // of one command
  std::size_t keepalive = 8;           // connections per worker
  std::string key_prefix = "sso:";
  Millis cache_time = 5 * kSecond;
  Millis grace = kMinute;
};

}  // namespace sallyport::ngx
