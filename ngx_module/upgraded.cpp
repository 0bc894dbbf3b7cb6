#include "upgraded.h"

#include <algorithm>
#include <string>

#include "base/encoding.h"
#include "bridge.h"
#include "session_lookup.h"

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
  off_t received = 0;
  ngx_event_t timer{};

  Watch(ngx_http_request_t* r, const RequestState& state)
      : request(r),
        key(state.key),
        expires(state.record->expires()),
        user(log_escape(state.record->field(session::Field::kUser))) {}
  ~Watch() {
    if (timer.timer_set) ngx_del_timer(&timer);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

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

bool may_stay(Watch& watch) {
  const off_t received = received_of(watch.request);
  const bool is_active = received != watch.received;
  watch.received = received;
  return session_lives(watch.request, watch.key, is_active);
}

void on_timer(ngx_event_t* event) {
  Watch& watch = *static_cast<Watch*>(event->data);
  ngx_connection_t* connection = watch.request->connection;
  if (fence<bool>(false, connection->log, [&] { return may_stay(watch); })) return watch.wait();
  ngx_log_error(NGX_LOG_NOTICE, connection->log, 0,
                "saml: upgraded connection closed: the session of user=%s ended",
                watch.user.c_str());
  // As nginx ends connections that outlast a shutdown: the handler terminates the request, and `watch` is freed
  // with it.
  connection->close = 1;
  connection->read->handler(connection->read);
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
