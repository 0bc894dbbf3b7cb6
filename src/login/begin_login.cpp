#include "login/begin_login.h"

#include <optional>
#include <utility>

#include "base/url.h"
#include "login/pages.h"

namespace sallyport::login {
namespace {

Error internal(std::string_view detail) { return {Reason::kInternal, std::string(detail)}; }

// The answer comes as a cross-site POST: only SameSite=None goes along with it, which browsers
// accept with Secure only.
session::SameSite of_cross_site_post(const BeginLogin& request) {
  return request.cookie->secure ? session::SameSite::kNone : session::SameSite::kUnset;
}

std::string attempt_name(const session::CookieSettings& settings, std::string_view handle) {
  std::string name;
  name.reserve(settings.name.size() + 1 + handle.size());
  name += settings.name;
  name += '.';
  name += handle;
  return name;
}

void set_cookies(const BeginLogin& request, session::SameSite same_site, std::string_view handle, std::string_view sealed,
                 std::vector<std::string>& out) {
  session::CookieSettings settings = *request.cookie;
  settings.same_site = same_site;
  const std::string name = attempt_name(settings, handle);
  out.push_back(session::set_cookie(settings, name, sealed,
                                    static_cast<long>(session::kAttemptLifetime / kSecond)));
  if (request.present.empty()) return;
  for (const std::string& old :
       session::attempts_to_expire(request.present, name.size() + sealed.size())) {
    out.push_back(session::expire_cookie(settings, attempt_name(settings, old)));
  }
}

Status send_request(const BeginLogin& request, std::string_view request_id,
                    std::string_view relay_state, BegunLogin& begun) {
  const Trust& trust = *request.trust;
  if (trust.request_binding == saml::Binding::kRedirect) {
    Result<std::string> url = trust.request.redirect_url(
        request_id, request.now, relay_state, trust.signing_key, request.max_authn_age > 0);
    if (!url) return std::move(url).error();
    begun.location = std::move(url).value();
    return Done{};
  }
  Result<std::string> field =
      trust.request.post_field(request_id, request.now, trust.signing_key,
                               trust.signing_certificate, request.max_authn_age > 0);
  if (!field) return std::move(field).error();
  Page page = post_form_page(trust.request.destination(), *field, relay_state);
  begun.page = std::move(page.html);
  begun.content_security_policy = std::move(page.content_security_policy);
  return Done{};
}

// A new attempt with its handle, and its cookie as Set-Cookie wants it.
struct Attempt {
  std::string handle;
  session::LoginAttempt state;
  std::string sealed;
};

Status make_attempt(const BeginLogin& request, session::AttemptKind kind, session::LoginStateCodec& codec, Random& random,
                    Attempt& attempt) {
  std::optional<std::string> handle = session::make_handle(request.now, random);
  std::optional<std::string> request_id = saml::make_request_id(random);
  if (!handle || !request_id) return internal("no random bytes");
  attempt.handle = std::move(*handle);
  attempt.state.request_id = std::move(*request_id);
  attempt.state.idp = request.trust->idp_name;
  attempt.state.return_url = request.return_url;
  attempt.state.started = request.now;
  attempt.state.max_authn_age = request.max_authn_age;
  attempt.state.earlier_session = request.earlier_session;
  if (request.order != nullptr) attempt.state.origin = request.order->origin;
  auto sealed = codec.seal_attempt(attempt.state, request.site_entity_id, attempt.handle, random, kind);
  if (!sealed) return internal("the login attempt could not be sealed");
  attempt.sealed = std::move(*sealed);
  return Done{};
}

}  // namespace

Result<BegunLogin> begin_login(const BeginLogin& request, session::LoginStateCodec& codec,
                               Random& random) {
  Attempt attempt;
  SALLYPORT_TRY(make_attempt(request, session::AttemptKind::kOwn, codec, random, attempt));
  BegunLogin begun;
  set_cookies(request, of_cross_site_post(request), attempt.handle, attempt.sealed, begun.set_cookies);
  if (request.is_retry) attempt.handle += session::kRetryMark;
  SALLYPORT_TRY(send_request(request, attempt.state.request_id, attempt.handle, begun));
  return begun;
}

Result<BegunLogin> hand_over_login(const BeginLogin& request, const HandOver& there, session::LoginStateCodec& codec,
                                   session::HandoverCodec& handovers, Random& random) {
  Attempt attempt;
  SALLYPORT_TRY(make_attempt(request, session::AttemptKind::kHandedOver, codec, random, attempt));
  session::LoginOrder order;
  order.origin = {std::string(there.host), attempt.handle, attempt.state.request_id};
  order.idp = attempt.state.idp;
  order.return_url = attempt.state.return_url;
  order.max_authn_age = request.max_authn_age;
  order.made = request.now;
  const auto sealed = handovers.seal_order(order, request.site_entity_id, random);
  if (!sealed) return internal("the order to log in could not be sealed");
  BegunLogin begun;
  set_cookies(request, session::SameSite::kLax, attempt.handle, attempt.sealed, begun.set_cookies);
  begun.location = there.login_url;
  append_query(begun.location, "order", *sealed);
  return begun;
}

}  // namespace sallyport::login
