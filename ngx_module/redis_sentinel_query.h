// Who the master is, as the first sentinel says that can be asked.
#pragma once

#include "ngx.h"

#include <string>

#include "redis/topology.h"
#include "redis_connection.h"
#include "redis_host.h"

namespace sallyport::ngx {

class SentinelQuery final : public RedisConnectionOwner {
 public:
  // `master` is null where no sentinel knows it; `problem` is what the last one said.
  using Handler = void (*)(void* owner, const redis::NodeAddress* master, const std::string& problem);

  SentinelQuery(const RedisConf& conf, Handler handler, void* owner);
  SentinelQuery(const SentinelQuery&) = delete;
  SentinelQuery& operator=(const SentinelQuery&) = delete;

  // The handler is called later or at once. The connection to the sentinel stays for the next question.
  void ask();
  bool is_asking() const { return is_asking_; }
  // The next question goes to another sentinel.
  void leave_sentinel();
  // Which one answered last.
  std::size_t sentinel() const { return current_; }

 private:
  std::vector<redis::Command> greeting() override;
  std::optional<std::string> check_greeting(std::size_t i, const redis::Reply& reply) override;
  void on_ready(RedisConnection& connection) override;
  void on_lost(RedisConnection& connection, const RedisLoss& loss, RedisPlaces unanswered) override;
  void on_reply(RedisRequest& request, redis::OwnedReply reply) override { request.answer(std::move(reply)); }
  bool on_push(const redis::Reply&) override { return false; }
  static void on_found(void* owner, const RedisAddress* address, const std::string& problem);
  static void on_answer(void* owner, redis::OwnedReply reply);

  const RedisServer& server() const { return conf_.servers[current_]; }
  void ask_current();
  void take(const redis::Reply& reply);
  void failed(const std::string& problem);

  const RedisConf& conf_;
  Handler handler_;
  void* owner_;
  RedisHostSearch search_;
  RedisConnection connection_;
  RedisRequest request_;
  std::size_t current_ = 0;
  std::size_t tries_left_ = 0;  // sentinels
  bool is_asking_ = false;
};

}  // namespace sallyport::ngx
