#include "login_page.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/url.h"
#include "request_ctx.h"
#include "respond.h"
#include "session/cookie.h"

namespace sallyport::ngx {

namespace {

std::string_view last_idp(ngx_http_request_t* r) {
  const RequestState* state = find_state(r);
  if (state == nullptr) return {};
  const std::string name = srv_conf(r)->cookie_settings.name + std::string(session::kLastIdpSuffix);
  return state->session_cookie(name).value_or(std::string_view());
}

bool has_domains(const login::Trust* trust) { return !trust->rules->email_domains.empty(); }

// With the name also where there is no other one: without it the endpoint would ask again.
std::string button_url(ngx_http_request_t* r, const login::Trust& trust, const LoginStart& start) {
  std::string url = login_url(r, &trust, start.return_url, start.max_authn_age);
  if (srv_conf(r)->trusts.size() <= 1) append_query(url, "idp", url_encode(trust.idp_name));
  return url;
}

login::EmailForm email_form(ngx_http_request_t* r, const LoginStart& start, std::string_view unknown_email) {
  login::EmailForm form;
  form.action = srv_conf(r)->prefix + "/login";
  form.return_url = start.return_url;
  if (start.max_authn_age > 0) form.fresh = std::to_string((start.max_authn_age + kSecond - 1) / kSecond);
  form.email = unknown_email;
  form.is_unknown = !unknown_email.empty();
  return form;
}

}  // namespace

ngx_int_t send_login_page(ngx_http_request_t* r, std::vector<const login::Trust*> trusts, const LoginStart& start,
                          std::string_view unknown_email) {
  const auto is_vacant = [](const login::Trust* trust) { return trust->is_vacant; };
  trusts.erase(std::remove_if(trusts.begin(), trusts.end(), is_vacant), trusts.end());
  if (trusts.empty()) {
    return refuse_login(r, {Reason::kIdpUnavailable, "none of the names of auth_saml has a saml_idp now"}, {}, {});
  }
  const bool finds_by_email = trusts.size() > 1 && std::any_of(trusts.begin(), trusts.end(), has_domains);
  const bool has_buttons = trusts.size() <= kMostButtons || !finds_by_email;
  const std::string_view last = last_idp(r);
  login::LoginPage page;
  for (const login::Trust* trust : trusts) {
    const bool is_last = trusts.size() > 1 && trust->idp_name == last;
    if (!has_buttons && !is_last) continue;
    login::IdpChoice choice{trust->display_name, button_url(r, *trust, start), is_last};
    page.choices.insert(is_last ? page.choices.begin() : page.choices.end(), std::move(choice));
  }
  if (finds_by_email) page.email_form = email_form(r, start, unknown_email);
  const login::PageTemplate* own = srv_conf(r)->login_page.get();
  return send_reply(r, page_reply(NGX_HTTP_OK, own == nullptr ? login::login_page(page) : login::login_page(*own, page)));
}

}  // namespace sallyport::ngx
