// Answers that leave a fixed time after their work was begun, so that nobody learns from an answer's time how far that work
// went.
#pragma once

#include "ngx.h"

#include <cstdint>

namespace sallyport::ngx {

using Nanoseconds = std::uint64_t;  // of the monotonic clock
Nanoseconds precise_now();

// One worker's.
class LateAnswers {
 public:
  using Answer = ngx_int_t (*)(ngx_http_request_t* r, void* data);

  LateAnswers() { ngx_queue_init(&waiting_); }
  ~LateAnswers();
  LateAnswers(const LateAnswers&) = delete;
  LateAnswers& operator=(const LateAnswers&) = delete;

  // The request ends with answer(r, data) 20 ms after `begun`; where that has passed already, at the next multiple of it.
  // `data` lives as long as the request. Returns NGX_DONE for ngx_http_finalize_request (the wait holds a reference), or a
  // status. An exiting worker stays for it; a client that leaves is waited for no more.
  ngx_int_t put_off(ngx_http_request_t* r, Nanoseconds begun, Answer answer, void* data);

 private:
  struct Waiting;

  static Waiting& of(ngx_queue_t* link);
  static void on_due(ngx_event_t* event);
  static void on_guard(ngx_event_t* event);
  static void finish(Waiting& waiting);
  bool open();
  void arm();

  ngx_queue_t waiting_;  // by time
  ngx_connection_t* connection_ = nullptr;  // of the kernel's timer
};

}  // namespace sallyport::ngx
