// Sessions that end: known at once on this node, told to Redis and the other nodes until Redis has confirmed it.
#pragma once

#include "ngx.h"

#include <vector>

#include "base/digest.h"
#include "once_a_minute.h"
#include "redis/commands.h"
#include "redis/events.h"
#include "redis_client.h"
#include "session/cookie.h"
#include "session_zone.h"

namespace sallyport::ngx {

class RedisEnds {
 public:
  // `secrets` are those whose events count; the first one is for events of this node.
  RedisEnds(RedisClient& client, const redis::Keys& keys, SessionZone& zone, std::vector<Digest> secrets);
  ~RedisEnds();
  RedisEnds(const RedisEnds&) = delete;
  RedisEnds& operator=(const RedisEnds&) = delete;

  // This worker tells again what was not confirmed: one per node.
  void keep_telling();

  // Ends a session here at once and for good, and everywhere as soon as Redis is told. `ends` is its absolute end. False: Redis
  // does not know yet, and no more such sessions can be remembered.
  bool end(const session::SessionKey& key, Millis ends);
  // The same of one that may not exist, since Redis could not be asked: whoever makes up cookies leaves room for those that do.
  bool end_unknown(const session::SessionKey& key, Millis ends);
  // The same where Redis has not been asked: what it does not have has never been, and nobody is told of it.
  bool end_if_any(const session::SessionKey& key, Millis ends);
  // Whether a session ended, as far as this node knows: whatever Redis says, it is no more.
  bool has_ended(const session::SessionKey& key) const;

  // A message of the channel.
  void take_event(std::string_view message);

 private:
  enum class Try { kFirst, kAgain };

  static void on_timer(ngx_event_t* event);
  bool remember(const redis::SessionEnded& ended);
  void bury(const redis::SessionEnded& ended);
  void publish(const redis::SessionEnded& ended);
  void tell(const session::SessionKey& key, Millis ends);
  void remove_if_any(const session::SessionKey& key, Millis ends, Try nth);
  void take_removal(const session::SessionKey& key, Millis ends, Try nth, const redis::Reply* reply);
  void tell_again();
  void note_stranger(std::string_view message);

  RedisClient& client_;
  const redis::Keys& keys_;
  SessionZone& zone_;
  std::vector<Digest> secrets_;
  OnceAMinute strangers_;   // messages
  OnceAMinute forgotten_;   // ends that Redis may not hear of
  OnceAMinute unburied_;    // sessions without a tombstone
  ngx_event_t timer_{};
};

}  // namespace sallyport::ngx
