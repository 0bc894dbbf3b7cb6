// A session's record sealed for a store that is not trusted (decision 7): who reads the store sees no user, who writes it
// cannot make a session.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/instant.h"
#include "base/random.h"
#include "base/seal.h"

namespace sallyport::session {

// Nonce and tag of a sealed record, and a checksum of all of it and of the secrets. Two with the same id come from the same
// sealing; the checksum tells a record that was changed in between, which could do no harm, from one that is whole, and what
// was opened under other secrets from what opens now.
using SealId = std::array<char, 48>;

struct OpenedRecord {
  std::string bytes;
  Millis ends;  // the session's absolute end
};

// Seals under a key that takes both the cookie and the nodes' secret. The cookie's hash (the store's key), the SP entity ID
// and the absolute end are authenticated with the record.
class SessionSealer {
 public:
  static constexpr std::size_t kMostSealed = 64 * 1024 + 512;  // bytes of a sealed record

  explicit SessionSealer(const Secret& secret);

  // `cookie` is the session cookie's value. nullopt: it is none, the record is too large, or randomness fails.
  std::optional<std::string> seal(std::string_view record, std::string_view cookie, std::string_view sp_entity_id,
                                  Millis ends, Random& random) const;
  // nullopt for anything that was not sealed for this cookie and SP, was changed, or has ended.
  std::optional<OpenedRecord> open(std::string_view sealed, std::string_view cookie, std::string_view sp_entity_id,
                                   Millis now) const;

  // Without opening it. nullopt: too short to be a sealed record.
  std::optional<SealId> id_of(std::string_view sealed) const;

 private:
  Secret secret_;
  std::uint64_t secrets_tag_;
};

}  // namespace sallyport::session
