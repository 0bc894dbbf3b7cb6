// Redis behind the zone, for one worker: its parts, and what the log says of its comings and goings.
#pragma once

#include "ngx.h"

#include <vector>

#include "base/digest.h"
#include "redis/commands.h"
#include "redis_activity.h"
#include "redis_client.h"
#include "redis_ends.h"
#include "redis_events.h"
#include "redis_sessions.h"
#include "redis_users.h"

namespace sallyport::ngx {

class RedisStore final : public RedisWatcher {
 public:
  // `secrets` as RedisEnds wants them.
  RedisStore(const RedisConf& conf, SessionZone& zone, std::vector<Digest> secrets);

  // `is_first`: this worker does what one per node does.
  void start(bool is_first);

  const redis::Keys& keys() const { return keys_; }
  RedisClient& client() { return client_; }
  RedisSessions& sessions() { return sessions_; }
  RedisUsers& users() { return users_; }
  RedisActivity& activity() { return activity_; }
  RedisEnds& ends() { return ends_; }

 private:
  void on_redis_gone(const std::string& problem) override;
  void on_redis_back() override;

  const RedisConf& conf_;
  SessionZone& zone_;
  redis::Keys keys_;
  RedisClient client_;
  RedisSessions sessions_;
  RedisUsers users_;
  RedisActivity activity_;
  RedisEnds ends_;
  RedisEvents events_;
};

}  // namespace sallyport::ngx
