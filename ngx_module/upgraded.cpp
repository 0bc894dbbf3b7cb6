#include "upgraded.h"

#include <algorithm>
#include <string>

#include "base/encoding.h"
#include "bridge.h"
#include "redis_store.h"
#include "session_lookup.h"
#include "worker.h"

namespace sallyport::ngx {

namespace {

// How long the connection may outlive a session that ended elsewhere. A look costs a microsecond.
constexpr Millis kInterval = 2 * kSecond;

// In the request's pool.
struct Watch {
  ngx_http_request_t* request;
  session::SessionKey key;
  Millis expires;
  std::string user;  // for the log
  std::string idp;   // whose session it is
  std::string binding;
  session::SealId seal_id;
  Millis confirmed;  // when the session was last known to live
  off_t received = 0;
  ngx_event_t timer{};
  SessionQuestion question;  // to a store behind the zone

  Watch(ngx_http_request_t* r, const RequestState& state)
      : request(r),
        key(state.key),
        expires(state.record->expires()),
        user(log_escape(state.record->field(session::Field::kUser))),
        idp(state.record->field(session::Field::kIdp)),
        binding(state.record->binding()),
        seal_id(state.seal_id),
        confirmed(now()),
        question(on_answer, this) {}
  ~Watch() {
    if (timer.timer_set) ngx_del_timer(&timer);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  static void on_answer(void* owner, const SessionAnswer& answer);

  void wait() {
    const Millis left = std::max<Millis>(expires - now(), 1);
    ngx_add_timer(&timer, static_cast<ngx_msec_t>(std::min(left, kInterval)));
  }
};

// What came from the client has gone to the application.
off_t received_of(const ngx_http_request_t* r) {
  const ngx_connection_t* peer = r->upstream == nullptr ? nullptr : r->upstream->peer.connection;
  return peer == nullptr ? 0 : peer->sent;
}

SessionLife look(Watch& watch) {
  const off_t received = received_of(watch.request);
  const bool is_active = received != watch.received;
  watch.received = received;
  const SessionLife life = session_life(watch.request, watch.key, watch.expires, is_active);
  if (life == SessionLife::kLives) watch.confirmed = now();
  return life;
}

bool is_in_grace(const Watch& watch) {
  return now() < watch.expires && worker()->store()->sessions().is_in_grace(watch.confirmed);
}

// As for every request: the saml_idp is there, and the identity provider behind it is the same.
bool counts(const Watch& watch) {
  const login::Trust* trust = srv_conf(watch.request)->find_trust(watch.idp);
  return trust != nullptr && as_view(trust->binding) == watch.binding;
}

void close(Watch& watch) {
  ngx_connection_t* connection = watch.request->connection;
  ngx_log_error(NGX_LOG_NOTICE, connection->log, 0, "saml: upgraded connection closed: the session of user=%s %s",
                watch.user.c_str(), counts(watch) ? "ended" : "counts no more, its saml_idp is gone or another one");
  // As nginx ends connections that outlast a shutdown: the handler terminates the request, and `watch` is freed
  // with it.
  connection->close = 1;
  connection->read->handler(connection->read);
}

// False: it is to be closed. Else it goes on, or an answer decides.
bool check(Watch& watch) {
  if (!counts(watch)) return false;
  const SessionLife life = look(watch);
  const bool asks = life == SessionLife::kUnsure && worker()->store()->sessions().ask(watch.key, watch.question);
  if (asks) return true;
  if (life == SessionLife::kEnded || (life == SessionLife::kUnsure && !is_in_grace(watch))) return false;
  watch.wait();
  return true;
}

void on_timer(ngx_event_t* event) {
  Watch& watch = *static_cast<Watch*>(event->data);
  if (!fence<bool>(false, ngx_cycle->log, [&] { return check(watch); })) close(watch);
}

void Watch::on_answer(void* owner, const SessionAnswer& answer) {
  Watch& watch = *static_cast<Watch*>(owner);
  const session::SessionSealer& sealer = worker()->secrets(*srv_conf(watch.request)).sessions;
  const bool is_it = answer.kind == SessionAnswer::Kind::kRecord && sealer.id_of(answer.sealed) == watch.seal_id;
  if (is_it) watch.confirmed = answer.asked_at;
  const bool lives = answer.kind == SessionAnswer::Kind::kUnavailable ? is_in_grace(watch)
                                                                      : is_it && now() < watch.expires;
  lives ? watch.wait() : close(watch);
}

}  // namespace

void watch_upgraded(ngx_http_request_t* r, const RequestState& state) {
  auto* watch = make_in_pool<Watch>(r->pool, r, state);
  if (watch == nullptr) throw std::bad_alloc();
  watch->received = received_of(r);
  watch->timer.handler = on_timer;
  watch->timer.data = watch;
  watch->timer.log = r->connection->log;
  // Whether an exiting worker waits for such a connection is nginx's to say (worker_shutdown_timeout).
  watch->timer.cancelable = 1;
  watch->wait();
}

}  // namespace sallyport::ngx
