// Sessions that end: known at once on this node, told to Redis and the other nodes until Redis has confirmed it.
#pragma once

#include "ngx.h"

#include <vector>

#include "base/digest.h"
#include "redis/commands.h"
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
  // The same of one that may not exist: while Redis is away, whoever makes up cookies leaves room for those that do.
  bool end_unknown(const session::SessionKey& key, Millis ends);
  // Whether a session ended, as far as this node knows: whatever Redis says, it is no more.
  bool has_ended(const session::SessionKey& key) const;

  // A message of the channel.
  void take_event(std::string_view message);

 private:
  static void on_timer(ngx_event_t* event);
  bool end(const session::SessionKey& key, Millis ends, std::uint64_t owner, session::PendingEnds::Share share);
  void bury(const session::SessionKey& key, Millis ends, std::uint64_t owner);
  void tell(const session::SessionKey& key, Millis ends);
  void tell_again();
  void note_stranger(std::string_view message);

  RedisClient& client_;
  const redis::Keys& keys_;
  SessionZone& zone_;
  std::vector<Digest> secrets_;
  std::size_t strangers_ = 0;     // messages since the log spoke of them
  Millis strangers_logged_ = 0;
  ngx_event_t timer_{};
};

}  // namespace sallyport::ngx
