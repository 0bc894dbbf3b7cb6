// Running sessions under changed rules (`on_change resolve`).
#pragma once

#include "ngx.h"

#include "login/trust.h"
#include "request_ctx.h"

namespace sallyport::ngx {

// Makes the session that look_up_session() found what the rules of its IdP say now, where a reload changed them:
// once per session, for all workers. False: by the present rules there is none, and it has ended.
bool bring_up_to_date(ngx_http_request_t* r, RequestState& state, const login::Trust& trust);

}  // namespace sallyport::ngx
