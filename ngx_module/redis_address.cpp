#include "redis_address.h"

#include <arpa/inet.h>

namespace sallyport::ngx {

RedisAddress RedisAddress::from(const sockaddr* socket, socklen_t length) {
  RedisAddress address;
  ngx_memcpy(&address.socket, socket, std::min<std::size_t>(length, sizeof(address.socket)));
  address.length = length;
  u_char text[NGX_SOCKADDR_STRLEN];
  const std::size_t size = ngx_sock_ntop(&address.socket.sockaddr, length, text, sizeof(text), 1);
  address.text.assign(reinterpret_cast<char*>(text), size);
  return address;
}

std::optional<RedisAddress> numeric_address(const redis::NodeAddress& address) {
  ngx_sockaddr_t socket{};
  if (inet_pton(AF_INET, address.host.c_str(), &socket.sockaddr_in.sin_addr) == 1) {
    socket.sockaddr_in.sin_family = AF_INET;
    socket.sockaddr_in.sin_port = htons(address.port);
    return RedisAddress::from(&socket.sockaddr, sizeof(socket.sockaddr_in));
  }
#if (NGX_HAVE_INET6)
  if (inet_pton(AF_INET6, address.host.c_str(), &socket.sockaddr_in6.sin6_addr) == 1) {
    socket.sockaddr_in6.sin6_family = AF_INET6;
    socket.sockaddr_in6.sin6_port = htons(address.port);
    return RedisAddress::from(&socket.sockaddr, sizeof(socket.sockaddr_in6));
  }
#endif
  return std::nullopt;
}

std::string text_of(const redis::NodeAddress& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace sallyport::ngx
