// The way to the IdP: request, sealed cookie, redirect or form; or to the host that carries the login out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/random.h"
#include "base/result.h"
#include "login/trust.h"
#include "session/cookie.h"
#include "session/handover.h"
#include "session/login_state.h"

namespace sallyport::login {

struct BeginLogin {
  const Trust* trust = nullptr;
  std::string_view site_entity_id;  // of the server (saml_entity_id): whom attempts and orders are sealed for
  // The session cookie's settings; the attempt's cookie is "NAME.HANDLE" with SameSite=None where
  // Secure (the answer is a cross-site POST) and without the attribute under plain http.
  const session::CookieSettings* cookie = nullptr;
  std::string_view return_url;                  // already a local path
  std::vector<session::AttemptCookie> present;  // attempt cookies that came with the request
  bool is_retry = false;                        // replaces a lost attempt: marked in RelayState
  Millis max_authn_age = 0;                     // more than 0: asks for a fresh login (ForceAuthn)
  std::optional<Digest> earlier_session{};      // key of the session whose cookie came with the request
  Millis now = 0;
  const session::LoginOrder* order = nullptr;   // the login is another host's; it names the IdP of `trust`
};

struct BegunLogin {
  std::vector<std::string> set_cookies;  // values of Set-Cookie headers
  std::string location;                  // HTTP-Redirect: where to go; empty for HTTP-POST
  std::string page;                      // HTTP-POST: the self-posting page
  std::string content_security_policy;   // of the page
};

// Reason: internal (randomness, memory or signing failed).
Result<BegunLogin> begin_login(const BeginLogin& request, session::LoginStateCodec& codec,
                               Random& random);

// Where the ACS is at another host (saml_base_url; DESIGN 5.2): an attempt of `host`, and the way to the login endpoint over
// there, `login_url`, with the order for it. Its cookie comes back with a redirect, so SameSite=Lax is enough.
struct HandOver {
  std::string_view host;
  std::string_view login_url;
};
Result<BegunLogin> hand_over_login(const BeginLogin& request, const HandOver& there, session::LoginStateCodec& codec,
                                   session::HandoverCodec& handovers, Random& random);

}  // namespace sallyport::login
