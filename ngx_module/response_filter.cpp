// The header filter: what must happen to answers on their way out.
#include "bridge.h"
#include "gate_handlers.h"
#include "login_flow.h"
#include "request_ctx.h"
#include "respond.h"
#include "session/cookie.h"
#include "upgraded.h"

namespace sallyport::ngx {

namespace {

ngx_http_output_header_filter_pt next_filter;
#if nginx_version >= 1029000
ngx_http_output_header_filter_pt next_early_hints_filter;
#endif

bool is_named(const ngx_table_elt_t& header, std::string_view name) {
  return header.hash != 0 && header.key.len == name.size() &&
         ngx_strncasecmp(header.key.data,
                         reinterpret_cast<u_char*>(const_cast<char*>(name.data())),
                         name.size()) == 0;
}

bool is_own_element(const ngx_table_elt_t& header) {
  return header.key.data == reinterpret_cast<const u_char*>(kSetCookie.data());
}

// The name under which a browser will send the cookie back. One without a name (the line begins with '=')
// is sent as its value alone, which may look like NAME=VALUE.
std::string_view cookie_name_of(std::string_view line) {
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t' || line.front() == '=')) {
    line.remove_prefix(1);
  }
  std::string_view name = line.substr(0, line.find_first_of("=;"));
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  return name;
}

bool is_own_cookie(std::string_view name, const MainConf& conf) {
  for (const std::string& session_name : conf.cookie_names) {
    if (session::is_own_cookie(name, session_name)) return true;
  }
  return false;
}

// No upstream plants cookies of our names, not that of a server without auth_saml either: hosts share
// cookies across ports.
void remove_planted_cookies(ngx_http_request_t* r, const MainConf& conf) {
  for (ngx_list_part_t* part = &r->headers_out.headers.part; part; part = part->next) {
    auto* headers = static_cast<ngx_table_elt_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) {
      if (!is_named(headers[i], kSetCookie) || is_own_element(headers[i])) continue;
      if (is_own_cookie(cookie_name_of(view(headers[i].value)), conf)) headers[i].hash = 0;
    }
  }
}

// An answer made for one user must not be stored for all, in proxy_cache or by proxy_store.
void keep_out_of_cache(ngx_http_request_t* r) {
  const RequestState* state = find_state(r);
  if (state == nullptr || state->lookup != Lookup::kFound || loc_conf(r)->cache_shared.or_default(false)) return;
  r->upstream->store = 0;
#if (NGX_HTTP_CACHE)
  r->upstream->cacheable = 0;
#endif
}

// A connection that the upstream took over for a user with a session.
void end_with_session(ngx_http_request_t* r) {
  if (r != r->main || !r->upstream->upgrade) return;
  const RequestCtx* ctx = find_ctx(r);
  if (ctx == nullptr || ctx->standing != Standing::kSession) return;
  if (loc_conf(r)->end_upgraded.or_default(true)) watch_upgraded(r, *ctx->state);
}

void clear_header(ngx_http_request_t* r, std::string_view name) {
  for (ngx_list_part_t* part = &r->headers_out.headers.part; part; part = part->next) {
    auto* headers = static_cast<ngx_table_elt_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) {
      if (is_named(headers[i], name)) headers[i].hash = 0;
    }
  }
}

// Another status instead of the 401, without a body. Another module's challenge would open a password box over it.
void answer_empty(ngx_http_request_t* r, ngx_uint_t status) {
  clear_header(r, "WWW-Authenticate");
  r->headers_out.www_authenticate = nullptr;
  r->headers_out.status = status;
  r->headers_out.status_line.len = 0;
  ngx_http_clear_content_length(r);
  r->headers_out.content_length_n = 0;
  r->headers_out.content_type.len = 0;
  r->headers_out.content_type_len = 0;
  r->header_only = 1;
}

bool redirect_to(ngx_http_request_t* r, const std::string& location,
                 const std::vector<std::string>& cookies) {
  if (!add_header_out(r, "Location", location)) return false;
  auto* last = static_cast<ngx_table_elt_t*>(r->headers_out.headers.last->elts);
  r->headers_out.location = &last[r->headers_out.headers.last->nelts - 1];
  for (const std::string& cookie : cookies) {
    if (!add_header_out(r, kSetCookie, cookie)) return false;
  }
  if (!add_header_out(r, "Cache-Control", "no-store")) return false;
  answer_empty(r, NGX_HTTP_MOVED_TEMPORARILY);
  return true;
}

// The store could not be asked: whoever has a cookie keeps it and comes again.
bool refuse_for_now(ngx_http_request_t* r) {
  answer_empty(r, NGX_HTTP_SERVICE_UNAVAILABLE);
  return add_header_out(r, "Retry-After", kRetryAfter) && add_header_out(r, "Cache-Control", "no-store");
}

// `satisfy any` ended as 401: now it is our turn.
bool finish_pending(ngx_http_request_t* r, RequestState& state) {
  if (state.pending == PendingLogin::kRefuse) return refuse_for_now(r);
  if (state.pending == PendingLogin::kTell) {
    return add_login_headers(r, *state.pending_location, state.pending_trust) &&
           add_header_out(r, "Cache-Control", "no-store");
  }
  const std::string return_url = return_url_of(r);
  const Millis max_age = state.pending_location->force_authn.or_default(0);
  const LoginPage login_page = state.pending_location->login_page.or_default(LoginPage::kAuto);
  const login::Trust* trust = login_page == LoginPage::kAlways ? nullptr : state.pending_trust;
  const bool needs_page = trust == nullptr || trust->unavailable(now()) || trust->request_binding == saml::Binding::kPost ||
                          is_login_loop(r);
  if (needs_page) return redirect_to(r, login_url(r, trust, return_url, max_age), {});
  const auto begun = begin_login_of(r, *trust, {return_url, max_age});
  return begun && redirect_to(r, begun->location, begun->set_cookies);
}

ngx_int_t filter(ngx_http_request_t* r) {
  if (!main_conf(r)->active) return next_filter(r);
  if (r->upstream != nullptr) {
    remove_planted_cookies(r, *main_conf(r));
    keep_out_of_cache(r);
    end_with_session(r);
  }
  if (r == r->main && r->headers_out.status == NGX_HTTP_UNAUTHORIZED) {
    RequestState* state = find_state(r);
    if (state != nullptr && state->pending != PendingLogin::kNone) {
      const bool ok = finish_pending(r, *state);
      state->pending = PendingLogin::kNone;
      if (!ok) return NGX_ERROR;
    }
  }
  return next_filter(r);
}

ngx_int_t filter_fenced(ngx_http_request_t* r) {
  return fence<ngx_int_t>(NGX_ERROR, r->connection->log, [&] { return filter(r); });
}

#if nginx_version >= 1029000
// What an upstream says before its answer (103).
ngx_int_t filter_early_hints(ngx_http_request_t* r) {
  if (main_conf(r)->active) remove_planted_cookies(r, *main_conf(r));
  return next_early_hints_filter(r);
}
#endif

}  // namespace

void install_response_filter() {
  next_filter = ngx_http_top_header_filter;
  ngx_http_top_header_filter = filter_fenced;
#if nginx_version >= 1029000
  next_early_hints_filter = ngx_http_top_early_hints_filter;
  ngx_http_top_early_hints_filter = filter_early_hints;
#endif
}

}  // namespace sallyport::ngx
