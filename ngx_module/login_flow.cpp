#include "login_flow.h"

#include "base/encoding.h"
#include "base/host_names.h"
#include "base/url.h"
#include "bridge.h"
#include "request_ctx.h"
#include "session/login_state.h"
#include "session_lookup.h"
#include "site.h"
#include "worker.h"

namespace sallyport::ngx {

namespace {

constexpr std::size_t kLoopLogins = 5;
constexpr Millis kLoopTime = kMinute;
constexpr std::size_t kMaxFinished = 32;

bool is_path(std::string_view target) { return target.rfind('/', 0) == 0; }

// The handle of an attempt's cookie ("NAME.HANDLE"); nullopt for the session's own.
std::optional<std::string_view> handle_of(const OwnCookie& cookie, std::string_view session_name) {
  if (cookie.name.size() <= session_name.size() + 1) return std::nullopt;
  const std::string_view handle = cookie.name.substr(session_name.size() + 1);
  if (!session::is_handle(handle)) return std::nullopt;
  return handle;
}

// Calls visit(cookie name, marker) for each login that this browser finished in the last minutes.
template <class Visit>
void for_each_marker(ngx_http_request_t* r, const RequestState& state, Visit&& visit) {
  const SrvConf& server = *srv_conf(r);
  for (const OwnCookie& cookie : state.cookies) {
    const auto handle = handle_of(cookie, server.cookie_settings.name);
    if (!handle) continue;
    const auto marker =
        worker()->secrets(server).login_states.open_marker(cookie.value, *server.entity_id.value, *handle, now());
    if (marker) visit(cookie.name, *marker);
  }
}

// Whether the session of that login came with the cookie that is this host's, and not with that of a host whose login was
// carried out here.
bool has_its_cookie_here(const SrvConf& server, const session::LoginMarker& marker) {
  if (is_path(marker.target)) return true;
  const std::string_view domain = server.cookie_settings.domain;
  const auto address = domain.empty() ? std::nullopt : parse_url(marker.target);
  return address && is_in_domain(address->host, domain);
}

}  // namespace

std::vector<session::AttemptCookie> present_attempts(ngx_http_request_t* r, const SrvConf& server) {
  std::vector<session::AttemptCookie> present;
  const RequestState* state = find_state(r);
  if (state == nullptr) return present;
  for (const OwnCookie& cookie : state->cookies) {
    if (const auto handle = handle_of(cookie, server.cookie_settings.name)) {
      present.push_back({std::string(*handle), cookie.name.size() + cookie.value.size()});
    }
  }
  return present;
}

namespace {

// Here, or at the host of the one ACS.
Result<login::BegunLogin> begin_at(ngx_http_request_t* r, const login::BeginLogin& begin) {
  const SrvConf& server = *srv_conf(r);
  SecretUsers& secrets = worker()->secrets(server);
  switch (site_kind(r)) {
    case Site::kBase:
      return login::begin_login(begin, secrets.login_states, worker()->random());
    case Site::kOther:
      return login::hand_over_login(begin, {view(r->headers_in.server), server.endpoint_url("login")}, secrets.login_states,
                                    secrets.handovers, worker()->random());
    case Site::kUnknown:
      break;
  }
  return Error{Reason::kUnknownIdp, unknown_host(r)};
}

}  // namespace

std::optional<login::BegunLogin> begin_login_of(ngx_http_request_t* r, const login::Trust& trust,
                                                const LoginStart& start) {
  const SrvConf& server = *srv_conf(r);
  login::BeginLogin begin;
  begin.trust = &trust;
  begin.site_entity_id = *server.entity_id.value;
  begin.cookie = &server.cookie_settings;
  begin.return_url = start.return_url;
  begin.present = present_attempts(r, server);
  begin.max_authn_age = start.max_authn_age;
  begin.is_retry = start.is_retry;
  begin.order = start.order;
  // Not with an order: the session is that host's, which notes it in its own attempt.
  if (start.order == nullptr) begin.earlier_session = session_key_of(r);
  begin.now = now();
  auto begun = begin_at(r, begin);
  if (!begun.ok()) {
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "saml: a login could not be started: %s",
                  log_escape(begun.error().detail, 800).c_str());
    return std::nullopt;
  }
  return std::move(begun).value();
}

ngx_int_t send_login(ngx_http_request_t* r, const login::Trust& trust, const LoginStart& start) {
  if (site_kind(r) == Site::kUnknown) return refuse_login(r, {Reason::kUnknownIdp, unknown_host(r)}, trust.idp_name, {});
  // Of a login that is handed over, that host sees whether it loops; and an answer is posted by a page of the IdP's, where no
  // browser shows the session: there is one retry anyway.
  if (start.order == nullptr && !start.is_retry && is_login_loop(r)) {
    return refuse_login(r, {Reason::kLoginLoop, "five logins within a minute, and no session cookie"},
                        trust.idp_name, {});
  }
  if (const auto error = trust.unavailable(now())) {
    return refuse_login(r, *error, trust.idp_name, login_url(r, &trust, start.return_url, start.max_authn_age));
  }
  auto begun = begin_login_of(r, trust, start);
  if (!begun) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (begun->location.empty()) {
    const login::Page page{begun->page, begun->content_security_policy};
    Reply reply = page_reply(NGX_HTTP_OK, page);
    reply.set_cookies = std::move(begun->set_cookies);
    return send_reply(r, reply);
  }
  Reply reply;
  reply.status = start.redirect_status;
  reply.location = begun->location;
  reply.set_cookies = std::move(begun->set_cookies);
  return send_reply(r, reply);
}

std::string return_url_of(ngx_http_request_t* r) {
  return return_path(view(r->main->unparsed_uri), session::kMaxReturnUrl);
}

std::string login_url(ngx_http_request_t* r, const login::Trust* trust, std::string_view return_url,
                      Millis max_authn_age) {
  return login_url_at(site_of(r), *srv_conf(r), trust, return_url, max_authn_age);
}

std::string login_url_at(std::string_view site, const SrvConf& server, const login::Trust* trust,
                         std::string_view return_url, Millis max_authn_age) {
  std::string url(site);
  url += server.prefix + "/login";
  if (trust != nullptr && server.trusts.size() > 1) {
    append_query(url, "idp", url_encode(trust->idp_name));
  }
  if (!return_url.empty()) append_query(url, "return", url_encode(return_url));
  if (max_authn_age > 0) append_query(url, "fresh", std::to_string((max_authn_age + kSecond - 1) / kSecond));
  return url;
}

bool add_login_headers(ngx_http_request_t* r, const LocConf& location, const login::Trust* trust) {
  const std::string_view name = location.standard == nullptr
                                    ? std::string_view("X-SSO-Login")
                                    : view(location.standard->login.name);
  const Millis max_age = location.force_authn.or_default(0);
  if (!add_header_out(r, name, login_url(r, trust, {}, max_age)) ||
      !add_header_out(r, "WWW-Authenticate", "SAML")) {
    return false;
  }
  auto* last = static_cast<ngx_table_elt_t*>(r->headers_out.headers.last->elts);
  r->headers_out.www_authenticate = &last[r->headers_out.headers.last->nelts - 1];
  return true;
}

bool is_login_loop(ngx_http_request_t* r) {
  RequestState* state = find_state(r);
  if (state == nullptr || state->cookies.size() < kLoopLogins) return false;
  // A session that came back, whether it counts here or not, shows that cookies work.
  if (has_session_here(r, *state)) return false;
  const Millis time = now();
  std::size_t recent = 0;
  for_each_marker(r, *state, [&](std::string_view, const session::LoginMarker& marker) {
    // Those that were carried out for other hosts lead there, and leave no session here.
    if (is_path(marker.target) && time - marker.finished < kLoopTime) ++recent;
  });
  return recent >= kLoopLogins;
}

std::vector<session::SessionKey> finished_sessions(ngx_http_request_t* r) {
  std::vector<session::SessionKey> keys;
  const RequestState* state = find_state(r);
  if (state == nullptr) return keys;
  for_each_marker(r, *state, [&](std::string_view, const session::LoginMarker& marker) {
    if (keys.size() < kMaxFinished && has_its_cookie_here(*srv_conf(r), marker)) keys.push_back(marker.session);
  });
  return keys;
}

std::vector<std::string> finished_logins(ngx_http_request_t* r) {
  std::vector<std::string> names;
  const RequestState* state = find_state(r);
  if (state == nullptr || state->cookies.size() > kMaxFinished) return names;
  for_each_marker(r, *state, [&](std::string_view name, const session::LoginMarker&) {
    names.emplace_back(name);
  });
  return names;
}

}  // namespace sallyport::ngx
