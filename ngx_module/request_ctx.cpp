#include "request_ctx.h"

#include "bridge.h"

namespace sallyport::ngx {

namespace {

void destroy_state(void* data) { static_cast<RequestState*>(data)->~RequestState(); }

}  // namespace

std::optional<std::string_view> RequestState::session_cookie(std::string_view name) const {
  std::optional<std::string_view> found;
  for (const OwnCookie& cookie : cookies) {
    if (cookie.name != name) continue;
    if (found) return std::nullopt;
    found = cookie.value;
  }
  return found;
}

RequestState* find_state(ngx_http_request_t* r) {
  auto* ctx = static_cast<RequestCtx*>(ngx_http_get_module_ctx(r->main, ngx_http_saml_module));
  if (ctx != nullptr && ctx->state != nullptr) return ctx->state;
  // An internal redirect wipes contexts; the pool's cleanup still knows.
  for (ngx_pool_cleanup_t* cleanup = r->main->pool->cleanup; cleanup; cleanup = cleanup->next) {
    if (cleanup->handler == destroy_state) return static_cast<RequestState*>(cleanup->data);
  }
  return nullptr;
}

RequestState* require_state(ngx_http_request_t* r) {
  if (RequestState* state = find_state(r)) return state;
  ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(r->main->pool, sizeof(RequestState));
  if (cleanup == nullptr) return nullptr;
  auto* state = new (cleanup->data) RequestState;
  cleanup->handler = destroy_state;
  if (auto* ctx = find_ctx(r->main)) ctx->state = state;
  return state;
}

RequestCtx* find_ctx(ngx_http_request_t* r) {
  return static_cast<RequestCtx*>(ngx_http_get_module_ctx(r, ngx_http_saml_module));
}

const RequestCtx* find_shared_ctx(const ngx_http_request_t* r) {
  for (;; r = r->parent) {
    const auto* ctx = static_cast<const RequestCtx*>(ngx_http_get_module_ctx(r, ngx_http_saml_module));
    if (ctx != nullptr || r == r->main || r->loc_conf != r->parent->loc_conf) return ctx;
  }
}

RequestCtx* require_ctx(ngx_http_request_t* r) {
  if (RequestCtx* ctx = find_ctx(r)) return ctx;
  auto* ctx = make_in_pool<RequestCtx>(r->pool);
  if (ctx == nullptr) return nullptr;
  ctx->state = find_state(r);
  ngx_http_set_ctx(r, ctx, ngx_http_saml_module);
  return ctx;
}

void set_error(ngx_http_request_t* r, Reason reason) {
  if (RequestState* state = require_state(r)) state->error = reason;
}

}  // namespace sallyport::ngx
