// From the request's cookie to a session that lives.
#pragma once

#include "ngx.h"

#include <optional>

#include "conf.h"
#include "request_ctx.h"

namespace sallyport::ngx {

// Has the CPU fetch the place where the session of the request's cookie would be found, and in a second step its
// record: in a large zone neither is in a cache, and there is work to do until each is asked for.
void expect_session(ngx_http_request_t* r, RequestState& state);
void expect_record(ngx_http_request_t* r, const RequestState& state);

// Asks the store for the session of the request's cookie, once per main request; the front of the record is
// copied into the request's pool. Absolute and idle time-outs are checked. Afterwards state.lookup is kFound, kAbsent or,
// with a store behind the zone, kUnavailable; or kAsking: then the handler that asked returns, and is called again when
// the answer is there.
void look_up_session(ngx_http_request_t* r, RequestState& state);

// The whole record of that session, with what lies behind the front: asked for once, where look_up_session() did not
// take it since nothing in the configuration seemed to want it (SSI and scripts find variables while they run). Null
// when the session has ended in between.
const session::RecordView* whole_record(ngx_http_request_t* r, RequestState& state);

// Asks the zone afresh for the whole record and takes it as the request's; `version` is the one to exchange it by, nullopt
// where only a store behind the zone has it. False: the session has ended, and the state says so.
bool look_up_whole(ngx_http_request_t* r, RequestState& state, std::optional<std::uint16_t>* version);

// The request has no session any more.
void forget_session(RequestState& state);

// Notes that the session is in use, where that is due (at most once a minute, or when it would else be
// evicted).
void note_activity(ngx_http_request_t* r, RequestState& state);

// The key of the session cookie that came with the request, whether or not there is such a session.
std::optional<session::SessionKey> session_key_of(ngx_http_request_t* r);

// Whether this node knows the session of the request's cookie, without asking further.
bool has_session_here(ngx_http_request_t* r, RequestState& state);

enum class SessionLife {
  kLives,
  kEnded,
  kUnsure,  // a store behind the zone is to be asked
};
// Whether a session that ends at `expires` still lives, asked afresh and not for the request's cookie. `is_active`: it is in use,
// which is noted as note_activity does.
SessionLife session_life(ngx_http_request_t* r, const session::SessionKey& key, Millis expires, bool is_active);

// Ends the session of the request's cookie, which has been looked up, if there is one; also one of which nothing is known
// since the store cannot be asked. False: the store behind the zone does not know, and will not be told.
bool end_session(ngx_http_request_t* r, RequestState& state);

// Ends the session of the key, which was this browser's.
void end_earlier_session(ngx_http_request_t* r, const session::SessionKey& key);

// Where the browser sent several cookies of that name, of which none counts (cookie tossing): ends the sessions of them all, one
// of which is the user's. The same result.
bool end_sessions_of_all_cookies(ngx_http_request_t* r, RequestState& state);

}  // namespace sallyport::ngx
