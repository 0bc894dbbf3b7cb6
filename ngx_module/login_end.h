// The end of a login: the cookies that it leaves with the browser, and the page that was asked for.
#pragma once

#include "ngx.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "conf.h"
#include "login/resolve_login.h"
#include "session/cookie.h"

namespace sallyport::ngx {

struct LoginEnd {
  std::string_view handle;          // of the attempt, whose cookie becomes a marker; empty: it had none
  Digest answer{};                  // of what ended it (session::LoginMarker)
  session::SessionKey session{};
  std::string_view session_cookie;  // its value; empty: another host's
  std::string target;               // session::LoginMarker::target
  std::string_view idp;             // to be remembered for the login page, where there is a choice
};

// "saml: valid login ...", and what there is to warn of.
void log_login(ngx_http_request_t* r, const login::FinishedLogin& finished, std::string_view idp_name);

// The browser's earlier sessions die with the login, whose cookie overwrites theirs: that of the request's cookie, the one that
// the attempt noted (may be empty), and those of logins that other tabs finished since.
void end_earlier_sessions(ngx_http_request_t* r, const std::optional<session::SessionKey>& noted,
                          const session::SessionKey& new_one);

// Values of Set-Cookie.
std::vector<std::string> cookies_of(ngx_http_request_t* r, const SrvConf& server, const LoginEnd& end);

// Sends the browser to the page that was asked for: a local path of the request's site, or a whole address of another one
// of ours.
ngx_int_t send_to_target(ngx_http_request_t* r, const SrvConf& server, const std::string& target,
                         std::vector<std::string> cookies);

// 303.
ngx_int_t see_other(ngx_http_request_t* r, const std::string& url, std::vector<std::string> cookies);

// Whether the browser has a session of the IdP's already: what was used before and comes again (Back button, double
// click) does no harm then.
bool has_live_session(ngx_http_request_t* r, const login::Trust& trust);

}  // namespace sallyport::ngx
