// What the module knows of a request. RequestState belongs to the main request and outlives internal
// redirects, which wipe module contexts; RequestCtx belongs to one request (or subrequest) in one location.
#pragma once

#include "ngx.h"

#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "conf.h"
#include "session/cookie.h"
#include "session/record.h"

namespace sallyport::ngx {

// One of our cookies as the browser sent it; views of the request's memory.
struct OwnCookie {
  std::string_view name;
  std::string_view value;
};

// A header of our making among the request headers of a request or subrequest.
struct Injected {
  ngx_http_request_t* request;
  ngx_table_elt_t* header;
};

// How far the store has been asked for the session of the request's cookie.
enum class Lookup { kNotYet, kFound, kAbsent };

enum class PendingLogin {
  kNone,
  kRedirect,  // a page navigation: send it to the login
  kTell,      // anything else: 401 that says where to log in
};

struct RequestState {
  // Taken out of the Cookie header when the request arrived.
  std::vector<OwnCookie> cookies;

  Lookup lookup = Lookup::kNotYet;
  session::SessionKey key{};
  bool touch_due = false;
  std::optional<session::RecordView> record;

  std::vector<Injected> injected;
  std::vector<ngx_http_request_t*> detached;  // subrequests that have headers of their own

  // What the header filter does if the request ends as 401 (`satisfy any`).
  PendingLogin pending = PendingLogin::kNone;
  const login::Trust* pending_trust = nullptr;  // null: the login page chooses

  void* body_reader = nullptr;  // body_reader.cpp's own

  std::optional<Reason> error;  // $saml_error
  ngx_str_t reference{};        // of the page and the log line

  // The session's cookie, absent where it came not at all or twice (cookie tossing).
  std::optional<std::string_view> session_cookie(std::string_view name) const;
};

enum class Standing {
  kPublic,      // auth_saml off here
  kSession,     // a session that counts here
  kNoSession,
  kUnknownIdp,  // the variable names none
};

struct RequestCtx {
  bool evaluated = false;
  Standing standing = Standing::kPublic;
  const session::RecordView* session = nullptr;  // only with kSession
  const login::Trust* trust = nullptr;           // the IdP that the session is of, or the only one to go to
  RequestState* state = nullptr;                 // null while nothing is known of the main request
};

// The state of r->main, if there is one.
RequestState* find_state(ngx_http_request_t* r);
// The same, made when missing; null when memory is short.
RequestState* require_state(ngx_http_request_t* r);

// The context of r itself.
RequestCtx* find_ctx(ngx_http_request_t* r);
RequestCtx* require_ctx(ngx_http_request_t* r);

// Notes a refusal for $saml_error.
void set_error(ngx_http_request_t* r, Reason reason);

}  // namespace sallyport::ngx
