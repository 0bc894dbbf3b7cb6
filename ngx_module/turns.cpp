#include "turns.h"

#include "bridge.h"

namespace sallyport::ngx {

void take_turn(ngx_event_t* event);

namespace {

// An exiting worker leaves when no timer is left; this one says that work waits. It never has to fire.
constexpr ngx_msec_t kGuard = 60000;

// This process's.
struct Queue {
  ngx_queue_t waiting;
  ngx_event_t event{};

  Queue() { ngx_queue_init(&waiting); }

  // In the next turn of the event loop, behind what has arrived on connections by then.
  void schedule() {
    event.handler = take_turn;
    event.data = this;  // nginx's debug log reads the place where a connection's number would be
    event.log = ngx_cycle->log;
    if (!event.timer_set) ngx_add_timer(&event, kGuard);
    if (!event.posted) {
      ngx_post_event(&event, &ngx_posted_next_events);
    }
  }

  void rest() {
    if (event.timer_set) ngx_del_timer(&event);
    if (event.posted) {
      ngx_delete_posted_event(&event);
    }
  }
};

Queue queue;

}  // namespace

Turns::~Turns() {
  if (!waiting_) return;
  ngx_queue_remove(&link_);
  if (ngx_queue_empty(&queue.waiting)) queue.rest();
}

std::optional<ngx_int_t> Turns::take() {
  const LongestLap::Part lap(longest_);
  const std::optional<ngx_int_t> failure = NGX_HTTP_INTERNAL_SERVER_ERROR;
  return fence<std::optional<ngx_int_t>>(failure, request_->connection->log,
                                         [&] { return piece_(request_, work_); });
}

void take_turn(ngx_event_t*) {
  if (ngx_queue_empty(&queue.waiting)) return queue.rest();
  Turns* turns = ngx_queue_data(ngx_queue_head(&queue.waiting), Turns, link_);
  const std::optional<ngx_int_t> end = turns->take();
  if (!end) return queue.schedule();

  ngx_queue_remove(&turns->link_);
  turns->waiting_ = false;
  ngx_queue_empty(&queue.waiting) ? queue.rest() : queue.schedule();
  turns->longest_.record();
  // Frees the request, and `turns` with it.
  ngx_connection_t* connection = turns->request_->connection;
  ngx_http_finalize_request(turns->request_, *end);
  ngx_http_run_posted_requests(connection);
}

ngx_int_t do_in_turns(ngx_http_request_t* r, Turns::Piece piece, void* work) {
  auto* turns = make_in_pool<Turns>(r->pool, r, piece, work);
  if (turns == nullptr || ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  // A client that leaves is not worked for; and what nginx has set to go on with the phases must not run again
  // because the connection can be written to.
  r->read_event_handler = ngx_http_test_reading;
  r->write_event_handler = ngx_http_request_empty_handler;
  ngx_queue_insert_tail(&queue.waiting, &turns->link_);
  turns->waiting_ = true;
  r->main->count++;
  queue.schedule();
  return NGX_DONE;
}

}  // namespace sallyport::ngx
