// Reads a request's body into bounded memory, never a file, without blocking; one that something else of nginx has read
// before, it takes from where nginx put it.
#pragma once

#include "ngx.h"

#include <cstddef>
#include <string_view>

namespace sallyport::ngx {

// Called once with the whole body, which lives as long as the request; its result is for
// ngx_http_finalize_request.
using BodyHandler = ngx_int_t (*)(ngx_http_request_t* r, std::string_view body);

// What to do with a body that is longer than allowed, cut short or too slow; same result.
using BodyRefusal = ngx_int_t (*)(ngx_http_request_t* r, ngx_uint_t status);

// Starts reading the main request's body. Returns NGX_DONE, which ngx_http_finalize_request must get like
// any other result, since the read holds a reference: the request goes on in `handler` or `refusal`, or
// ends when the client leaves. Slow senders: client_body_timeout between two reads, a minute in all.
ngx_int_t read_body(ngx_http_request_t* r, std::size_t max_bytes, BodyHandler handler,
                    BodyRefusal refusal);

}  // namespace sallyport::ngx
