// Upgraded connections (WebSocket) end with the session that opened them.
#pragma once

#include "ngx.h"

#include "request_ctx.h"

namespace sallyport::ngx {

// From the header filter of an answer that upgrades on: while the session lives, and its saml_idp is in force as it was, so does
// the connection, at most two seconds longer. What the client sends counts as activity of the session.
void watch_upgraded(ngx_http_request_t* r, const RequestState& state);

}  // namespace sallyport::ngx
