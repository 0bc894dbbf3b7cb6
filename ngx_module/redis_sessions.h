// Sessions in Redis as one worker asks for them: one question at a time for each session, and when an answer that the
// zone keeps may still be trusted.
#pragma once

#include "ngx.h"

#include <cstring>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "redis/commands.h"
#include "redis_client.h"
#include "session/cookie.h"
#include "session_zone.h"

namespace sallyport::ngx {

struct SessionAnswer {
  enum class Kind { kRecord, kNothing, kUnavailable };
  Kind kind = Kind::kUnavailable;
  std::string_view sealed;  // the sealed record; valid during the call
  Millis asked_at = 0;      // what is true was true then or later
};

// Somebody who waits for a session's record. It may end while it waits.
class SessionQuestion {
 public:
  using Handler = void (*)(void* owner, const SessionAnswer& answer);

  SessionQuestion(Handler handler, void* owner) : handler_(handler), owner_(owner) {}
  ~SessionQuestion() {
    if (!is_waiting_) return;
    ngx_queue_remove(&link_);
  }
  SessionQuestion(const SessionQuestion&) = delete;
  SessionQuestion& operator=(const SessionQuestion&) = delete;

 private:
  friend class RedisSessions;

  ngx_queue_t link_{};
  bool is_waiting_ = false;
  Handler handler_;
  void* owner_;
};

class RedisSessions {
 public:
  RedisSessions(RedisClient& client, const redis::Keys& keys, SessionZone& zone);
  ~RedisSessions();
  RedisSessions(const RedisSessions&) = delete;
  RedisSessions& operator=(const RedisSessions&) = delete;

  // The answer comes later, never before this returns. False: Redis cannot be asked now, and no answer comes.
  bool ask(const session::SessionKey& key, SessionQuestion& question);

  // Whether what Redis confirmed at that time needs no new question.
  bool is_fresh(Millis confirmed) const;
  // Whether it still counts when Redis cannot be asked.
  bool is_in_grace(Millis confirmed) const;
  // Whether the zone is to be told that a session was confirmed again.
  bool is_confirmation_due(Millis confirmed, Millis asked_at) const;

 private:
  struct KeyHash {
    std::size_t operator()(const session::SessionKey& key) const {
      std::size_t hash;  // the key is one already
      std::memcpy(&hash, key.data(), sizeof(hash));
      return hash;
    }
  };
  struct Ask;

  static void on_reply(void* owner, redis::OwnedReply reply);
  void answer(Ask& ask, const SessionAnswer& answer);

  RedisClient& client_;
  const redis::Keys& keys_;
  SessionZone& zone_;
  std::unordered_map<session::SessionKey, std::unique_ptr<Ask>, KeyHash> asks_;
};

}  // namespace sallyport::ngx
