// Where a server of Redis is.
#pragma once

#include "ngx.h"

#include <optional>
#include <string>

#include "redis/topology.h"

namespace sallyport::ngx {

// An address that owns its bytes: those of nginx live in somebody's pool, and go with it.
struct RedisAddress {
  ngx_sockaddr_t socket{};
  socklen_t length = 0;
  std::string text;  // for the log

  static RedisAddress from(const sockaddr* socket, socklen_t length);
  bool operator==(const RedisAddress& other) const { return text == other.text; }
};

// nullopt: the host is a name.
std::optional<RedisAddress> numeric_address(const redis::NodeAddress& address);

// "HOST:PORT", "[IPV6]:PORT", as it stands in messages.
std::string text_of(const redis::NodeAddress& address);

}  // namespace sallyport::ngx
