// The lines of a `saml_redis` block.
#include "redis_block.h"

#include <algorithm>

#include <openssl/crypto.h>

#include "conf_file.h"
#include "conf_value.h"

namespace sallyport::ngx {

namespace {

constexpr std::size_t kMaxPassword = 512;
constexpr std::size_t kMaxPrefix = 64;
constexpr Millis kLongestTimeout = kMinute;

bool add_server(ngx_conf_t* cf, RedisBlock& block, const Values& values) {
  RedisServer server;
  server.text = std::string(values[1]);
  server.origin = here(cf);
  block.redis.servers.push_back(std::move(server));
  return true;
}

bool read_mode(ngx_conf_t* cf, RedisBlock& block, const Values& values) {
  if (is_word(values[1], "sentinel")) {
    if (values.size() != 3 || values[2].empty() || !is_visible(values[2])) {
      return refuse(cf, block, "write \"mode sentinel MASTER;\" with the name that the sentinels monitor the master by");
    }
    block.redis.mode = RedisMode::kSentinel;
    block.redis.master = std::string(values[2]);
    return true;
  }
  const bool is_cluster = is_word(values[1], "cluster");
  if ((!is_cluster && !is_word(values[1], "single")) || values.size() != 2) {
    return refuse(cf, block, "\"mode\" takes \"single\", \"sentinel MASTER\" or \"cluster\"");
  }
  block.redis.mode = is_cluster ? RedisMode::kCluster : RedisMode::kSingle;
  return true;
}

bool read_database(ngx_conf_t* cf, RedisBlock& block, const Values& values) {
  auto* text = reinterpret_cast<u_char*>(const_cast<char*>(values[1].data()));
  const ngx_int_t number = ngx_atoi(text, values[1].size());
  if (number == NGX_ERROR || number > 65535) {
    return refuse(cf, block, "\"database\" wants a number from 0 on, not " + quoted(values[1]));
  }
  block.redis.database = static_cast<unsigned>(number);
  return true;
}

template <std::string RedisConf::*Member>
bool read_text(ngx_conf_t* cf, RedisBlock& block, const Values& values) {
  if (values[1].empty() || !is_visible(values[1])) {
    return refuse(cf, block, quoted(values[0]) + " wants printable characters without blanks");
  }
  block.redis.*Member = std::string(values[1]);
  return true;
}

template <std::string RedisConf::*Member>
bool read_password(ngx_conf_t* cf, RedisBlock& block, const Values& values) {
  const auto path = full_path(cf, values[1]);
  if (!path) return false;
  const std::string subject = block.subject() + std::string(values[0]);
  auto bytes = read_conf_file(cf, here(cf), subject, *path, kMaxPassword);
  if (!bytes) return false;
  while (!bytes->empty() && (bytes->back() == '\n' || bytes->back() == '\r')) bytes->pop_back();
  const bool is_one_line = std::none_of(bytes->begin(), bytes->end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20;
  });
  if (bytes->empty() || !is_one_line) {
    return refuse(cf, block, quoted(values[0]) + ": " + quoted(*path) + " must hold the password in one line");
  }
  warn_if_readable_by_all(cf, here(cf), subject, *path);
  block.redis.*Member = *bytes;
  OPENSSL_cleanse(bytes->data(), bytes->size());
  return true;
}

template <std::string RedisBlock::*Member>
bool read_path(ngx_conf_t* cf, RedisBlock& block, const Values& values) {
  const auto path = full_path(cf, values[1]);
  if (path) block.*Member = *path;
  return path.has_value();
}

bool read_ssl(ngx_conf_t* cf, RedisBlock& block, const Values& values) {
  const auto on = find_word(cf, kFlag, values[1]);
  if (!on) return false;
#if !(NGX_SSL)
  if (*on) return refuse(cf, block, "\"ssl on\" needs an nginx that is built with TLS");
#endif
  block.redis.is_tls = *on;
  return true;
}

template <Millis RedisConf::*Member>
bool read_timeout(ngx_conf_t* cf, RedisBlock& block, const Values& values) {
  const auto time = parse_time(cf, values[1]);
  if (!time) return false;
  if (*time <= 0 || *time > kLongestTimeout) {
    return refuse(cf, block, quoted(values[0]) + " wants a time between 1ms and 60s, not " + quoted(values[1]));
  }
  block.redis.*Member = *time;
  return true;
}

template <Millis RedisConf::*Member>
bool read_time(ngx_conf_t* cf, RedisBlock& block, const Values& values) {
  const auto time = parse_time(cf, values[1]);
  if (time) block.redis.*Member = *time;
  return time.has_value();
}

bool read_keepalive(ngx_conf_t* cf, RedisBlock& block, const Values& values) {
  auto* text = reinterpret_cast<u_char*>(const_cast<char*>(values[1].data()));
  const ngx_int_t number = ngx_atoi(text, values[1].size());
  if (number == NGX_ERROR || number < 1 || number > 256) {
    return refuse(cf, block, "\"keepalive\" wants a number of connections per worker from 1 to 256, not " +
                                 quoted(values[1]));
  }
  block.redis.keepalive = static_cast<std::size_t>(number);
  return true;
}

bool read_key_prefix(ngx_conf_t* cf, RedisBlock& block, const Values& values) {
  const std::string_view prefix = values[1];
  if (prefix.size() > kMaxPrefix || !is_visible(prefix) || prefix.find_first_of("{}*?[]$") != std::string_view::npos) {
    return refuse(cf, block, "\"key_prefix\" wants at most 64 printable characters without blanks, braces, brackets, "
                             "\"*\", \"?\" and \"$\", for example \"sso:\"");
  }
  block.redis.key_prefix = std::string(prefix);
  return true;
}

}  // namespace

const std::vector<BlockLine<RedisBlock>>& RedisBlock::lines() {
  static const std::vector<BlockLine<RedisBlock>> kLines = {
      {"server", 1, 1, true, add_server},
      {"mode", 1, 2, false, read_mode},
      {"database", 1, 1, false, read_database},
      {"username", 1, 1, false, read_text<&RedisConf::username>},
      {"password_file", 1, 1, false, read_password<&RedisConf::password>},
      {"sentinel_username", 1, 1, false, read_text<&RedisConf::sentinel_username>},
      {"sentinel_password_file", 1, 1, false, read_password<&RedisConf::sentinel_password>},
      {"ssl", 1, 1, false, read_ssl},
      {"ssl_trusted_certificate", 1, 1, false, read_path<&RedisBlock::trusted_certificate>},
      {"ssl_name", 1, 1, false, read_text<&RedisConf::tls_name>},
      {"ssl_certificate", 1, 1, false, read_path<&RedisBlock::certificate>},
      {"ssl_certificate_key", 1, 1, false, read_path<&RedisBlock::certificate_key>},
      {"connect_timeout", 1, 1, false, read_timeout<&RedisConf::connect_timeout>},
      {"timeout", 1, 1, false, read_timeout<&RedisConf::timeout>},
      {"keepalive", 1, 1, false, read_keepalive},
      {"key_prefix", 1, 1, false, read_key_prefix},
      {"cache_time", 1, 1, false, read_time<&RedisConf::cache_time>},
      {"grace", 1, 1, false, read_time<&RedisConf::grace>},
  };
  return kLines;
}

}  // namespace sallyport::ngx
