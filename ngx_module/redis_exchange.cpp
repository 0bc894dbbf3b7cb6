#include "redis_exchange.h"

namespace sallyport::ngx {

bool RedisExchange::start(RedisClient& client, std::vector<redis::Command> commands, bool may_repeat) {
  parts_.clear();
  replies_.clear();
  replies_.resize(commands.size());
  awaited_ = 0;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    parts_.push_back(std::make_unique<Part>());
    Part& part = *parts_.back();
    part.exchange = this;
    part.index = i;
    part.request.prepare(on_reply, &part, std::move(commands[i]), may_repeat);
    if (client.send(part.request)) ++awaited_;
  }
  return awaited_ > 0;
}

void RedisExchange::on_reply(void* owner, redis::OwnedReply reply) {
  const Part& part = *static_cast<Part*>(owner);
  RedisExchange& self = *part.exchange;
  self.replies_[part.index] = std::move(reply);
  if (--self.awaited_ == 0) self.handler_(self.owner_, std::move(self.replies_));
}

}  // namespace sallyport::ngx
