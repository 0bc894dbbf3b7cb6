#include "endpoints.h"

#include "base/encoding.h"
#include "base/url.h"
#include "bridge.h"
#include "gate_handlers.h"
#include "login_flow.h"
#include "respond.h"
#include "session/login_state.h"

namespace sallyport::ngx {

namespace {

std::optional<std::string> argument(ngx_http_request_t* r, std::string_view name) {
  ngx_str_t value{};
  auto* data = reinterpret_cast<u_char*>(const_cast<char*>(name.data()));
  if (ngx_http_arg(r, data, name.size(), &value) != NGX_OK) return std::nullopt;
  return form_decode(view(value));
}

// fresh=SECONDS: the login must be younger than that. Whoever writes it into an address can only make a login
// stricter than it need be.
Millis fresh_argument(ngx_http_request_t* r) {
  const auto value = argument(r, "fresh");
  if (!value || value->empty() || value->size() > 9) return 0;
  Millis seconds = 0;
  for (const char digit : *value) {
    if (digit < '0' || digit > '9') return 0;
    seconds = seconds * 10 + (digit - '0');
  }
  return seconds * kSecond;
}

ngx_int_t send_choice(ngx_http_request_t* r, const SrvConf& server, std::string_view return_url) {
  std::vector<login::IdpChoice> choices;
  for (const auto& trust : server.trusts) {
    choices.push_back({trust->display_name, login_url(server, trust.get(), return_url, fresh_argument(r))});
  }
  const login::Page page = login::login_page(choices);
  return send_reply(r, page_reply(NGX_HTTP_OK, page));
}

ngx_int_t answer_login(ngx_http_request_t* r) {
  if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) return method_not_allowed(r, "GET, HEAD");
  const SrvConf& server = *srv_conf(r);
  const std::string return_url = return_argument(r, "/");
  if (const auto name = argument(r, "idp")) {
    const login::Trust* trust = server.find_trust(*name);
    if (trust == nullptr) {
      return refuse_login(r, {Reason::kUnknownIdp, "no such saml_idp for this server"}, *name, {});
    }
    return send_login(r, *trust, {return_url, fresh_argument(r)});
  }
  if (server.trusts.empty()) {
    return refuse_login(r, {Reason::kUnknownIdp, "this server names no saml_idp"}, {}, {});
  }
  const LocConf& location = *server.server_location;
  const bool always = location.login_page.or_default(LoginPage::kAuto) == LoginPage::kAlways;
  if (server.trusts.size() > 1 || always) return send_choice(r, server, return_url);
  return send_login(r, *server.trusts.front(), {return_url, fresh_argument(r)});
}

ngx_int_t answer(ngx_http_request_t* r, Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::kLogin:
      return answer_login(r);
    case Endpoint::kAcs:
      return answer_acs(r);
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
  if (name == "metadata") return Endpoint::kMetadata;
  if (name == "logout") return Endpoint::kLogout;
  if (name == "session") return Endpoint::kSession;
  return Endpoint::kNone;
}

std::string return_argument(ngx_http_request_t* r, std::string_view fallback) {
  const auto value = argument(r, "return");
  if (!value || value->size() > session::kMaxReturnUrl || !is_local_path(*value)) {
    return std::string(fallback);
  }
  return *value;
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
