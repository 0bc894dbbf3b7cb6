// `saml_redis NAME { }`.
#include "redis_block.h"

#include <memory>

#include "conf_value.h"
#include "directives.h"
#include "redis_tls.h"

namespace sallyport::ngx {

namespace {

constexpr in_port_t kPort = 6379;
constexpr in_port_t kSentinelPort = 26379;

bool check_presence(ngx_conf_t* cf, const RedisBlock& block, std::string_view line, bool allowed,
                    const std::string& message) {
  if (allowed || !block.has(line)) return true;
  conf_error(cf, block.origin_of(line), block.subject() + message);
  return false;
}

bool check_mode(ngx_conf_t* cf, const RedisBlock& block) {
  const RedisConf& redis = block.redis;
  const bool is_sentinel = redis.mode == RedisMode::kSentinel;
  if (redis.servers.size() > 1 && redis.mode == RedisMode::kSingle) {
    conf_error(cf, redis.servers[1].origin,
               block.subject() + "several \"server\" lines are sentinels or nodes of a cluster: write \"mode sentinel "
                                 "MASTER;\" or \"mode cluster;\", or leave one of them");
    return false;
  }
  for (const char* line : {"sentinel_username", "sentinel_password_file"}) {
    if (!check_presence(cf, block, line, is_sentinel,
                        quoted(line) + " has no effect without \"mode sentinel MASTER;\": remove the line")) {
      return false;
    }
  }
  return check_presence(cf, block, "sentinel_username", !redis.sentinel_password.empty(),
                        "\"sentinel_username\" wants a password: write \"sentinel_password_file FILE;\"") &&
         check_presence(cf, block, "database", redis.mode != RedisMode::kCluster || redis.database == 0,
                        "a cluster has one database: remove \"database\"");
}

bool check_together(ngx_conf_t* cf, const RedisBlock& block) {
  const RedisConf& redis = block.redis;
  if (redis.servers.empty()) {
    conf_error(cf, redis.origin, block.subject() + "write where Redis is: \"server HOST:PORT;\" or \"server unix:PATH;\"");
    return false;
  }
  for (const char* line : {"ssl_trusted_certificate", "ssl_name", "ssl_certificate", "ssl_certificate_key"}) {
    if (!check_presence(cf, block, line, redis.is_tls,
                        quoted(line) + " has no effect without TLS: write \"ssl on;\", or remove the line")) {
      return false;
    }
  }
  return check_presence(cf, block, "ssl_certificate", block.has("ssl_certificate_key"),
                        "\"ssl_certificate\" wants its key: write \"ssl_certificate_key FILE;\"") &&
         check_presence(cf, block, "ssl_certificate_key", block.has("ssl_certificate"),
                        "\"ssl_certificate_key\" wants its certificate: write \"ssl_certificate FILE;\"") &&
         check_presence(cf, block, "username", !redis.password.empty(),
                        "\"username\" wants a password: write \"password_file FILE;\"") &&
         check_mode(cf, block);
}

bool refuse_server(ngx_conf_t* cf, const RedisBlock& block, const RedisServer& server, const std::string& why) {
  conf_error(cf, server.origin, block.subject() + why);
  return false;
}

bool take_unix(ngx_conf_t* cf, const RedisBlock& block, const ngx_url_t& url, RedisServer& server) {
  if (block.redis.mode != RedisMode::kSingle) {
    return refuse_server(cf, block, server, "sentinels and nodes of a cluster name each other by address: write "
                                            "\"server HOST:PORT;\" instead of the unix socket");
  }
  if (block.redis.is_tls && block.redis.tls_name.empty()) {
    return refuse_server(cf, block, server, "\"ssl on\" over a unix socket wants the name in the server's certificate: "
                                            "write \"ssl_name NAME;\"");
  }
  server.addresses = {RedisAddress::from(url.addrs[0].sockaddr, url.addrs[0].socklen)};
  return true;
}

bool parse(ngx_conf_t* cf, const RedisBlock& block, std::string_view text, bool resolves, ngx_url_t* url) {
  *url = {};
  url->url = copy(cf->pool, text);
  url->default_port = block.redis.mode == RedisMode::kSentinel ? kSentinelPort : kPort;
  url->no_resolve = resolves ? 0 : 1;
  return url->url.data != nullptr && ngx_parse_url(cf->pool, url) == NGX_OK && url->uri.len == 0;
}

// A name that is not known now may be so later: nginx starts all the same.
bool read_server(ngx_conf_t* cf, const RedisBlock& block, RedisServer& server) {
  ngx_url_t url;
  if (!parse(cf, block, server.text, false, &url)) {
    return refuse_server(cf, block, server,
                         quoted(server.text) + " is no server: write \"HOST:PORT\", \"[IPV6]:PORT\" or \"unix:PATH\"" +
                             (url.err == nullptr ? "" : std::string(" (") + url.err + ")"));
  }
  if (url.family == AF_UNIX) return take_unix(cf, block, url, server);
  server.at = {std::string(view(url.host)), url.port};
  std::string& host = server.at.host;
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  if (!parse(cf, block, server.text, true, &url)) {
    conf_warning(cf, server.origin, block.subject() + quoted(host) + " cannot be resolved now; it is asked for later, with "
                                                     "\"resolver ADDRESS;\" in http");
    return true;
  }
  for (ngx_uint_t i = 0; i < url.naddrs; ++i) {
    server.addresses.push_back(RedisAddress::from(url.addrs[i].sockaddr, url.addrs[i].socklen));
  }
  return true;
}

bool read_servers(ngx_conf_t* cf, RedisBlock& block) {
  for (RedisServer& server : block.redis.servers) {
    if (!read_server(cf, block, server)) return false;
  }
  return true;
}

}  // namespace

bool read_redis_block(ngx_conf_t* cf, MainConf& conf) {
  const std::string name(words(cf)[1]);
  const RedisConf* other = conf.find_redis(name);
  if (!check_block_name(cf, "saml_redis", name, other == nullptr ? nullptr : &other->origin)) return false;
  RedisBlock block;
  block.directive = "saml_redis";
  block.name = name;
  block.redis.name = name;
  block.redis.origin = here(cf);
  if (!read_inside(cf, block) || !check_together(cf, block) || !read_servers(cf, block)) return false;
  if (block.redis.is_tls && !set_up_redis_tls(cf, block)) return false;
  conf.redis_blocks.push_back(std::make_shared<RedisConf>(std::move(block.redis)));
  return true;
}

}  // namespace sallyport::ngx
