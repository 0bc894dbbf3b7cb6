// One ACS for many hosts (DESIGN 5.2): a host hands a login over to the host of saml_base_url, which carries it out and
// hands the session back. Both messages are sealed and travel through the browser, so nothing is stored for them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/random.h"
#include "session/login_state.h"

namespace sallyport::session {

constexpr Millis kTicketLifetime = kMinute;

// From the host to that of the ACS: carry out this login.
struct LoginOrder {
  OriginAttempt origin;
  std::string idp;           // name of the saml_idp block
  std::string return_url;    // for "try again"; cut to "/" above kMaxMarkerTarget bytes
  Millis max_authn_age = 0;  // as in LoginAttempt
  Millis made = 0;
};

// And back: this is the session. Good for kTicketLifetime, once, and beside the origin's attempt cookie only.
struct LoginTicket {
  OriginAttempt origin;
  std::string idp;
  std::string session_id;  // the session cookie's value
  Millis made = 0;
};

class HandoverCodec {
 public:
  explicit HandoverCodec(const Secret& secret) : sealer_(secret) {}

  // Texts for a URL; nullopt when randomness or memory fails.
  std::optional<std::string> seal_order(const LoginOrder& order, std::string_view sp_entity_id, Random& random);
  std::optional<std::string> seal_ticket(const LoginTicket& ticket, std::string_view sp_entity_id, Random& random);

  // nullopt: not ours, changed, of another service provider, or too old (an order is good for kAttemptLifetime).
  std::optional<LoginOrder> open_order(std::string_view text, std::string_view sp_entity_id, Millis now);
  // nullopt also at another host.
  std::optional<LoginTicket> open_ticket(std::string_view text, std::string_view sp_entity_id, std::string_view host,
                                         Millis now);

 private:
  SealedText sealer_;
};

}  // namespace sallyport::session
