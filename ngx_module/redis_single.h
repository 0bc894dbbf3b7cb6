// `mode single`: one Redis server.
#pragma once

#include "ngx.h"

#include "redis_client.h"
#include "redis_node.h"

namespace sallyport::ngx {

// What a connection to a data node says first.
std::vector<redis::Command> data_greeting(const RedisConf& conf);
std::optional<std::string> check_data_greeting(const redis::Reply& reply);

// A server's addresses as they were resolved at start, one after the other.
class ServerLocator final : public RedisLocator {
 public:
  ServerLocator(const RedisConf& conf, const RedisServer& server) : conf_(conf), server_(server) {}
  void locate(RedisNode& node) override;

 private:
  const RedisConf& conf_;
  const RedisServer& server_;
  std::size_t next_ = 0;
};

class RedisSingle final : public RedisTopology, public RedisNodeOwner {
 public:
  RedisSingle(const RedisConf& conf, RedisWatcher& watcher);

  void start() override { node_.start(); }
  bool send(RedisRequest& request) override { return node_.send(request); }
  bool find_any(ngx_addr_t* address, std::string* name) override { return node_.find_address(address, name); }

 private:
  std::vector<redis::Command> greeting() override { return data_greeting(conf_); }
  std::optional<std::string> check_greeting(std::size_t, const redis::Reply& reply) override {
    return check_data_greeting(reply);
  }
  void on_reply(RedisNode&, RedisRequest& request, redis::OwnedReply reply) override {
    request.answer(std::move(reply));
  }
  void on_up(RedisNode&) override { watcher_.on_redis_back(); }
  void on_down(RedisNode&, const std::string& problem) override { watcher_.on_redis_gone(problem); }

  const RedisConf& conf_;
  RedisWatcher& watcher_;
  RedisNode node_;
};

}  // namespace sallyport::ngx
