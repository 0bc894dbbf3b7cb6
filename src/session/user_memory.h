// What is remembered of a user from login to login: the last grants, the first login's profile, which attributes
// came. A small sealed record beside the sessions, which the store may lose.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/instant.h"
#include "base/random.h"
#include "base/seal.h"
#include "policy/profile.h"
#include "session/table_layout.h"

namespace sallyport::session {

// Counted from the last login.
constexpr Millis kUserMemoryLifetime = 400 * 24 * kHour;

// Bytes before they are sealed: what no reply of a store may hold (redis::ReplyGate) is never written.
constexpr std::size_t kMaxUserMemory = 60 * 1024;

struct UserMemory {
  Millis last_login = 0;
  std::string groups;  // encoded list
  std::string spaces;  // encoded pairs
  std::optional<policy::Profile> profile;   // where the policy keeps the first login's
  std::vector<std::uint32_t> attributes{};  // attribute_tag() of each attribute that came
};

// A short hash of an attribute's Name.
std::uint32_t attribute_tag(std::string_view name);

// Seals and opens what is remembered. `key` is authenticated with it: one user's is nothing under another's.
class UserMemoryCodec {
 public:
  explicit UserMemoryCodec(const Secret& secret);
  explicit UserMemoryCodec(const Digest& secret) : UserMemoryCodec(Secret{secret}) {}

  // The store's key: nobody without the secret finds a user by it. `binding` (session_binding) says at which service
  // provider and of which IdP; nothing is carried over to another.
  Key key_of(const Digest& binding, std::string_view user) const;
  // Where it may still be from before the secret was changed.
  std::optional<Key> previous_key_of(const Digest& binding, std::string_view user) const;

  // What is too large goes: the last grants, then the profile. nullopt when randomness or memory fails.
  std::optional<std::string> seal(const UserMemory& memory, const Key& key, Random& random);
  // nullopt: not ours, changed, or of another layout.
  std::optional<UserMemory> open(std::string_view sealed, const Key& key);

 private:
  Digest key_secret_;
  std::optional<Digest> previous_key_secret_;
  RotatingSealer sealer_;
};

}  // namespace sallyport::session
