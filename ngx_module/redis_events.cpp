#include "redis_events.h"

#include <algorithm>

#include "base/encoding.h"
#include "bridge.h"
#include "redis_single.h"

namespace sallyport::ngx {

namespace {

// How often it is looked after: a lost subscription is seen, and tried again, so soon.
constexpr ngx_msec_t kRound = 500;
constexpr unsigned kMostRounds = 10;  // between two attempts
constexpr unsigned kMostPings = 3;     // one each round
constexpr unsigned kLoggedFailure = 4;

}  // namespace

RedisEvents::RedisEvents(RedisClient& client, const redis::Keys& keys, SessionZone& zone, RedisEnds& ends)
    : client_(client), keys_(keys), zone_(zone), ends_(ends), connection_(*this, client.conf()) {
  timer_.handler = on_timer;
  timer_.data = this;
  timer_.log = ngx_cycle->log;
  timer_.cancelable = 1;
}

RedisEvents::~RedisEvents() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
}

void RedisEvents::start() { ngx_add_timer(&timer_, 1); }

std::vector<redis::Command> RedisEvents::greeting() { return data_greeting(client_.conf()); }

std::optional<std::string> RedisEvents::check_greeting(std::size_t, const redis::Reply& reply) {
  return check_data_greeting(reply);
}

void RedisEvents::on_ready(RedisConnection& connection) {
  pings_ = 0;
  connection.send_pushed(redis::subscribe(keys_.channel()));
}

bool RedisEvents::on_push(const redis::Reply& reply) {
  if (reply.is_error()) {
    refuse("the server says: " + std::string(reply.text().substr(0, 200)));
    return true;
  }
  if (reply.kind() != redis::ReplyKind::kArray || reply.size() == 0) return false;
  const std::string_view kind = reply.at(0).text();
  if (kind == "pong") {
    pings_ = 0;
    return true;
  }
  if (kind == "subscribe") {
    subscribed();
    return true;
  }
  if (kind != "message" || reply.size() != 3) return false;
  ends_.take_event(reply.at(2).text());
  return true;
}

// What was said meanwhile was not heard.
void RedisEvents::subscribed() {
  zone_.store_state().voided_at = static_cast<ngx_atomic_uint_t>(now());
  if (failures_ >= kLoggedFailure) {
    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0, "saml: redis \"%s\": subscribed to events again",
                  client_.conf().name.c_str());
  }
  is_subscribed_ = true;
  failures_ = 0;
}

// Nothing will come over this connection.
void RedisEvents::refuse(const std::string& problem) {
  (void) connection_.close();
  lost(problem);
}

void RedisEvents::on_lost(RedisConnection&, const RedisLoss& loss, RedisPlaces) { lost(loss.problem); }

void RedisEvents::lost(const std::string& problem) {
  if (!is_subscribed_) ++failures_;
  rounds_left_ = is_subscribed_ ? 0 : std::min(failures_, kMostRounds);
  is_subscribed_ = false;
  if (failures_ == kLoggedFailure && zone_.store_state().gone_since == 0 && !ngx_exiting) {
    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "saml: redis \"%s\": no subscription to events: %s; logouts on other nodes reach this one within cache_time",
                  client_.conf().name.c_str(), log_escape_clause(problem, 400).c_str());
  }
}

void RedisEvents::look_after() {
  if (connection_.is_ready()) {
    if (pings_ >= kMostPings) return refuse("the server does not answer");
    if (!client_.topology().is_right(address_)) return refuse("Redis is elsewhere now");
    ++pings_;
    return connection_.send_pushed(redis::ping());
  }
  if (!connection_.is_closed() || ngx_exiting) return;
  if (rounds_left_ > 0) {
    --rounds_left_;
    return;
  }
  open();
}

void RedisEvents::open() {
  std::string name;
  std::string problem;
  if (!client_.topology().find_any(&address_, &name)) return;
  if (!connection_.open(address_, name, &problem)) lost(problem);
}

void RedisEvents::on_timer(ngx_event_t* event) {
  auto& self = *static_cast<RedisEvents*>(event->data);
  fence<bool>(false, ngx_cycle->log, [&] {
    self.look_after();
    return true;
  });
  ngx_add_timer(event, kRound);
}

}  // namespace sallyport::ngx
