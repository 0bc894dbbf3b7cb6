// /saml/logout: ends this browser's session here. (Single logout at the IdP stands on the indexes of
// the session table.)
#include "bridge.h"
#include "endpoints.h"
#include "login_flow.h"
#include "request_ctx.h"
#include "request_headers.h"
#include "respond.h"
#include "session/cookie.h"
#include "session_lookup.h"
#include "site.h"
#include "store_wait.h"

namespace sallyport::ngx {

namespace {

// A logout that somebody else's page posts: SameSite keeps our cookie away from other sites, except with samesite=none, and not
// from a sibling host, which may be another organisation's. So what the browser says of the sender counts too.
bool is_of_another_host(ngx_http_request_t* r) {
  const std::string_view relation = find_header(r, "sec-fetch-site");
  if (relation == "same-origin" || relation == "none") return false;
  const std::string_view origin = find_header(r, "origin");
  if (relation.empty()) return !origin.empty() && origin != site_of(r);
  return relation != "same-site" || origin != site_of(r);
}

ngx_int_t end_and_answer(ngx_http_request_t* r) {
  const SrvConf& server = *srv_conf(r);
  if (is_of_another_host(r)) {
    return refuse_access(r, {Reason::kCrossSite, "logout posted by a page of another host"}, {}, {});
  }
  if (RequestState* state = find_state(r)) {
    look_up_session(r, *state);
    if (state->lookup == Lookup::kAsking) return when_store_answers(r, *state, end_and_answer);
    const bool is_clear = state->lookup != Lookup::kAbsent || state->session_cookie(server.cookie_settings.name).has_value();
    if (!(is_clear ? end_session(r, *state) : end_sessions_of_all_cookies(r, *state))) {
      return refuse_access(r, {Reason::kStoreUnavailable, "not every session that the cookies name could be ended"}, {}, {});
    }
    // Two tabs that log in at the same time know nothing of each other, and one overwrites the other's cookie.
    for (const session::SessionKey& key : finished_sessions(r)) end_earlier_session(r, key);
  }

  const std::string target = return_argument(r, "");
  Reply reply;
  login::Page page;
  std::string location;
  if (target.empty()) {
    page = login::logged_out_page(site_of(r) + "/");
    reply = page_reply(NGX_HTTP_OK, page);
  } else {
    location = site_of(r) + target;
    reply.status = NGX_HTTP_SEE_OTHER;
    reply.location = location;
  }
  const session::CookieSettings& settings = server.cookie_settings;
  reply.set_cookies.push_back(session::expire_cookie(settings, settings.name));
  // Logging in and out is no login loop.
  for (const std::string& name : finished_logins(r)) {
    reply.set_cookies.push_back(session::expire_cookie(settings, name));
  }
  return send_reply(r, reply);
}

}  // namespace

ngx_int_t answer_logout(ngx_http_request_t* r) {
  if (r->method == NGX_HTTP_POST) return end_and_answer(r);
  if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
    return method_not_allowed(r, "GET, HEAD, POST");
  }
  std::string action = srv_conf(r)->prefix + "/logout";
  if (r->args.len > 0) action += "?" + std::string(view(r->args));
  const login::Page page = login::logout_confirm_page(action);
  return send_reply(r, page_reply(NGX_HTTP_OK, page));
}

}  // namespace sallyport::ngx
