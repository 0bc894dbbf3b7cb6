// Starting a login from a request: the redirect (or self-posting form) to the IdP.
#pragma once

#include "ngx.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf.h"
#include "login/begin_login.h"
#include "respond.h"
#include "session/cookie.h"
#include "session/login_state.h"

namespace sallyport::ngx {

struct LoginStart {
  std::string_view return_url;  // a local path
  Millis max_authn_age = 0;     // the login must be younger; 0: however old
  bool is_retry = false;
  ngx_uint_t redirect_status = NGX_HTTP_MOVED_TEMPORARILY;
  const session::LoginOrder* order = nullptr;  // carried out for another host
};

// Begins a login of r at the IdP and sends the answer; for ngx_http_finalize_request.
ngx_int_t send_login(ngx_http_request_t* r, const login::Trust& trust, const LoginStart& start);

// The cookies of login attempts that came with the request.
std::vector<session::AttemptCookie> present_attempts(ngx_http_request_t* r, const SrvConf& server);

// The same as send_login without sending, for the header filter; nullopt after a log line.
std::optional<login::BegunLogin> begin_login_of(ngx_http_request_t* r, const login::Trust& trust,
                                                const LoginStart& start);

// Where the request wants to come back to: its original target, as a local path of at most
// session::kMaxReturnUrl bytes.
std::string return_url_of(ngx_http_request_t* r);

// URL of our login endpoint at the request's site, with idp= where `trust` is given, return= unless it is empty and
// fresh= (seconds) where the login has to be younger than that. The other one: at any site of the server.
std::string login_url(ngx_http_request_t* r, const login::Trust* trust, std::string_view return_url,
                      Millis max_authn_age = 0);
std::string login_url_at(std::string_view site, const SrvConf& server, const login::Trust* trust,
                         std::string_view return_url, Millis max_authn_age);

// Adds what a 401 says to programs: WWW-Authenticate: SAML, and the login's URL under the location's
// prefix. `trust` may be null. False when memory is short.
bool add_login_headers(ngx_http_request_t* r, const LocConf& location, const login::Trust* trust);

// Names of the cookies that mark finished logins of this browser: a logout expires them.
std::vector<std::string> finished_logins(ngx_http_request_t* r);

// Keys of the sessions that this browser got by those logins under this host's session cookie, whether they live or not. The
// marks come with an answer that a page of the IdP's posts, where the session cookie does not.
std::vector<session::SessionKey> finished_sessions(ngx_http_request_t* r);

// Whether the browser finished five logins within the last minute and still comes back without a
// session.
bool is_login_loop(ngx_http_request_t* r);

}  // namespace sallyport::ngx
