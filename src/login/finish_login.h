// From a posted SAMLResponse to a login that may be believed (SAML Profiles 4.1.4): document, signature, signed
// bytes, conditions, account.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/instant.h"
#include "base/result.h"
#include "login/trust.h"
#include "policy/identity.h"
#include "saml/conditions.h"
#include "saml/response.h"
#include "session/login_state.h"

namespace sallyport::login {

// The fields of the ACS's form. Each at most once; fields of other bindings (SAMLart, SAMLRequest,
// Signature, SigAlg, SAMLEncoding) are refused, others (a login page's own) passed over up to 16 in
// all. Reasons: form_invalid, response_missing.
struct AcsForm {
  std::string saml_response;  // still base64
  std::string relay_state;
};
Result<AcsForm> parse_acs_form(std::string_view body);

// Whom the answer, base64 as posted, says it is from; nothing of it is verified. Reasons: base64_invalid, too_large and those of
// saml::claimed_issuer.
Result<std::optional<std::string>> claimed_issuer(std::string_view saml_response, std::size_t max_message_bytes);

struct FinishLogin {
  const Trust* trust = nullptr;
  std::string_view saml_response;                    // base64 as posted
  std::optional<std::string_view> request_id;        // of the attempt; nullopt: unsolicited
  Millis now = 0;
  Millis skew = 180 * kSecond;
  Millis max_assertion_age = 24 * kHour;
  Millis max_authn_age = 0;                          // of the attempt; 0: however old
  Millis session_timeout = 8 * kHour;
  std::size_t max_message_bytes = 256 * 1024;
  HeaderLimits limits;
  std::string_view host;                             // whose login was handed over; empty: the session is for the ACS's own
  std::uint32_t generation = 0;                      // of the configuration (session::Resolution)
};

// A login whose answer was verified and may be believed here and now; what is the user's own is still to be
// resolved, by resolve_login().
struct AcceptedLogin {
  saml::VerifiedResponse response;  // without the attributes, which are in `claims`
  saml::Accepted accepted;          // points into `response`
  Millis expires = 0;               // absolute end of the session
  policy::Claims claims;
  policy::Account account;
};

// A login in steps for an event loop that must not be held for all of it: none checks more than one signature or
// decrypts besides. (The last one opens what is encrypted inside of the assertion.)
class LoginSteps {
 public:
  // What `input` points to must live as long as this.
  explicit LoginSteps(const FinishLogin& input);

  // Does the next step; whether there is one more. Not to be called again after false.
  bool advance();

  // What came out, once, after advance() returned false. Reasons: every one of the answer, plus
  // idp_unavailable, authn_too_old and those of policy::resolve_account.
  Result<AcceptedLogin> take_result() { return std::move(result_); }

 private:
  Status open();
  Status verify();
  Status decrypt();
  Status confirm();
  Status finish();

  using Step = Status (LoginSteps::*)();
  static const Step kSteps[];

  FinishLogin input_;
  saml::ResponseReader reader_;
  std::size_t next_ = 0;
  Result<AcceptedLogin> result_;
};

// All steps at once.
Result<AcceptedLogin> accept_login(const FinishLogin& input);

}  // namespace sallyport::login
