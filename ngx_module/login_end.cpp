#include "login_end.h"

#include <algorithm>

#include "base/encoding.h"
#include "bridge.h"
#include "login_flow.h"
#include "request_ctx.h"
#include "respond.h"
#include "session/login_state.h"
#include "session_lookup.h"
#include "site.h"
#include "worker.h"

namespace sallyport::ngx {

namespace {

constexpr long kLastIdpSeconds = 400 * 86400;  // as long as browsers keep any cookie

// The marker may be longer than the attempt's cookie was, which must not make them too many.
void expire_old_attempts(ngx_http_request_t* r, const SrvConf& server, std::string_view handle, std::size_t marker_bytes,
                         const session::CookieSettings& settings, std::vector<std::string>& cookies) {
  std::vector<session::AttemptCookie> others = present_attempts(r, server);
  const auto is_this = [&](const session::AttemptCookie& one) { return one.handle == handle; };
  others.erase(std::remove_if(others.begin(), others.end(), is_this), others.end());
  const std::size_t name_bytes = server.cookie_settings.name.size() + 1 + handle.size();
  for (const std::string& old : session::attempts_to_expire(std::move(others), name_bytes + marker_bytes)) {
    cookies.push_back(session::expire_cookie(settings, server.cookie_settings.name + "." + old));
  }
}

// Nothing depends on it but the order of the login page's buttons.
std::string last_idp_cookie(const SrvConf& server, std::string_view idp) {
  session::CookieSettings settings = server.cookie_settings;
  settings.same_site = session::SameSite::kLax;
  return session::set_cookie(settings, settings.name + std::string(session::kLastIdpSuffix), idp, kLastIdpSeconds);
}

}  // namespace

void log_login(ngx_http_request_t* r, const login::FinishedLogin& finished,
               std::string_view idp_name) {
  const std::string line = login::describe_login(finished, idp_name);
  ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0, "saml: valid login %s", line.c_str());
  const std::string user = log_escape(finished.identity.user);
  for (const std::string& warning : finished.identity.warnings) {
    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0, "saml: login of user=%s: %s", user.c_str(),
                  log_escape_clause(warning, 800).c_str());
  }
  if (!finished.overflow.empty()) {
    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "saml: login of user=%s: cut to saml_header_limit: %s", user.c_str(),
                  finished.overflow.c_str());
  }
}

void end_earlier_sessions(ngx_http_request_t* r, const std::optional<session::SessionKey>& noted,
                          const session::SessionKey& new_one) {
  if (RequestState* state = find_state(r)) (void) end_session(r, *state);
  if (noted) end_earlier_session(r, *noted);
  for (const session::SessionKey& key : finished_sessions(r)) {
    // Where hosts share cookies, the host of the ACS has marked this login already.
    if (key != new_one) end_earlier_session(r, key);
  }
}

std::vector<std::string> cookies_of(ngx_http_request_t* r, const SrvConf& server, const LoginEnd& end) {
  session::CookieSettings settings = server.cookie_settings;
  std::vector<std::string> cookies;
  if (!end.session_cookie.empty()) {
    cookies.push_back(session::set_cookie(settings, settings.name, end.session_cookie, -1));
  }
  if (!end.session_cookie.empty() && server.trusts.size() > 1) cookies.push_back(last_idp_cookie(server, end.idp));
  if (end.handle.empty()) return cookies;
  const session::LoginMarker marker{end.answer, end.session, end.target, now()};
  const auto sealed = worker()->secrets(server).login_states.seal_marker(marker, *server.entity_id.value, end.handle,
                                                                         worker()->random());
  settings.same_site = settings.secure ? session::SameSite::kNone : session::SameSite::kUnset;
  const std::string name = settings.name + "." + std::string(end.handle);
  cookies.push_back(sealed ? session::set_cookie(settings, name, *sealed, session::kMarkerLifetime / kSecond)
                           : session::expire_cookie(settings, name));
  expire_old_attempts(r, server, end.handle, sealed ? sealed->size() : 0, settings, cookies);
  return cookies;
}

ngx_int_t see_other(ngx_http_request_t* r, const std::string& url, std::vector<std::string> cookies) {
  Reply reply;
  reply.status = NGX_HTTP_SEE_OTHER;
  reply.location = url;
  reply.set_cookies = std::move(cookies);
  return send_reply(r, reply);
}

ngx_int_t send_to_target(ngx_http_request_t* r, const SrvConf& server, const std::string& target,
                         std::vector<std::string> cookies) {
  if (target.rfind('/', 0) != 0) return see_other(r, target, std::move(cookies));
  if (server.cookie_settings.same_site != session::SameSite::kStrict) {
    return see_other(r, site_of(r) + target, std::move(cookies));
  }
  // A redirect at the end of a cross-site navigation would not carry a strict cookie.
  const login::Page page = login::continue_page(target);
  Reply reply = page_reply(NGX_HTTP_OK, page);
  reply.set_cookies = std::move(cookies);
  return send_reply(r, reply);
}

bool has_live_session(ngx_http_request_t* r, const login::Trust& trust) {
  const RequestState* state = find_state(r);
  if (state == nullptr || state->lookup != Lookup::kFound) return false;
  return state->record->is_bound_to(trust.binding) && is_for_site(r, site_kind(r), state->record->field(session::Field::kHost));
}

}  // namespace sallyport::ngx
