#include "redis_single.h"

namespace sallyport::ngx {

std::vector<redis::Command> data_greeting(const RedisConf& conf) {
  std::vector<redis::Command> commands;
  if (!conf.password.empty()) commands.push_back(redis::authenticate(conf.username, conf.password));
  if (conf.database != 0) commands.push_back(redis::select(conf.database));
  // Tells whether the server is ready: one that loads its data says so.
  commands.push_back(redis::ping());
  return commands;
}

// Redis names no password in its errors.
std::optional<std::string> check_data_greeting(const redis::Reply& reply) {
  if (reply.kind() == redis::ReplyKind::kStatus) return std::nullopt;
  return "the server says: " + std::string(reply.text().substr(0, 200));
}

void ServerLocator::locate(RedisNode& node) {
  node_ = &node;
  search_.find(server_);
}

void ServerLocator::on_found(void* owner, const RedisAddress* address, const std::string& problem) {
  auto& self = *static_cast<ServerLocator*>(owner);
  if (address == nullptr) return self.node_->not_located(problem);
  const std::string& name = self.name_.empty() ? self.server_.at.host : self.name_;
  self.node_->located(*address, self.conf_.tls_name.empty() ? name : self.conf_.tls_name);
}

RedisSingle::RedisSingle(const RedisConf& conf, RedisWatcher& watcher)
    : conf_(conf), watcher_(watcher), node_(*this, conf, std::make_unique<ServerLocator>(conf, conf.servers.front())) {}

}  // namespace sallyport::ngx
