// Running sessions under changed rules (`on_change resolve`).
#pragma once

#include "ngx.h"

#include "login/trust.h"
#include "request_ctx.h"

namespace sallyport::ngx {

// As of when the rules of the saml_idp are what this worker knows: session::Resolution::generation, of this node alone.
std::uint32_t generation_of(const MainConf& conf, const login::Trust& trust);

enum class UpToDate {
  kYes,
  kEnded,        // by the present rules there is no session, and it has ended
  kAsking,       // the handler that asked returns, and is called again when the store has answered
  kUnavailable,  // the store keeps the list of users, and refuses to tell, or has told nothing for `grace`
};

// Makes the session that look_up_session() found what the rules of its IdP, and the list of users, say now, where they changed:
// once per session, for all workers.
UpToDate bring_up_to_date(ngx_http_request_t* r, RequestState& state, const login::Trust& trust);

// The same where no location says which IdPs count: for that of the session, if this server still trusts it and the session
// is for the request's host. kEnded: there is no such session.
UpToDate bring_own_up_to_date(ngx_http_request_t* r, RequestState& state);

}  // namespace sallyport::ngx
