#include "redis_client.h"

#include "redis_cluster.h"
#include "redis_sentinel.h"
#include "redis_single.h"

namespace sallyport::ngx {

struct RedisClient::Posted {
  RedisClient* client = nullptr;
  std::list<std::unique_ptr<Posted>>::iterator place;
  RedisRequest request;
  Then then;
};

std::unique_ptr<RedisTopology> make_topology(const RedisConf& conf, RedisWatcher& watcher) {
  switch (conf.mode) {
    case RedisMode::kSentinel:
      return std::make_unique<RedisSentinel>(conf, watcher);
    case RedisMode::kCluster:
      return std::make_unique<RedisCluster>(conf, watcher);
    case RedisMode::kSingle:
      break;
  }
  return std::make_unique<RedisSingle>(conf, watcher);
}

RedisClient::RedisClient(const RedisConf& conf, RedisWatcher& watcher)
    : conf_(conf), topology_(make_topology(conf, watcher)) {}

RedisClient::~RedisClient() = default;

void RedisClient::post(redis::Command command, Then then, bool may_repeat) {
  posted_.push_back(std::make_unique<Posted>());
  Posted& posted = *posted_.back();
  posted.client = this;
  posted.place = std::prev(posted_.end());
  posted.then = std::move(then);
  posted.request.prepare(on_posted, &posted, std::move(command), may_repeat);
  if (!send(posted.request)) on_posted(&posted, nullptr);
}

void RedisClient::on_posted(void* owner, redis::OwnedReply reply) {
  auto& posted = *static_cast<Posted*>(owner);
  const std::unique_ptr<Posted> kept = std::move(*posted.place);
  posted.client->posted_.erase(posted.place);
  if (!kept->then) return;
  const redis::Reply view(reply.get());
  kept->then(reply == nullptr ? nullptr : &view);
}

}  // namespace sallyport::ngx
