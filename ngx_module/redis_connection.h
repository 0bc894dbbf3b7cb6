// A connection to one Redis server over nginx's event loop: TCP, unix socket or TLS; commands are pipelined, and
// those of one turn of the loop leave in one write.
#pragma once

#include "ngx.h"

#include <optional>
#include <string>
#include <vector>

#include "redis_conf.h"
#include "redis_request.h"

namespace sallyport::ngx {

class RedisConnection;

// Why a connection ended.
struct RedisLoss {
  std::string problem;       // for the log
  bool was_ready = false;    // it had served before
  bool is_timeout = false;   // an answer did not come in time
};

class RedisConnectionOwner {
 public:
  // What the connection sends before anything else, and waits for.
  virtual std::vector<redis::Command> greeting() = 0;
  // nullopt: that answer to greeting()[i] is as it must be; else what is wrong with it.
  virtual std::optional<std::string> check_greeting(std::size_t i, const redis::Reply& reply) = 0;
  virtual void on_ready(RedisConnection& connection) = 0;
  // Also of a connection that never became ready. `unanswered` are the requests that it had sent.
  virtual void on_lost(RedisConnection& connection, const RedisLoss& loss, RedisPlaces unanswered) = 0;
  // An answer to one of its requests.
  virtual void on_reply(RedisRequest& request, redis::OwnedReply reply) = 0;
  // A message that nobody asked for. False: none is expected, the connection is closed.
  virtual bool on_push(const redis::Reply& reply) = 0;

 protected:
  ~RedisConnectionOwner() = default;
};

class RedisConnection {
 public:
  RedisConnection(RedisConnectionOwner& owner, const RedisConf& conf);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // Begins to connect; must be closed. `name` is what the server's certificate must be of. on_ready or on_lost
  // follows, never before this returns. False: it failed at once, `problem` says why.
  bool open(const RedisAddress& address, const std::string& name, std::string* problem);

  bool is_closed() const { return state_ == State::kClosed; }
  bool is_ready() const { return state_ == State::kReady; }
  std::size_t unanswered() const { return sent_.size(); }

  // Sends a request, whose answer comes to on_reply; is_ready().
  void send(RedisRequest& request, ngx_msec_t timeout);
  // Sends a command whose answer nobody wants (ASKING), ahead of the next request.
  void send_unheard(const redis::Command& command, ngx_msec_t timeout);
  // Sends a command whose answers come to on_push (SUBSCRIBE).
  void send_pushed(const redis::Command& command);

  // Ends it without a word to the owner, who gets what was not answered.
  RedisPlaces close();

 private:
  enum class State { kClosed, kConnecting, kHandshake, kGreeting, kReady };

  static void on_read(ngx_event_t* event);
  static void on_write(ngx_event_t* event);
  static void on_timer(ngx_event_t* event);
  static void on_flush(ngx_event_t* event);
#if (NGX_SSL)
  static void on_handshake(ngx_connection_t* c);
  bool begin_handshake();
  bool expect_name();
#endif

  void connected();
  void greet();
  void read();
  void take(redis::OwnedReply reply);
  void take_greeting(redis::OwnedReply reply);
  void append(const redis::Command& command);
  void flush();
  void expect_answer(RedisRequest* request, ngx_msec_t timeout);
  void check_deadline();
  void fail(std::string problem, bool is_timeout = false);
  void release();
  void close_when_idle();

  RedisConnectionOwner& owner_;
  const RedisConf& conf_;
  State state_ = State::kClosed;
  unsigned life_ = 0;                      // counts openings and endings: whether a handler ended it
  ngx_connection_t* connection_ = nullptr;
  std::string name_;                       // of the server, for TLS
  std::optional<redis::ReplyReader> reader_;
  RedisPlaces sent_;
  std::string out_;
  std::size_t written_ = 0;                // of out_
  std::size_t greeting_size_ = 0;
  std::size_t greeted_ = 0;
  ngx_event_t timer_{};
  ngx_event_t flush_{};
  ngx_log_t quiet_{};                      // nginx's own words on each failed attempt would flood the log
};

}  // namespace sallyport::ngx
