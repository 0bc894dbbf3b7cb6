// `mode single`: one Redis server.
#pragma once

#include "ngx.h"

#include "redis_client.h"
#include "redis_host.h"
#include "redis_node.h"

namespace sallyport::ngx {

// What a connection to a data node says first.
std::vector<redis::Command> data_greeting(const RedisConf& conf);
std::optional<std::string> check_data_greeting(const redis::Reply& reply);

// Finds a server by its name or address. Its certificate must be of `ssl_name`, else of `name`, else of what it is found by.
class ServerLocator final : public RedisLocator {
 public:
  ServerLocator(const RedisConf& conf, RedisServer server, std::string name = {})
      : conf_(conf), server_(std::move(server)), name_(std::move(name)), search_(conf, on_found, this) {}
  void locate(RedisNode& node) override;

 private:
  static void on_found(void* owner, const RedisAddress* address, const std::string& problem);

  const RedisConf& conf_;
  RedisServer server_;
  std::string name_;
  RedisHostSearch search_;
  RedisNode* node_ = nullptr;
};

class RedisSingle final : public RedisTopology, public RedisNodeOwner {
 public:
  RedisSingle(const RedisConf& conf, RedisWatcher& watcher);

  void start() override { node_.start(); }
  bool send(RedisRequest& request) override { return node_.send(request); }
  bool find_any(RedisAddress* address, std::string* name) override { return node_.find_address(address, name); }
  bool is_right(const RedisAddress& address) override { return !node_.is_elsewhere(address); }

 private:
  std::vector<redis::Command> greeting() override { return data_greeting(conf_); }
  std::optional<std::string> check_greeting(std::size_t, const redis::Reply& reply) override {
    return check_data_greeting(reply);
  }
  void on_reply(RedisNode&, RedisRequest& request, redis::OwnedReply reply) override {
    request.answer(std::move(reply));
  }
  void on_up(RedisNode&) override { watcher_.on_redis_back(); }
  void on_down(RedisNode&, const std::string& problem) override {
    watcher_.on_redis_gone(conf_.servers.front().text + ": " + problem);
  }

  const RedisConf& conf_;
  RedisWatcher& watcher_;
  RedisNode node_;
};

}  // namespace sallyport::ngx
