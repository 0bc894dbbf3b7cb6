// Editing the headers that the upstream will see: client-sent identity headers and our own cookies out,
// the session's identity in.
//
// proxy, grpc, fastcgi, scgi and uwsgi copy every element of headers_in.headers. Elements are taken out by
// shortening or splitting the list's parts and never by moving one, since known headers
// (headers_in.host and the like) point at their element.
#pragma once

#include "ngx.h"

#include "conf.h"
#include "request_ctx.h"

namespace sallyport::ngx {

// Once per main request, as it arrives: removes every client-sent header of the strip set. False
// when memory is short.
bool strip_client_headers(ngx_http_request_t* r, const StripSet& names);

// Once per main request, as it arrives: takes our own cookies (session and login attempts, of every server,
// since hosts may share them) out of the Cookie header and remembers those of this server in the
// request's state. False when memory is short.
bool take_own_cookies(ngx_http_request_t* r, const SrvConf& server);

// Gives a subrequest a list of headers of its own (nginx shares the parent's), without what was
// injected for others. Once per subrequest. False when memory is short.
bool detach_headers(ngx_http_request_t* r, RequestState& state);

// Removes what was injected for an earlier location of the same request.
void remove_injected(ngx_http_request_t* r, RequestState& state);

enum class Injection { kDone, kNoMemory, kTooLarge };

// Writes the identity of the context's session as this location wants it, within saml_header_limit.
Injection inject_identity(ngx_http_request_t* r, const LocConf& location, const RequestCtx& ctx);

// The request's value of a header that nginx keeps no slot for; empty where not sent.
std::string_view find_header(ngx_http_request_t* r, std::string_view lowcase);

}  // namespace sallyport::ngx
