// One Redis server as a worker sees it: a few connections, what waits for them, and when to try again.
#pragma once

#include "ngx.h"

#include <memory>
#include <string>
#include <vector>

#include "redis_connection.h"

namespace sallyport::ngx {

class RedisNode;

// Where a server is to be found; asked anew whenever all connections to it are lost.
class RedisLocator {
 public:
  virtual ~RedisLocator() = default;
  // Calls node.located() or node.not_located(), at once or later; one search at a time.
  virtual void locate(RedisNode& node) = 0;
};

class RedisNodeOwner {
 public:
  virtual std::vector<redis::Command> greeting() = 0;
  virtual std::optional<std::string> check_greeting(std::size_t i, const redis::Reply& reply) = 0;
  virtual void on_reply(RedisNode& node, RedisRequest& request, redis::OwnedReply reply) = 0;
  // It serves, or cannot be asked; each once until the other follows.
  virtual void on_up(RedisNode& node) = 0;
  virtual void on_down(RedisNode& node, const std::string& problem) = 0;

 protected:
  ~RedisNodeOwner() = default;
};

class RedisNode final : public RedisConnectionOwner {
 public:
  RedisNode(RedisNodeOwner& owner, const RedisConf& conf, std::unique_ptr<RedisLocator> locator);
  ~RedisNode();
  RedisNode(const RedisNode&) = delete;
  RedisNode& operator=(const RedisNode&) = delete;

  // Connects before anybody asks, and stays connected.
  void start();

  // The answer comes later, never before this returns. False: the server cannot be asked now; nothing comes.
  bool send(RedisRequest& request);
  // The same behind an ASKING, to a node that takes a slot over.
  bool send_asking(RedisRequest& request);

  // All its connections are of no more use (the server is another one now): begins anew.
  void restart(const std::string& problem);

  // From the locator. `name` is what its certificate must be of.
  void located(const RedisAddress& address, const std::string& name);
  void not_located(const std::string& problem);

  bool is_up() const { return is_up_; }
  bool is_down() const { return is_down_; }
  // Nobody waits for an answer of it.
  bool is_idle() const;
  // Where its connections go, and what its certificate must be of; false: it does not serve now.
  bool find_address(RedisAddress* address, std::string* name) const;
  // It serves, at another address than this.
  bool is_elsewhere(const RedisAddress& address) const { return is_up_ && !(address_ == address); }

 private:
  std::vector<redis::Command> greeting() override { return owner_.greeting(); }
  std::optional<std::string> check_greeting(std::size_t i, const redis::Reply& reply) override {
    return owner_.check_greeting(i, reply);
  }
  void on_ready(RedisConnection& connection) override;
  void on_lost(RedisConnection& connection, const RedisLoss& loss, RedisPlaces unanswered) override;
  void on_reply(RedisRequest& request, redis::OwnedReply reply) override;
  bool on_push(const redis::Reply&) override { return false; }
  static void on_retry(ngx_event_t* event);

  RedisConnection* choose();
  RedisConnection* find_closed();
  bool is_opening() const;
  bool has_ready() const;
  void open();
  void open_one_more();
  void begin_again(RedisPlaces unanswered);
  void go_down(const std::string& problem, RedisPlaces unanswered);
  void close_all(RedisPlaces& unanswered);
  void serve_waiting();

  RedisNodeOwner& owner_;
  const RedisConf& conf_;
  std::unique_ptr<RedisLocator> locator_;
  std::vector<std::unique_ptr<RedisConnection>> connections_;
  RedisPlaces waiting_;         // for the first connection
  bool is_up_ = false;
  bool is_down_ = false;        // the last attempt failed; the next one waits for its time
  bool is_searching_ = false;
  RedisAddress address_;        // where it was found last
  std::string name_;
  bool has_address_ = false;
  unsigned failures_ = 0;       // in a row
  ngx_msec_t no_more_until_ = 0;
  ngx_event_t retry_{};
};

// Answers all of them: Redis could not be asked.
void give_up(RedisPlaces places);

}  // namespace sallyport::ngx
