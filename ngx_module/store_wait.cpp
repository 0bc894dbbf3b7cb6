#include "store_wait.h"

#include <new>

#include "bridge.h"

namespace sallyport::ngx {

namespace {

void resume_endpoint(ngx_http_request_t* r) {
  RequestState* state = find_state(r);
  if (state == nullptr || state->waiting.size() > 0) return;
  r->write_event_handler = ngx_http_request_empty_handler;
  const ngx_int_t rc = fence<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR, r->connection->log,
                                        [&] { return state->resume(r); });
  ngx_http_finalize_request(r, rc);
}

}  // namespace

void wait_for_store(ngx_http_request_t* r, RequestState& state) {
  const auto is_it = [r](ngx_http_request_t* other) { return other == r; };
  if (std::any_of(state.waiting.begin(), state.waiting.end(), is_it)) return;
  if (!state.waiting.push_back(r->main->pool, r)) throw std::bad_alloc();
}

void wake_waiting(ngx_http_request_t* main, RequestState& state) {
  ngx_connection_t* connection = main->connection;
  for (ngx_http_request_t* waiting : state.waiting) {
    if (ngx_http_post_request(waiting, nullptr) == NGX_OK) continue;
    ngx_http_finalize_request(main, NGX_HTTP_INTERNAL_SERVER_ERROR);
    return;
  }
  state.waiting.clear();
  ngx_http_run_posted_requests(connection);
}

ngx_int_t when_store_answers(ngx_http_request_t* r, RequestState& state, ngx_int_t (*again)(ngx_http_request_t*)) {
  if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  state.resume = again;
  r->read_event_handler = ngx_http_test_reading;
  r->write_event_handler = resume_endpoint;
  r->main->count++;
  return NGX_DONE;
}

}  // namespace sallyport::ngx
