// Messages of the channel by which nodes tell each other of sessions that ended.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/instant.h"

namespace sallyport::redis {

struct SessionEnded {
  Digest session;  // the store's key
  Millis until;    // the session's absolute end: what was ended need be remembered so long
  bool is_known = true;  // that there was such a session; else whoever made up its cookie may have caused this
};

// "1 end KEY UNTIL TAG", or "end-unknown" where nobody knows whether there was such a session, in ASCII; the tag is an HMAC
// under the nodes' secret, so that who writes to Redis alone cannot fill the nodes' memory with sessions that never were.
std::string encode_event(const SessionEnded& event, const Digest& secret);
// nullopt: not of a node with that secret, or of another version.
std::optional<SessionEnded> decode_event(std::string_view message, const Digest& secret);

}  // namespace sallyport::redis
