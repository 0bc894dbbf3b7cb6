// Redis for one worker: which server a command goes to, and whether Redis is there.
#pragma once

#include "ngx.h"

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "redis_conf.h"
#include "redis_request.h"

namespace sallyport::ngx {

// Told when Redis can no longer be asked, and when it can again.
class RedisWatcher {
 public:
  virtual void on_redis_gone(const std::string& problem) = 0;
  virtual void on_redis_back() = 0;

 protected:
  ~RedisWatcher() = default;
};

// Where commands go: one server, the master that sentinels name, or the nodes of a cluster.
class RedisTopology {
 public:
  virtual ~RedisTopology() = default;
  virtual void start() = 0;
  // As RedisClient::send.
  virtual bool send(RedisRequest& request) = 0;
  // Where a connection of one's own (a subscription) belongs; false: not known now.
  virtual bool find_any(RedisAddress* address, std::string* name) = 0;
  // Whether such a connection to that address is still in the right place, as far as is known.
  virtual bool is_right(const RedisAddress& address) = 0;
};

std::unique_ptr<RedisTopology> make_topology(const RedisConf& conf, RedisWatcher& watcher);

class RedisClient {
 public:
  RedisClient(const RedisConf& conf, RedisWatcher& watcher);
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  const RedisConf& conf() const { return conf_; }
  void start() { topology_->start(); }
  RedisTopology& topology() { return *topology_; }

  // The answer comes later, never before this returns. False: Redis cannot be asked now, and no answer comes.
  bool send(RedisRequest& request) { return topology_->send(request); }

  // Sends a command that nobody waits for. `then` (may be empty) hears whether it was carried out; it is not called when
  // this worker ends first. `may_repeat` as in RedisRequest.
  using Then = std::function<void(const redis::Reply* reply)>;
  void post(redis::Command command, Then then = {}, bool may_repeat = true);

 private:
  struct Posted;
  static void on_posted(void* owner, redis::OwnedReply reply);

  const RedisConf& conf_;
  std::unique_ptr<RedisTopology> topology_;
  std::list<std::unique_ptr<Posted>> posted_;  // ends before the topology
};

}  // namespace sallyport::ngx
