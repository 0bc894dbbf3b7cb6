#include "endpoints.h"

#include "base/encoding.h"
#include "base/url.h"
#include "bridge.h"
#include "gate_handlers.h"
#include "respond.h"
#include "session/login_state.h"

namespace sallyport::ngx {

namespace {

ngx_int_t answer(ngx_http_request_t* r, Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::kLogin:
      return answer_login(r);
    case Endpoint::kAcs:
      return answer_acs(r);
    case Endpoint::kFinish:
      return answer_finish(r);
    case Endpoint::kMetadata:
      return answer_metadata(r);
    case Endpoint::kLogout:
      return answer_logout(r);
    case Endpoint::kSession:
      return answer_session(r);
    case Endpoint::kNone:
      break;
  }
  return NGX_DECLINED;
}

}  // namespace

Endpoint endpoint_of(const SrvConf& server, std::string_view uri) {
  const std::string_view prefix = server.prefix;
  if (uri.size() <= prefix.size() + 1 || uri.compare(0, prefix.size(), prefix) != 0 ||
      uri[prefix.size()] != '/') {
    return Endpoint::kNone;
  }
  const std::string_view name = uri.substr(prefix.size() + 1);
  if (name == "login") return Endpoint::kLogin;
  if (name == "acs") return Endpoint::kAcs;
  if (name == "finish") return Endpoint::kFinish;
  if (name == "metadata") return Endpoint::kMetadata;
  if (name == "logout") return Endpoint::kLogout;
  if (name == "session") return Endpoint::kSession;
  return Endpoint::kNone;
}

std::optional<std::string> argument(ngx_http_request_t* r, std::string_view name) {
  ngx_str_t value{};
  auto* data = reinterpret_cast<u_char*>(const_cast<char*>(name.data()));
  if (ngx_http_arg(r, data, name.size(), &value) != NGX_OK) return std::nullopt;
  return form_decode(view(value));
}

std::string local_or(const std::optional<std::string>& value, std::string_view fallback) {
  const bool is_fit = value && value->size() <= session::kMaxReturnUrl && is_local_path(*value);
  return is_fit ? *value : std::string(fallback);
}

std::string return_argument(ngx_http_request_t* r, std::string_view fallback) {
  return local_or(argument(r, "return"), fallback);
}

ngx_int_t method_not_allowed(ngx_http_request_t* r, std::string_view allowed) {
  Reply reply;
  reply.status = NGX_HTTP_NOT_ALLOWED;
  reply.content_type = "text/plain; charset=utf-8";
  reply.body = "Method not allowed\n";
  reply.headers.emplace_back("Allow", std::string(allowed));
  return send_reply(r, reply);
}

ngx_int_t endpoint_handler(ngx_http_request_t* r) {
  return fence<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR, r->connection->log, [&]() -> ngx_int_t {
    const SrvConf& server = *srv_conf(r);
    if (!server.active || server.has_endpoints_location || r != r->main) return NGX_DECLINED;
    const ngx_int_t rc = answer(r, endpoint_of(server, view(r->uri)));
    // The content phase finalizes with every result, this one does not with NGX_DONE.
    if (rc == NGX_DONE) ngx_http_finalize_request(r, rc);
    return rc;
  });
}

ngx_int_t endpoints_content_handler(ngx_http_request_t* r) {
  return fence<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR, r->connection->log, [&]() -> ngx_int_t {
    const SrvConf& server = *srv_conf(r);
    if (!server.active || r != r->main) return NGX_HTTP_NOT_FOUND;
    const ngx_int_t rc = answer(r, endpoint_of(server, view(r->uri)));
    return rc == NGX_DECLINED ? NGX_HTTP_NOT_FOUND : rc;
  });
}

}  // namespace sallyport::ngx
