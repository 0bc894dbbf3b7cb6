// Work that is too long for one turn of the event loop, done a piece a turn: however many logins arrive at
// once, other traffic waits for one piece at most.
#pragma once

#include "ngx.h"

#include <optional>

#include "test_build.h"

namespace sallyport::ngx {

// One request's work, kept in its pool; a request that ends early takes it out of the queue.
class Turns {
 public:
  // Does one piece of `work`: the result for ngx_http_finalize_request, or nullopt when more is to do.
  using Piece = std::optional<ngx_int_t> (*)(ngx_http_request_t* r, void* work);

  Turns(ngx_http_request_t* r, Piece piece, void* work) : request_(r), piece_(piece), work_(work) {}
  ~Turns();
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

 private:
  friend ngx_int_t do_in_turns(ngx_http_request_t* r, Piece piece, void* work);
  friend void take_turn(ngx_event_t* event);
  std::optional<ngx_int_t> take();

  ngx_queue_t link_{};
  bool waiting_ = false;
  ngx_http_request_t* request_;
  Piece piece_;
  void* work_;
  LongestLap longest_;
};

// Queues the work; first come, first served, one request's work is finished before the next one's begins.
// Returns NGX_DONE for ngx_http_finalize_request (the work holds a reference), or a status. `work` lives as
// long as the request. An exiting worker stays until the queue is empty.
ngx_int_t do_in_turns(ngx_http_request_t* r, Turns::Piece piece, void* work);

}  // namespace sallyport::ngx
