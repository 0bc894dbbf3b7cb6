// /saml/login: starts a login at this site, or carries out the one that another host hands over (DESIGN 5.2).
#include <algorithm>

#include "base/encoding.h"
#include "base/form.h"
#include "body_reader.h"
#include "bridge.h"
#include "endpoints.h"
#include "idp_choices.h"
#include "login_flow.h"
#include "login_page.h"
#include "policy/email.h"
#include "relay_target.h"
#include "respond.h"
#include "site.h"
#include "worker.h"

namespace sallyport::ngx {

namespace {

constexpr std::size_t kMaxEmailForm = 8192;

// fresh=SECONDS: the login must be younger than that. Whoever writes it into an address can only make a login
// stricter than it need be.
Millis fresh_of(const std::optional<std::string>& value) {
  if (!value || value->empty() || value->size() > 9) return 0;
  Millis seconds = 0;
  for (const char digit : *value) {
    if (digit < '0' || digit > '9') return 0;
    seconds = seconds * 10 + (digit - '0');
  }
  return seconds * kSecond;
}

ngx_int_t refuse_unknown(ngx_http_request_t* r, std::string_view detail, std::string_view idp = {}) {
  return refuse_login(r, {Reason::kUnknownIdp, std::string(detail)}, idp, {});
}

// For the log: why there is nothing to choose from.
std::string no_choice(ngx_http_request_t* r) {
  for (const LocConf* location : srv_conf(r)->admitting) {
    if (location->auth_saml.value->is_variable) return unknown_name(r, *location->auth_saml.value);
  }
  return "auth_saml of this server names no saml_idp for this request";
}

ngx_int_t start_here(ngx_http_request_t* r, const SrvConf& server) {
  if (site_kind(r) == Site::kUnknown) return refuse_unknown(r, unknown_host(r));
  const IdpChoices choices = choices_of(r, server);
  const std::string return_url = return_target(r, argument(r, "return"));
  if (const auto name = argument(r, "idp")) {
    const login::Trust* trust = server.find_trust(*name);
    if (trust == nullptr || !choices.admit(trust)) {
      return refuse_unknown(r, "no such saml_idp for this request", *name);
    }
    return send_login(r, *trust, {return_url, fresh_of(argument(r, "fresh"))});
  }
  if (choices.trusts.empty()) return refuse_unknown(r, no_choice(r));
  const LocConf& location = *server.server_location;
  const bool always = location.login_page.or_default(LoginPage::kAuto) == LoginPage::kAlways;
  if (choices.trusts.size() > 1 || always) return send_login_page(r, choices.trusts, {return_url, fresh_of(argument(r, "fresh"))});
  return send_login(r, *choices.trusts.front(), {return_url, fresh_of(argument(r, "fresh"))});
}

// The IdP of the choices whose email_domains hold the address's; null: none.
const login::Trust* trust_of_email(ngx_http_request_t* r, const IdpChoices& choices, std::string_view email) {
  const auto address = policy::parse_email(trim_blanks(email));
  const std::string* owner = address ? main_conf(r)->email_domains.find(address->domain) : nullptr;
  const login::Trust* trust = owner == nullptr ? nullptr : srv_conf(r)->find_trust(*owner);
  const bool is_choice = std::find(choices.trusts.begin(), choices.trusts.end(), trust) != choices.trusts.end();
  return is_choice ? trust : nullptr;
}

// The login page's form: posted, so that no address stands in a log.
ngx_int_t on_email(ngx_http_request_t* r, std::string_view body) {
  const std::string return_url = return_target(r, form_field(body, "return"));
  LoginStart start{return_url, fresh_of(form_field(body, "fresh")), false, NGX_HTTP_SEE_OTHER};
  const IdpChoices choices = choices_of(r, *srv_conf(r));
  const std::string email = form_field(body, "email").value_or("").substr(0, 254);
  const login::Trust* trust = trust_of_email(r, choices, email);
  if (trust != nullptr) return send_login(r, *trust, start);
  if (choices.trusts.empty()) return refuse_unknown(r, no_choice(r));
  return send_login_page(r, choices.trusts, start, email);
}

ngx_int_t on_bad_email(ngx_http_request_t*, ngx_uint_t status) { return static_cast<ngx_int_t>(status); }

ngx_int_t carry_out(ngx_http_request_t* r, const SrvConf& server, std::string_view text) {
  const auto order = worker()->secrets(server).handovers.open_order(text, *server.entity_id.value, now());
  if (!order) return refuse_login(r, {Reason::kAttemptExpired, "the order for this login does not open, or is too old"}, {}, {});
  if (!carries_for(server, order->origin.host)) {
    return refuse_unknown(r, "the login was handed over by a host that is no longer configured", order->idp);
  }
  const login::Trust* trust = server.find_trust(order->idp);
  if (trust == nullptr) return refuse_unknown(r, "the login's saml_idp is no longer configured", order->idp);
  LoginStart start;
  start.return_url = order->return_url;
  start.max_authn_age = order->max_authn_age;
  start.order = &*order;
  return send_login(r, *trust, start);
}

}  // namespace

ngx_int_t answer_login(ngx_http_request_t* r) {
  const SrvConf& server = *srv_conf(r);
  if (r->method == NGX_HTTP_POST && server.protects && site_kind(r) != Site::kUnknown) {
    return read_body(r, kMaxEmailForm, on_email, on_bad_email);
  }
  if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) return method_not_allowed(r, "GET, HEAD, POST");
  const auto order = argument(r, "order");
  if (order && !server.carries_for.empty() && site_kind(r) == Site::kBase) return carry_out(r, server, *order);
  if (!server.protects) return refuse_unknown(r, "logins begin at the applications' own addresses, not at this one");
  return start_here(r, server);
}

}  // namespace sallyport::ngx
