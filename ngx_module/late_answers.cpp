#include "late_answers.h"

#include <ctime>

#ifdef __linux__
#include <sys/timerfd.h>
#include <unistd.h>
#endif

#include "bridge.h"

namespace sallyport::ngx {

namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;
constexpr Nanoseconds kSecondLong = 1000 * kMillisecond;
// Twice what the dearest message may cost.
constexpr Nanoseconds kPeriod = 20 * kMillisecond;
// How much later nginx's own timer is, should the kernel's not come. It counts from the time at which this turn of the event
// loop began, and must never be the first.
constexpr ngx_msec_t kGuard = 100;

}  // namespace

struct LateAnswers::Waiting {
  Waiting(ngx_http_request_t* r, Nanoseconds at, Answer what, void* with) : request(r), due(at), answer(what), data(with) {}
  ~Waiting() { leave(); }

  void leave() {
    if (guard.timer_set) ngx_del_timer(&guard);
    if (is_queued) {
      ngx_queue_remove(&link);
    }
    is_queued = false;
  }

  ngx_queue_t link{};
  bool is_queued = false;
  ngx_event_t guard{};
  ngx_http_request_t* request;
  Nanoseconds due;
  Answer answer;
  void* data;
};

LateAnswers::Waiting& LateAnswers::of(ngx_queue_t* link) {
  Waiting* waiting = ngx_queue_data(link, Waiting, link);
  return *waiting;
}

Nanoseconds precise_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<Nanoseconds>(now.tv_sec) * kSecondLong + static_cast<Nanoseconds>(now.tv_nsec);
}

LateAnswers::~LateAnswers() {
  if (connection_ != nullptr) ngx_close_connection(connection_);
}

// nginx's timers count milliseconds, from the time at which a turn of the event loop began: they would add the very fraction
// that is to be hidden.
bool LateAnswers::open() {
  if (connection_ != nullptr) return true;
#ifdef __linux__
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd == -1) return false;
  ngx_connection_t* connection = ngx_get_connection(fd, ngx_cycle->log);
  if (connection == nullptr) {
    close(fd);
    return false;
  }
  connection->data = this;
  connection->read->handler = on_due;
  connection->read->log = ngx_cycle->log;
  if (ngx_handle_read_event(connection->read, 0) != NGX_OK) {
    ngx_close_connection(connection);
    return false;
  }
  connection_ = connection;
  return true;
#else
  return false;
#endif
}

void LateAnswers::arm() {
#ifdef __linux__
  if (ngx_queue_empty(&waiting_) || !open()) return;
  const Nanoseconds due = of(ngx_queue_head(&waiting_)).due;
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(due / kSecondLong);
  when.it_value.tv_nsec = static_cast<long>(due % kSecondLong);
  timerfd_settime(connection_->fd, TFD_TIMER_ABSTIME, &when, nullptr);
#endif
}

void LateAnswers::on_due(ngx_event_t* event) {
  auto* connection = static_cast<ngx_connection_t*>(event->data);
  auto& self = *static_cast<LateAnswers*>(connection->data);
  std::uint64_t expirations = 0;
  [[maybe_unused]] const ssize_t got = read(connection->fd, &expirations, sizeof(expirations));
  event->ready = 0;
  while (!ngx_queue_empty(&self.waiting_)) {
    Waiting& first = of(ngx_queue_head(&self.waiting_));
    if (first.due > precise_now()) break;
    finish(first);
  }
  self.arm();
}

void LateAnswers::on_guard(ngx_event_t* event) { finish(*static_cast<Waiting*>(event->data)); }

void LateAnswers::finish(Waiting& waiting) {
  waiting.leave();
  ngx_http_request_t* r = waiting.request;
  ngx_connection_t* connection = r->connection;
  const ngx_int_t rc = fence<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR, connection->log,
                                        [&] { return waiting.answer(r, waiting.data); });
  // Frees the request, and `waiting` with it.
  ngx_http_finalize_request(r, rc);
  ngx_http_run_posted_requests(connection);
}

ngx_int_t LateAnswers::put_off(ngx_http_request_t* r, Nanoseconds begun, Answer answer, void* data) {
  const Nanoseconds now = precise_now();
  const Nanoseconds due = begun + ((now - begun) / kPeriod + 1) * kPeriod;
  auto* waiting = make_in_pool<Waiting>(r->pool, r, due, answer, data);
  if (waiting == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_queue_t* before = ngx_queue_last(&waiting_);
  while (before != ngx_queue_sentinel(&waiting_) && of(before).due > due) before = ngx_queue_prev(before);
  ngx_queue_insert_after(before, &waiting->link);
  waiting->is_queued = true;
  waiting->guard.handler = on_guard;
  waiting->guard.data = waiting;
  waiting->guard.log = r->connection->log;
  ngx_add_timer(&waiting->guard, static_cast<ngx_msec_t>((due - now) / kMillisecond) + kGuard);
  arm();
  r->main->count++;
  return NGX_DONE;
}

}  // namespace sallyport::ngx
