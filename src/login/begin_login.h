// The way to the IdP: request, sealed cookie, redirect or form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/random.h"
#include "base/result.h"
#include "login/trust.h"
#include "session/cookie.h"
#include "session/login_state.h"

namespace sallyport::login {

struct BeginLogin {
  const Trust* trust = nullptr;
  // The session cookie's settings; the attempt's cookie is "NAME.HANDLE" with SameSite=None where
  // Secure (the answer is a cross-site POST) and without the attribute under plain http.
  const session::CookieSettings* cookie = nullptr;
  std::string_view return_url;                  // already a local path
  std::vector<session::AttemptCookie> present;  // attempt cookies that came with the request
  bool is_retry = false;                        // replaces a lost attempt: marked in RelayState
  Millis max_authn_age = 0;                     // more than 0: asks for a fresh login (ForceAuthn)
  Millis now = 0;
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

}  // namespace sallyport::login
