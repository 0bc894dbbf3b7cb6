// `saml_redis NAME { }`.
#include "redis_block.h"

#include <memory>

#include "conf_value.h"
#include "directives.h"
#include "redis_tls.h"

namespace sallyport::ngx {

namespace {

constexpr in_port_t kPort = 6379;

bool check_presence(ngx_conf_t* cf, const RedisBlock& block, std::string_view line, bool allowed,
                    const std::string& message) {
  if (allowed || !block.has(line)) return true;
  conf_error(cf, block.origin_of(line), block.subject() + message);
  return false;
}

bool check_together(ngx_conf_t* cf, const RedisBlock& block) {
  const RedisConf& redis = block.redis;
  if (redis.server.text.empty()) {
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
                        "\"username\" wants a password: write \"password_file FILE;\"");
}

bool take_unix(ngx_conf_t* cf, RedisBlock& block, const ngx_url_t& url) {
  if (block.redis.is_tls && block.redis.tls_name.empty()) {
    conf_error(cf, block.origin_of("server"),
               block.subject() + "\"ssl on\" over a unix socket wants the name in the server's certificate: write "
                                 "\"ssl_name NAME;\"");
    return false;
  }
  block.redis.server.addresses.assign(url.addrs, url.addrs + url.naddrs);
  return true;
}

bool resolve_server_address(ngx_conf_t* cf, RedisBlock& block) {
  RedisServer& server = block.redis.server;
  ngx_url_t url{};
  url.url = copy(cf->pool, server.text);
  if (url.url.data == nullptr) return false;
  url.default_port = kPort;
  const ngx_int_t rc = ngx_parse_url(cf->pool, &url);
  if (rc != NGX_OK || url.uri.len > 0) {
    conf_error(cf, block.origin_of("server"),
               block.subject() + quoted(server.text) + " is no server: write \"HOST:PORT\", \"[IPV6]:PORT\" or "
                                                       "\"unix:PATH\"" +
                   (url.err == nullptr ? "" : std::string(" (") + url.err + ")"));
    return false;
  }
  if (url.family == AF_UNIX) return take_unix(cf, block, url);
  server.host = std::string(view(url.host));
  if (server.host.size() > 2 && server.host.front() == '[') server.host = server.host.substr(1, server.host.size() - 2);
  server.addresses.assign(url.addrs, url.addrs + url.naddrs);
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
  if (!read_inside(cf, block) || !check_together(cf, block) || !resolve_server_address(cf, block)) return false;
  if (block.redis.is_tls && !set_up_redis_tls(cf, block)) return false;
  conf.redis_blocks.push_back(std::make_shared<RedisConf>(std::move(block.redis)));
  return true;
}

}  // namespace sallyport::ngx
