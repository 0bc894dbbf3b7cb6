#include "login/begin_login.h"

#include <optional>
#include <utility>

#include "login/pages.h"

namespace sallyport::login {
namespace {

Error internal(std::string_view detail) { return {Reason::kInternal, std::string(detail)}; }

// The answer comes as a cross-site POST: only SameSite=None goes along with it, which browsers
// accept with Secure only.
session::CookieSettings attempt_cookie(const BeginLogin& request) {
  session::CookieSettings settings = *request.cookie;
  settings.same_site = settings.secure ? session::SameSite::kNone : session::SameSite::kUnset;
  return settings;
}

std::string attempt_name(const session::CookieSettings& settings, std::string_view handle) {
  std::string name;
  name.reserve(settings.name.size() + 1 + handle.size());
  name += settings.name;
  name += '.';
  name += handle;
  return name;
}

void set_cookies(const BeginLogin& request, std::string_view handle, std::string_view sealed,
                 std::vector<std::string>& out) {
  const session::CookieSettings settings = attempt_cookie(request);
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

}  // namespace

Result<BegunLogin> begin_login(const BeginLogin& request, session::LoginStateCodec& codec,
                               Random& random) {
  const Trust& trust = *request.trust;
  std::optional<std::string> handle = session::make_handle(request.now, random);
  std::optional<std::string> request_id = saml::make_request_id(random);
  if (!handle || !request_id) return internal("no random bytes");
  session::LoginAttempt attempt;
  attempt.request_id = std::move(*request_id);
  attempt.idp = trust.idp_name;
  attempt.return_url = request.return_url;
  attempt.started = request.now;
  attempt.max_authn_age = request.max_authn_age;
  const std::optional<std::string> sealed =
      codec.seal_attempt(attempt, trust.sp_entity_id, *handle, random);
  if (!sealed) return internal("the login attempt could not be sealed");

  BegunLogin begun;
  set_cookies(request, *handle, *sealed, begun.set_cookies);
  if (request.is_retry) *handle += session::kRetryMark;
  SALLYPORT_TRY(send_request(request, attempt.request_id, *handle, begun));
  return begun;
}

}  // namespace sallyport::login
