// Requests that wait for a store behind the zone.
#pragma once

#include "ngx.h"

#include "request_ctx.h"

namespace sallyport::ngx {

// The request or subrequest goes on, from the beginning of its phase, when wake_waiting() is called.
void wait_for_store(ngx_http_request_t* r, RequestState& state);

// Those that wait go on; they, and the main request, may be gone afterwards.
void wake_waiting(ngx_http_request_t* main, RequestState& state);

// For an endpoint that waits: `again` is called then, and its result finalizes the request. Returns what
// ngx_http_finalize_request gets now.
ngx_int_t when_store_answers(ngx_http_request_t* r, RequestState& state, ngx_int_t (*again)(ngx_http_request_t*));

}  // namespace sallyport::ngx
