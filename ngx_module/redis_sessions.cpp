#include "redis_sessions.h"

#include <algorithm>

#include "bridge.h"

namespace sallyport::ngx {

namespace {

// Below that the zone is not told again that a session was confirmed: `grace` may end so much earlier.
constexpr Millis kConfirmationInterval = kSecond;

}  // namespace

struct RedisSessions::Ask {
  RedisSessions& sessions;
  session::SessionKey key;
  Millis asked_at;
  ngx_queue_t waiting;
  RedisRequest request;

  Ask(RedisSessions& owner, const session::SessionKey& of) : sessions(owner), key(of), asked_at(now()) {
    ngx_queue_init(&waiting);
  }
};

RedisSessions::RedisSessions(RedisClient& client, const redis::Keys& keys, SessionZone& zone)
    : client_(client), keys_(keys), zone_(zone) {}

RedisSessions::~RedisSessions() = default;

bool RedisSessions::ask(const session::SessionKey& key, SessionQuestion& question) {
  const auto [place, is_new] = asks_.try_emplace(key);
  if (is_new) {
    place->second = std::make_unique<Ask>(*this, key);
    Ask& ask = *place->second;
    ask.request.prepare(on_reply, &ask, redis::get(keys_.session(key)));
    if (!client_.send(ask.request)) {
      asks_.erase(place);
      return false;
    }
  }
  ngx_queue_insert_tail(&place->second->waiting, &question.link_);
  question.is_waiting_ = true;
  return true;
}

void RedisSessions::on_reply(void* owner, redis::OwnedReply reply) {
  Ask& ask = *static_cast<Ask*>(owner);
  SessionAnswer answer;
  answer.asked_at = ask.asked_at;
  if (reply != nullptr) {
    const redis::Reply view(reply.get());
    if (view.kind() == redis::ReplyKind::kText) {
      answer.kind = SessionAnswer::Kind::kRecord;
      answer.sealed = view.text();
    } else if (view.is_nil()) {
      answer.kind = SessionAnswer::Kind::kNothing;
    }
    // An error, or what is no answer to GET, tells nothing of the session.
  }
  ask.sessions.answer(ask, answer);
}

void RedisSessions::answer(Ask& ask, const SessionAnswer& answer) {
  // Whoever asks from now on asks anew.
  const auto place = asks_.find(ask.key);
  const std::unique_ptr<Ask> kept = std::move(place->second);
  asks_.erase(place);
  while (!ngx_queue_empty(&kept->waiting)) {
    auto* question = ngx_queue_data(ngx_queue_head(&kept->waiting), SessionQuestion, link_);
    ngx_queue_remove(&question->link_);
    question->is_waiting_ = false;
    question->handler_(question->owner_, answer);
  }
}

bool RedisSessions::is_fresh(Millis confirmed) const {
  const Millis age = now() - confirmed;
  return age >= 0 && age < client_.conf().cache_time &&
         confirmed > static_cast<Millis>(zone_.store_state().voided_at);
}

bool RedisSessions::is_in_grace(Millis confirmed) const {
  const Millis age = now() - confirmed;
  return age >= 0 && age < client_.conf().grace;
}

bool RedisSessions::is_confirmation_due(Millis confirmed, Millis asked_at) const {
  return asked_at - confirmed >= std::min(kConfirmationInterval, client_.conf().cache_time);
}

}  // namespace sallyport::ngx
