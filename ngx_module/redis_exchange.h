// Several commands at once, and one call with all their answers.
#pragma once

#include "ngx.h"

#include <memory>
#include <vector>

#include "redis_client.h"

namespace sallyport::ngx {

// Belongs to whoever asks; its end means that nobody waits any more, though the commands may be carried out.
class RedisExchange {
 public:
  // `replies` in the order of the commands; null where Redis could not be asked. It may start the next exchange, or
  // end this one.
  using Handler = void (*)(void* owner, std::vector<redis::OwnedReply> replies);

  RedisExchange(Handler handler, void* owner) : handler_(handler), owner_(owner) {}
  RedisExchange(const RedisExchange&) = delete;
  RedisExchange& operator=(const RedisExchange&) = delete;

  // The handler is called later, never before this returns. False: nothing could be sent, and it is not called.
  bool start(RedisClient& client, std::vector<redis::Command> commands, bool may_repeat);

 private:
  struct Part {
    RedisExchange* exchange;
    std::size_t index;
    RedisRequest request;
  };

  static void on_reply(void* owner, redis::OwnedReply reply);

  Handler handler_;
  void* owner_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::vector<redis::OwnedReply> replies_;
  std::size_t awaited_ = 0;
};

}  // namespace sallyport::ngx
