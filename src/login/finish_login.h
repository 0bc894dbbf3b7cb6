// From a posted SAMLResponse to a session record (SAML Profiles 4.1.4): document, signature, signed
// bytes, conditions, attributes, headers, record.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/instant.h"
#include "base/result.h"
#include "login/trust.h"
#include "policy/identity.h"
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
};

struct FinishedLogin {
  std::string record;             // session/record, complete
  Millis expires = 0;             // absolute end of the session
  Digest answer{};                // SHA-256 of issuer, NUL, assertion ID: the replay mark's key
  Millis replay_until = 0;
  std::uint64_t user_hash = 0;          // of idp name and user: index by user
  std::uint64_t idp_session_hash = 0;   // of issuer, qualifiers, NameID, SessionIndex
  policy::Identity identity;
  std::vector<std::string> received_groups;  // values of the groups attribute, for the log
  std::string overflow;           // names of lists that will be cut, comma-separated
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
  // authn_too_old and identity_too_large.
  Result<FinishedLogin> take_result() { return std::move(result_); }

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
  Result<FinishedLogin> result_;
};

// All steps at once.
Result<FinishedLogin> finish_login(const FinishLogin& input);

// The index hashes (decision 11), also of what a LogoutRequest names.
std::uint64_t user_hash(std::string_view idp_name, std::string_view user);
std::uint64_t idp_session_hash(std::string_view issuer, const saml::NameId& name_id,
                               std::string_view session_index);

// One line for the log: "idp=... user=... spaces=... groups=... received_groups=...", escaped, each
// value cut at 2 KB and in quotes where it holds a blank.
std::string describe_login(const FinishedLogin& login, std::string_view idp_name);

}  // namespace sallyport::login
