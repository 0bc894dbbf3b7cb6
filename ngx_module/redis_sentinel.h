// `mode sentinel`: the master that the sentinels name, wherever it is.
#pragma once

#include "ngx.h"

#include <optional>

#include "redis_client.h"
#include "redis_host.h"
#include "redis_node.h"
#include "redis_sentinel_query.h"

namespace sallyport::ngx {

class RedisSentinel final : public RedisTopology, public RedisNodeOwner {
 public:
  RedisSentinel(const RedisConf& conf, RedisWatcher& watcher);
  ~RedisSentinel();

  void start() override;
  bool send(RedisRequest& request) override { return node_.send(request); }
  bool find_any(RedisAddress* address, std::string* name) override { return node_.find_address(address, name); }
  bool is_right(const RedisAddress& address) override { return !node_.is_elsewhere(address); }

 private:
  class Locator;

  std::vector<redis::Command> greeting() override;
  std::optional<std::string> check_greeting(std::size_t i, const redis::Reply& reply) override;
  void on_reply(RedisNode& node, RedisRequest& request, redis::OwnedReply reply) override;
  void on_up(RedisNode& node) override;
  void on_down(RedisNode& node, const std::string& problem) override;
  static void on_answer(void* owner, const redis::NodeAddress* master, const std::string& problem);
  static void on_found(void* owner, const RedisAddress* address, const std::string& problem);
  static void on_timer(ngx_event_t* event);

  void locate();
  void connect_to(const redis::NodeAddress& master);
  void compare(const redis::NodeAddress& master);
  void look_after();

  const RedisConf& conf_;
  RedisWatcher& watcher_;
  SentinelQuery query_;
  RedisServer master_;                    // where it was last found
  RedisHostSearch search_;
  RedisNode node_;
  bool is_locating_ = false;              // the node waits for the master's address
  std::optional<redis::NodeAddress> rumour_;  // another master, as one sentinel says
  std::size_t rumoured_by_ = 0;
  ngx_event_t timer_{};
};

}  // namespace sallyport::ngx
