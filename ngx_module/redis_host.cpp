#include "redis_host.h"

#include "bridge.h"

namespace sallyport::ngx {

namespace {

std::vector<RedisAddress> addresses_of(const ngx_resolver_ctx_t& context, in_port_t port) {
  std::vector<RedisAddress> addresses;
  for (ngx_uint_t i = 0; i < context.naddrs; ++i) {
    ngx_sockaddr_t socket{};
    const socklen_t length = context.addrs[i].socklen;
    ngx_memcpy(&socket, context.addrs[i].sockaddr, std::min<std::size_t>(length, sizeof(socket)));
    ngx_inet_set_port(&socket.sockaddr, port);
    addresses.push_back(RedisAddress::from(&socket.sockaddr, length));
  }
  return addresses;
}

}  // namespace

void RedisHostSearch::find(const RedisServer& server) {
  server_ = &server;
  if (const auto numeric = numeric_address(server.at)) return handler_(owner_, &*numeric, {});
  if (server.is_unix() || !ask_resolver(server.at.host)) {
    take(server.addresses, "there is no address of " + server.at.host +
                               ": write \"resolver ADDRESS;\" in http, or an address instead of the name");
  }
}

// False: there is no resolver. A failure is reported as the resolver's answer is.
bool RedisHostSearch::ask_resolver(const std::string& host) {
  if (conf_.resolver == nullptr) return false;
  ngx_resolver_ctx_t* context = ngx_resolve_start(conf_.resolver, nullptr);
  if (context == nullptr || context == NGX_NO_RESOLVER) return false;
  context->name = borrow(host);
  context->handler = on_resolved;
  context->data = this;
  context->timeout = conf_.resolver_timeout;
  context->cancelable = 1;
  context_ = context;
  // It may call the handler before it returns; a context that failed is freed.
  if (ngx_resolve_name(context) == NGX_OK) return true;
  context_ = nullptr;
  return false;
}

void RedisHostSearch::cancel() {
  if (context_ == nullptr) return;
  ngx_resolve_name_done(context_);
  context_ = nullptr;
}

void RedisHostSearch::on_resolved(ngx_resolver_ctx_t* context) {
  auto& self = *static_cast<RedisHostSearch*>(context->data);
  fence<bool>(false, ngx_cycle->log, [&] {
    const RedisServer& server = *self.server_;
    std::vector<RedisAddress> addresses = addresses_of(*context, server.at.port);
    const std::string problem = server.at.host + " could not be resolved: " + ngx_resolver_strerror(context->state);
    self.cancel();
    // What start found may still be right while the resolver fails.
    self.take(addresses.empty() ? server.addresses : addresses, problem);
    return true;
  });
}

void RedisHostSearch::take(const std::vector<RedisAddress>& addresses, const std::string& problem) {
  if (addresses.empty()) return handler_(owner_, nullptr, problem);
  const RedisAddress address = addresses[turn_++ % addresses.size()];
  handler_(owner_, &address, {});
}

}  // namespace sallyport::ngx
