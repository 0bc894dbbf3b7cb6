// The state of one login attempt, sealed in a cookie of its own (decision 3): nothing is stored on the
// server before a login, and parallel tabs do not disturb each other.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/instant.h"
#include "base/random.h"
#include "session/sealed_text.h"

namespace sallyport::session {

constexpr Millis kAttemptLifetime = kHour;
constexpr Millis kMarkerLifetime = 10 * kMinute;
constexpr std::size_t kMaxReturnUrl = 1500;
constexpr std::size_t kMaxMarkerTarget = 300;
constexpr std::size_t kMaxAttemptBytes = 4096;  // all attempt cookies of a browser together
constexpr std::string_view kRetryMark = ".r";   // behind the handle in RelayState: replaces a lost attempt

// Names one attempt: 16 base64url characters (4 bytes of start time in seconds, big-endian, and 8 random ones,
// so that handles tell which is older). RelayState is the handle, with "." and a retry mark where
// the attempt replaces a lost one.
std::optional<std::string> make_handle(Millis now, Random& random);
bool is_handle(std::string_view text);
// Start time of a handle in milliseconds (second precision).
Millis handle_time(std::string_view handle);

// The attempt of another host whose login this one carries out, as the host of the one ACS (handover.h).
struct OriginAttempt {
  std::string host;    // lower case, without a port
  std::string handle;
  std::string nonce;   // its request_id
};

struct LoginAttempt {
  std::string request_id;   // of the AuthnRequest; of an attempt that is handed over, a nonce
  std::string idp;          // name of the saml_idp block
  std::string return_url;   // a local path, of the origin's host where there is one
  Millis started = 0;
  Millis max_authn_age = 0;  // the login at the IdP must be younger; 0: however old
  // The key of the session whose cookie the browser had: with what the IdP's page posts it does not come, nor, where it is
  // strict, with the redirects behind that.
  std::optional<Digest> earlier_session{};
  std::optional<OriginAttempt> origin{};
};

// Who carries out an attempt. One that is handed over never opens as the ACS's own.
enum class AttemptKind { kOwn, kHandedOver };

// What an attempt's cookie becomes after success: the same answer posted again by the same browser leads
// to the target instead of a refusal.
struct LoginMarker {
  Digest answer{};          // SHA-256 of the SAMLResponse as posted
  Digest session{};         // the session's key
  std::string target;       // a local path, or an address at the origin's host; cut to "/" above kMaxMarkerTarget bytes
  Millis finished = 0;
};

// Seals and opens attempts and markers; `context` is the SP entity ID, which with the handle is
// authenticated: a cookie of another SP or under another handle does not open.
class LoginStateCodec {
 public:
  explicit LoginStateCodec(const Secret& secret);
  explicit LoginStateCodec(const Digest& secret) : LoginStateCodec(Secret{secret}) {}

  std::optional<std::string> seal_attempt(const LoginAttempt& attempt, std::string_view sp_entity_id,
                                          std::string_view handle, Random& random,
                                          AttemptKind kind = AttemptKind::kOwn);
  // nullopt: not ours, changed, of the other kind, or older than kAttemptLifetime (or from the future by more than it).
  std::optional<LoginAttempt> open_attempt(std::string_view cookie, std::string_view sp_entity_id,
                                           std::string_view handle, Millis now, AttemptKind kind = AttemptKind::kOwn);
  std::optional<std::string> seal_marker(const LoginMarker& marker, std::string_view sp_entity_id,
                                         std::string_view handle, Random& random);
  std::optional<LoginMarker> open_marker(std::string_view cookie, std::string_view sp_entity_id,
                                         std::string_view handle, Millis now);

 private:
  SealedText sealer_;
};

// An attempt's cookie as the browser sent it.
struct AttemptCookie {
  std::string handle;
  std::size_t bytes;  // name and value
};

// Which of the browser's attempt cookies must go so that `new_bytes` more fit into
// kMaxAttemptBytes: the oldest first. At most 32 (more than fit were not made by us; a balancer in
// front may refuse an answer with hundreds of Set-Cookie lines), so the rest goes another time.
std::vector<std::string> attempts_to_expire(std::vector<AttemptCookie> present,
                                            std::size_t new_bytes);

}  // namespace sallyport::session
