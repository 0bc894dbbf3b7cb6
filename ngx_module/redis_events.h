// The subscription to the channel of events: one per node, held by its first worker.
#pragma once

#include "ngx.h"

#include <string>

#include "redis_client.h"
#include "redis_connection.h"
#include "redis_ends.h"
#include "session_zone.h"

namespace sallyport::ngx {

class RedisEvents final : public RedisConnectionOwner {
 public:
  RedisEvents(RedisClient& client, const redis::Keys& keys, SessionZone& zone, RedisEnds& ends);
  ~RedisEvents();
  RedisEvents(const RedisEvents&) = delete;
  RedisEvents& operator=(const RedisEvents&) = delete;

  // Subscribes, and again whenever the subscription is lost.
  void start();

 private:
  std::vector<redis::Command> greeting() override;
  std::optional<std::string> check_greeting(std::size_t i, const redis::Reply& reply) override;
  void on_ready(RedisConnection& connection) override;
  void on_lost(RedisConnection& connection, const RedisLoss& loss, RedisPlaces unanswered) override;
  void on_reply(RedisRequest&, redis::OwnedReply) override {}
  bool on_push(const redis::Reply& reply) override;
  static void on_timer(ngx_event_t* event);

  void look_after();
  void subscribed();
  void lost(const std::string& problem);
  void refuse(const std::string& problem);
  void open();

  RedisClient& client_;
  const redis::Keys& keys_;
  SessionZone& zone_;
  RedisEnds& ends_;
  RedisConnection connection_;
  RedisAddress address_;      // of the connection
  bool is_subscribed_ = false;
  unsigned pings_ = 0;        // sent and not answered
  unsigned failures_ = 0;     // in a row
  unsigned rounds_left_ = 0;  // until the next attempt
  ngx_event_t timer_{};
};

}  // namespace sallyport::ngx
