// `mode cluster`: each command goes to the master of its key's slot.
#pragma once

#include "ngx.h"

#include <memory>
#include <string>

#include "redis_client.h"
#include "redis_members.h"
#include "redis_node.h"

namespace sallyport::ngx {

class RedisCluster final : public RedisTopology, public RedisNodeOwner {
 public:
  RedisCluster(const RedisConf& conf, RedisWatcher& watcher);
  ~RedisCluster();

  void start() override;
  bool send(RedisRequest& request) override;
  bool find_any(RedisAddress* address, std::string* name) override;
  bool is_right(const RedisAddress& address) override;

 private:
  std::vector<redis::Command> greeting() override;
  std::optional<std::string> check_greeting(std::size_t i, const redis::Reply& reply) override;
  void on_reply(RedisNode& node, RedisRequest& request, redis::OwnedReply reply) override;
  void on_up(RedisNode& node) override;
  void on_down(RedisNode& node, const std::string& problem) override;
  static void on_map(void* owner, redis::OwnedReply reply);
  static void on_timer(ngx_event_t* event);

  void ask_map();
  void take_map(const redis::Reply& reply);
  void map_failed(const std::string& problem);
  void serve_waiting();
  void want_map();
  bool redirect(const RedisNode& from, RedisRequest& request, const redis::Reply& reply);
  void gone(const std::string& problem);
  void look_after();

  const RedisConf& conf_;
  RedisWatcher& watcher_;
  ClusterMembers members_;
  std::unique_ptr<RedisNode> seed_;   // asked for the map while no member serves
  std::size_t seeds_ = 0;             // how many were taken
  RedisRequest map_request_;
  std::string map_host_;              // of whom it was asked
  RedisPlaces waiting_;               // for the first map
  std::string problem_;               // of the seed that was asked last
  bool is_map_old_ = false;
  bool has_failed_ = false;           // the last question for a map
  ngx_msec_t asked_at_ = 0;
  unsigned rounds_ = 0;
  ngx_event_t timer_{};
};

}  // namespace sallyport::ngx
