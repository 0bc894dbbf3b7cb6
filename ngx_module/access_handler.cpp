#include "base/encoding.h"
#include "bridge.h"
#include "gate_handlers.h"
#include "header_list.h"
#include "idp_choices.h"
#include "login/gate.h"
#include "login_flow.h"
#include "login_page.h"
#include "request_ctx.h"
#include "request_headers.h"
#include "requirements.h"
#include "respond.h"
#include "session_lookup.h"
#include "session_resolution.h"
#include "site.h"
#include "test_build.h"
#include "worker.h"

namespace sallyport::ngx {

namespace {

constexpr char kNoAnswer[] = "the session store could not be asked for the session of this cookie";

// Ends a phase with an answer of our own; its result must never reach nginx's checker, for which NGX_OK
// means "granted" or "go on".
ngx_int_t answered(ngx_http_request_t* r, ngx_int_t rc) {
  ngx_http_finalize_request(r, rc);
  return NGX_DONE;
}

// auth_saml of this location for this request: the IdPs whose sessions count.
struct Admitted {
  bool is_public = false;
  bool is_unknown = false;
  const login::Trust* single = nullptr;                           // by variable
  const std::vector<const login::Trust*>* by_name = nullptr;
};

Admitted admitted_idps(ngx_http_request_t* r, const LocConf& location) {
  Admitted admitted;
  if (!location.on) {
    admitted.is_public = true;
    return admitted;
  }
  const LocConf::AuthSaml& auth = *location.auth_saml.value;
  if (!auth.is_variable) {
    admitted.by_name = &location.trusts;
    return admitted;
  }
  const std::string_view name = named_idp(r, auth);
  if (name == "off" && auth.off_counts) {
    admitted.is_public = true;
    return admitted;
  }
  admitted.single = srv_conf(r)->find_trust(name);
  admitted.is_unknown = admitted.single == nullptr;
  return admitted;
}

// Why there is no IdP to send this request to.
std::string no_idp(ngx_http_request_t* r, const LocConf& location) {
  return site_kind(r) == Site::kUnknown ? unknown_host(r) : unknown_name(r, *location.auth_saml.value);
}

const login::Trust* trust_of(const session::RecordView& record, const Admitted& admitted) {
  if (admitted.single != nullptr) {
    return record.is_bound_to(admitted.single->binding) ? admitted.single : nullptr;
  }
  if (admitted.by_name == nullptr) return nullptr;
  for (const login::Trust* trust : *admitted.by_name) {
    if (record.is_bound_to(trust->binding)) return trust;
  }
  return nullptr;
}

// saml_force_authn: a login that is too old here does not count here.
bool is_fresh(ngx_http_request_t* r, const LocConf& location, const session::RecordView& record) {
  const Millis max_age = location.force_authn.or_default(0);
  if (max_age == 0) return true;
  const Millis skew = srv_conf(r)->clock_skew.or_default(180 * kSecond);
  return login::is_fresh({record.authn_instant(), record.created()}, max_age, skew, now());
}

ngx_int_t find_standing(ngx_http_request_t* r, const LocConf& location, RequestCtx& ctx) {
  const Admitted admitted = admitted_idps(r, location);
  if (admitted.is_public) {
    ctx.standing = Standing::kPublic;
    return NGX_OK;
  }
  const Site kind = site_kind(r);
  if (admitted.is_unknown || kind == Site::kUnknown) {
    ctx.standing = Standing::kUnknownIdp;
    return NGX_OK;
  }
  ctx.standing = Standing::kNoSession;
  ctx.trust = admitted.single;
  if (admitted.by_name != nullptr && admitted.by_name->size() == 1) {
    ctx.trust = admitted.by_name->front();
  }
  if (ctx.state == nullptr) ctx.state = find_state(r);
  if (ctx.state == nullptr) return NGX_OK;  // no cookie of ours: no session
  look_up_session(r, *ctx.state);
  if (ctx.state->lookup == Lookup::kAsking) return NGX_AGAIN;
  if (ctx.state->lookup == Lookup::kUnavailable) ctx.standing = Standing::kUnavailable;
  if (ctx.state->lookup != Lookup::kFound) return NGX_OK;
  const session::RecordView& record = *ctx.state->record;
  const login::Trust* trust = trust_of(record, admitted);
  if (trust == nullptr || !is_for_site(r, kind, record.field(session::Field::kHost))) return NGX_OK;
  ctx.trust = trust;
  switch (bring_up_to_date(r, *ctx.state, *trust)) {
    case UpToDate::kAsking:
      return NGX_AGAIN;
    case UpToDate::kUnavailable:
      ctx.standing = Standing::kUnavailable;
      return NGX_OK;
    case UpToDate::kEnded:
      return NGX_OK;
    case UpToDate::kYes:
      break;
  }
  // Else once more, at the same IdP.
  if (!is_fresh(r, location, *ctx.state->record)) return NGX_OK;
  ctx.session = ctx.state->record;
  ctx.standing = Standing::kSession;
  return find_active_space(r, location, ctx) ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

// Fills the context: who is this request, here. NGX_OK; NGX_AGAIN while the store is asked, which calls the phase's handler
// again; or a status when memory is short.
ngx_int_t evaluate(ngx_http_request_t* r, const LocConf& location, RequestCtx& ctx) {
  const ngx_int_t rc = find_standing(r, location, ctx);
  ctx.evaluated = rc == NGX_OK;
  return rc;
}

// Why a subrequest may not go where nginx will not ask the access phase; nullopt: it may.
std::optional<std::string> subrequest_refusal(ngx_http_request_t* r, const LocConf& location, const RequestCtx& ctx) {
  const std::string no_session = "the main request has no session that counts there";
  switch (ctx.standing) {
    case Standing::kPublic:
      return std::nullopt;
    case Standing::kUnknownIdp:
      return no_idp(r, location);
    case Standing::kNoSession:
      if (location.mode.or_default(Mode::kRequire) == Mode::kOptional) return std::nullopt;
      return no_session;
    case Standing::kUnavailable:
      return kNoAnswer;
    case Standing::kSession:
      if (const auto missing = missing_access(r, location, ctx)) return missing->logged;
      return std::nullopt;
  }
  return no_session;
}

// Before anything reads the headers: nothing of ours comes from the client, and our cookies are taken out.
ngx_int_t receive(ngx_http_request_t* r) {
  const MainConf& conf = *main_conf(r);
  const SrvConf& server = *srv_conf(r);
  if (!take_own_cookies(r, server)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  RequestState* state = find_state(r);
  if (state != nullptr) expect_session(r, *state);
  if (server.strip.or_default(true) && !strip_client_headers(r, conf.strip)) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  return NGX_DECLINED;
}

// After an internal redirect: what an earlier location got must not be seen, and a request that failed while
// its headers were read (400, 494) comes by error_page, past our post-read handler.
ngx_int_t receive_again(ngx_http_request_t* r) {
  if (RequestState* state = find_state(r)) remove_injected(r, *state);
  return receive(r);
}

// nginx keeps named captures once for all subrequests of a request: what waited behind the choice of its location
// would find another's there. So all that the store is asked for, it is asked before.
ngx_int_t ask_ahead(ngx_http_request_t* r) {
  RequestState* state = find_state(r);
  if (state == nullptr || worker()->store() == nullptr) return NGX_DECLINED;
  look_up_session(r, *state);
  if (state->lookup == Lookup::kAsking) return NGX_DONE;
  return bring_own_up_to_date(r, *state) == UpToDate::kAsking ? NGX_DONE : NGX_DECLINED;
}

ngx_int_t identify(ngx_http_request_t* r) {
  const LocConf& location = *loc_conf(r);
  // Named locations come here past the server rewrite phase too.
  const bool may_be_new = r->internal && r == r->main;
  RequestState* state = find_state(r);
  if (!location.on && state == nullptr && !may_be_new) return NGX_DECLINED;
  if (r != r->main) {
    state = require_state(r);
    if (state == nullptr || !detach_headers(r, *state)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  if (state != nullptr) remove_injected(r, *state);
  if (may_be_new && receive(r) != NGX_DECLINED) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (!location.on) return NGX_DECLINED;

  RequestCtx* ctx = require_ctx(r);
  if (ctx == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (const ngx_int_t rc = evaluate(r, location, *ctx); rc != NGX_OK) return rc;
  if (r != r->main) {
    if (ctx->standing == Standing::kUnavailable) {
      ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "saml: subrequest to \"%V\" refused: %s", &r->uri, kNoAnswer);
      return NGX_HTTP_SERVICE_UNAVAILABLE;
    }
    if (const auto why = subrequest_refusal(r, location, *ctx)) {
      ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "saml: subrequest to \"%V\" refused: %s", &r->uri,
                    log_escape_clause(*why, 800).c_str());
      return NGX_HTTP_FORBIDDEN;
    }
  }
  // What the client sent under these names must not stand beside ours, whatever saml_strip says.
  if (!srv_conf(r)->strip.or_default(true) && !strip_client_headers(r, main_conf(r)->strip)) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  if (ctx->standing != Standing::kSession) return NGX_DECLINED;

  switch (inject_identity(r, location, *ctx)) {
    case Injection::kDone:
      return NGX_DECLINED;
    case Injection::kNoMemory:
      return NGX_HTTP_INTERNAL_SERVER_ERROR;
    case Injection::kTooLarge:
      break;
  }
  if (r != r->main) return NGX_HTTP_FORBIDDEN;
  const Error error{Reason::kIdentityTooLarge, "identity headers exceed saml_header_limit"};
  return answered(r, refuse_access(r, error, ctx->session->field(session::Field::kUser), {}));
}

struct TraitHeader {
  std::string_view name;
  std::string_view login::RequestTraits::*trait;
};

constexpr TraitHeader kTraitHeaders[] = {
    {"sec-fetch-mode", &login::RequestTraits::sec_fetch_mode},
    {"sec-fetch-dest", &login::RequestTraits::sec_fetch_dest},
    {"x-requested-with", &login::RequestTraits::x_requested_with},
    {"accept", &login::RequestTraits::accept},
    {"origin", &login::RequestTraits::origin},
    {"access-control-request-method", &login::RequestTraits::access_control_request_method},
};

// Of a header that comes twice, the first that is not empty.
login::RequestTraits traits_of(ngx_http_request_t* r) {
  login::RequestTraits traits;
  traits.method = view(r->method_name);
  traits.upgrade = view(r->headers_in.upgrade);
  traits.content_type = view(r->headers_in.content_type);
  for_each_header(r->headers_in.headers, [&](const ngx_table_elt_t* header) {
    for (const TraitHeader& each : kTraitHeaders) {
      if (is_named(*header, each.name) && (traits.*each.trait).empty()) traits.*each.trait = view(header->value);
    }
  });
  return traits;
}

login::ClientKind client_kind(ngx_http_request_t* r, const LocConf& location) {
  switch (location.unauthenticated.or_default(OnUnauthenticated::kAuto)) {
    case OnUnauthenticated::k401:
      return login::ClientKind::kProgram;
    case OnUnauthenticated::kRedirect:
      return login::ClientKind::kNavigation;
    case OnUnauthenticated::kAuto:
      break;
  }
  return login::classify_client(traits_of(r));
}

// The 401 that says where to log in. nginx sends it, so that error_page and other modules' 401 work.
ngx_int_t unauthorized(ngx_http_request_t* r, const LocConf& location, const RequestCtx& ctx) {
  const bool ok = add_login_headers(r, location, ctx.trust) &&
                  add_header_out(r, "Cache-Control", "no-store");
  return ok ? NGX_HTTP_UNAUTHORIZED : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_int_t send_form_not_sent(ngx_http_request_t* r, const RequestCtx& ctx) {
  const std::string reference = make_reference();
  set_error(r, Reason::kFormNotSent);
  const login::Page page =
      login::form_not_sent_page(login_url(r, ctx.trust, return_url_of(r),
                                          loc_conf(r)->force_authn.or_default(0)),
                                reference);
  return send_reply(r, page_reply(NGX_HTTP_UNAUTHORIZED, page));
}

ngx_int_t start_login(ngx_http_request_t* r, const LocConf& location, const RequestCtx& ctx) {
  const bool choose = ctx.trust == nullptr ||
                      location.login_page.or_default(LoginPage::kAuto) == LoginPage::kAlways;
  const std::string return_url = return_url_of(r);
  if (choose) {
    // By a variable there is one, and the location's own list is empty.
    const bool is_one = location.auth_saml.value->is_variable && ctx.trust != nullptr;
    const std::vector<const login::Trust*> choices = is_one ? std::vector<const login::Trust*>{ctx.trust} : location.trusts;
    return send_login_page(r, choices, {return_url, location.force_authn.or_default(0)});
  }
  return send_login(r, *ctx.trust, {return_url, location.force_authn.or_default(0)});
}

ngx_int_t without_session(ngx_http_request_t* r, const LocConf& location, RequestCtx& ctx) {
  set_error(r, Reason::kLoginRequired);
  const login::ClientKind kind = client_kind(r, location);
  auto* clcf = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  if (clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
    // Another module may still grant; the header filter acts if the request ends as 401.
    RequestState* state = require_state(r);
    if (state == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    state->pending = kind == login::ClientKind::kNavigation ? PendingLogin::kRedirect
                                                            : PendingLogin::kTell;
    state->pending_trust = ctx.trust;
    state->pending_location = &location;
    return NGX_HTTP_UNAUTHORIZED;
  }
  switch (kind) {
    case login::ClientKind::kProgram:
      return unauthorized(r, location, ctx);
    case login::ClientKind::kFormPost:
      return answered(r, send_form_not_sent(r, ctx));
    case login::ClientKind::kNavigation:
      break;
  }
  return answered(r, start_login(r, location, ctx));
}

// Whether nginx would answer this status with a page of the operator's.
bool has_error_page(const ngx_http_request_t* r, const ngx_http_core_loc_conf_t& core,
                    ngx_int_t status) {
  if (core.error_pages == nullptr || r->error_page) return false;
  const auto* pages = static_cast<ngx_http_err_page_t*>(core.error_pages->elts);
  for (ngx_uint_t i = 0; i < core.error_pages->nelts; ++i) {
    if (pages[i].status == status) return true;
  }
  return false;
}

// There is a cookie, and nobody knows of whom: neither a login (the session may well live) nor anonymous.
ngx_int_t without_answer(ngx_http_request_t* r, RequestCtx& ctx) {
  const Error error{Reason::kStoreUnavailable, kNoAnswer};
  auto* clcf = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  if (clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
    set_error(r, error.reason);
    ctx.state->pending = PendingLogin::kRefuse;
    return NGX_HTTP_UNAUTHORIZED;
  }
  if (!has_error_page(r, *clcf, NGX_HTTP_SERVICE_UNAVAILABLE)) return answered(r, refuse_access(r, error, {}, {}));
  note_access_refusal(r, error, {});
  const bool ok = add_header_out(r, "Retry-After", kRetryAfter) && add_header_out(r, "Cache-Control", "no-store");
  return ok ? NGX_HTTP_SERVICE_UNAVAILABLE : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

// A refusal that nginx may answer by the operator's error_page or let another module overrule
// (`satisfy any`), else our own page.
ngx_int_t forbidden(ngx_http_request_t* r, const Error& error, const RequestCtx& ctx,
                    std::string_view missing) {
  auto* clcf = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  if (clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
    set_error(r, error.reason);
    return NGX_HTTP_FORBIDDEN;
  }
  const std::string_view user =
      !ctx.session ? std::string_view() : ctx.session->field(session::Field::kUser);
  if (has_error_page(r, *clcf, NGX_HTTP_FORBIDDEN)) {
    note_access_refusal(r, error, user);
    return NGX_HTTP_FORBIDDEN;
  }
  return answered(r, refuse_access(r, error, user, missing));
}

ngx_int_t decide(ngx_http_request_t* r) {
  const LocConf& location = *loc_conf(r);
  if (!location.on || location.endpoints_here) return NGX_DECLINED;
  RequestCtx* ctx = require_ctx(r);
  if (ctx == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  // Another module's content or a named location can lead here without our preaccess handler.
  if (!ctx->evaluated) {
    if (const ngx_int_t rc = evaluate(r, location, *ctx); rc != NGX_OK) return rc;
  }

  if (ctx->standing == Standing::kPublic) return NGX_DECLINED;
  if (ctx->standing == Standing::kUnknownIdp) {
    return forbidden(r, {Reason::kUnknownIdp, no_idp(r, location)}, *ctx, {});
  }
  if (ctx->standing == Standing::kSession) {
    if (const auto missing = missing_access(r, location, *ctx)) {
      return forbidden(r, {Reason::kForbidden, missing->logged}, *ctx, missing->in_words);
    }
    note_activity(r, *ctx->state);
    return NGX_OK;
  }
  if (location.allow_preflight.or_default(false) && login::is_preflight(traits_of(r))) {
    return NGX_OK;
  }
  if (ctx->standing == Standing::kUnavailable) return without_answer(r, *ctx);
  if (location.mode.or_default(Mode::kRequire) == Mode::kOptional) return NGX_DECLINED;
  return without_session(r, location, *ctx);
}

// With `satisfy any` somebody else may have let the request in: a 401 that comes later is the
// application's own. (That of an error_page on behalf of ours passes here too.)
ngx_int_t settle(ngx_http_request_t* r) {
  const RequestCtx* ctx = find_ctx(r);
  if (r == r->main && ctx != nullptr && ctx->state != nullptr &&
      r->err_status != NGX_HTTP_UNAUTHORIZED) {
    ctx->state->pending = PendingLogin::kNone;
  }
  return NGX_DECLINED;
}

template <class Body>
ngx_int_t guarded(ngx_http_request_t* r, Body&& body) {
  return fence<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR, r->connection->log, body);
}

}  // namespace

ngx_int_t post_read_handler(ngx_http_request_t* r) {
  begin_gate();
  const Lap lap;
  return guarded(r, [&] { return main_conf(r)->active ? receive(r) : NGX_DECLINED; });
}

ngx_int_t server_rewrite_handler(ngx_http_request_t* r) {
  return guarded(r, [&]() -> ngx_int_t {
    if (!main_conf(r)->active || !r->internal) return NGX_DECLINED;
    return r == r->main ? receive_again(r) : ask_ahead(r);
  });
}

// The location is chosen: what post_read_handler asked memory for has come, and the record is not wanted yet.
ngx_int_t rewrite_handler(ngx_http_request_t* r) {
  const Lap lap;
  const RequestState* state = loc_conf(r)->on ? find_state(r) : nullptr;
  if (state != nullptr) expect_record(r, *state);
  return NGX_DECLINED;
}

ngx_int_t preaccess_handler(ngx_http_request_t* r) {
  const Lap lap;
  return guarded(r, [&] { return main_conf(r)->active ? identify(r) : NGX_DECLINED; });
}

ngx_int_t access_handler(ngx_http_request_t* r) {
  ngx_int_t rc = NGX_DECLINED;
  {
    const Lap lap;
    rc = guarded(r, [&] { return main_conf(r)->active ? decide(r) : NGX_DECLINED; });
  }
  if (rc == NGX_OK) record_gate();
  return rc;
}

ngx_int_t precontent_handler(ngx_http_request_t* r) {
  return guarded(r, [&] { return settle(r); });
}

}  // namespace sallyport::ngx
