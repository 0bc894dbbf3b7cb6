// One command on its way to Redis, and whoever waits for the answer.
#pragma once

#include "ngx.h"

#include <deque>

#include "base/instant.h"
#include "redis/commands.h"
#include "redis/reply.h"

namespace sallyport::ngx {

class RedisRequest;

// Where a request waits: among a node's, or among those that a connection has sent. A request that was given up
// leaves its place empty, so that no answer is taken for another one's.
struct RedisPlace {
  RedisRequest* request;
  ngx_msec_t deadline;  // in nginx's monotonic milliseconds
};
using RedisPlaces = std::deque<RedisPlace>;

// Belongs to whoever asks. Its end, or cancel(), means that nobody waits any more.
class RedisRequest {
 public:
  // `reply` is null where Redis could not be asked. It may end the request, and send other ones.
  using Handler = void (*)(void* owner, redis::OwnedReply reply);

  RedisRequest() = default;
  ~RedisRequest() { cancel(); }
  RedisRequest(const RedisRequest&) = delete;
  RedisRequest& operator=(const RedisRequest&) = delete;

  // Not to be called while it is pending. `may_repeat`: it does no harm if the command is carried out twice.
  void prepare(Handler handler, void* owner, redis::Command command, bool may_repeat = true) {
    handler_ = handler;
    owner_ = owner;
    command_ = std::move(command);
    may_repeat_ = may_repeat;
    tries_ = 0;
  }

  void cancel() {
    if (place_ != nullptr) place_->request = nullptr;
    place_ = nullptr;
  }
  bool is_pending() const { return place_ != nullptr; }
  const redis::Command& command() const { return command_; }

  // For those who carry it.
  void wait_at(RedisPlace* place) { place_ = place; }
  bool may_try_again() { return may_repeat_ && ++tries_ <= kMostTries; }
  bool may_be_redirected() { return ++tries_ <= kMostRedirects; }
  void answer(redis::OwnedReply reply) {
    place_ = nullptr;
    handler_(owner_, std::move(reply));
  }

 private:
  static constexpr unsigned kMostTries = 1;
  static constexpr unsigned kMostRedirects = 5;

  Handler handler_ = nullptr;
  void* owner_ = nullptr;
  redis::Command command_;
  bool may_repeat_ = false;
  unsigned tries_ = 0;
  RedisPlace* place_ = nullptr;
};

// Takes the first place out, with the request that waits there (null: it was given up).
inline RedisRequest* take_first(RedisPlaces& places) {
  RedisRequest* request = places.front().request;
  places.pop_front();
  if (request != nullptr) request->wait_at(nullptr);
  return request;
}

}  // namespace sallyport::ngx
