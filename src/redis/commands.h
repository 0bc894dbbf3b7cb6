// The commands that the module sends, formatted by hiredis, and the names of its keys (DESIGN 2.4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/instant.h"

namespace sallyport::redis {

// Any node of a cluster will do: the command has no key.
constexpr std::uint16_t kAnySlot = 0xFFFF;

struct Command {
  std::string bytes;               // as it goes over the wire
  std::uint16_t slot = kAnySlot;   // of its key
};

// Names of keys: {prefix}sess:HEX and so on. HEX are the 64 lower-case digits of a digest.
class Keys {
 public:
  explicit Keys(std::string prefix) : prefix_(std::move(prefix)) {}

  std::string session(const Digest& key) const;      // sess:   SHA-256 of the cookie's 32 bytes
  std::string answer(const Digest& answer) const;    // seen:
  std::string idp_session(const Digest& hash) const; // idx:
  std::string user_sessions(const Digest& hash) const;  // who:
  std::string user_memory(const Digest& key) const;  // profile:
  std::string user(std::string_view name) const;     // user:EMAIL, a hash of the operator's
  std::string channel() const;                       // events

 private:
  std::string prefix_;
};

// Reading and writing one key. Times to live are milliseconds, at least 1.
Command get(std::string_view key);
Command set(std::string_view key, std::string_view value, Millis ttl);
Command set_if_absent(std::string_view key, std::string_view value, Millis ttl);   // nil: it is there
Command set_if_present(std::string_view key, std::string_view value, Millis ttl);  // nil: it is not
Command remove(std::string_view key);
Command exists(std::string_view key);
Command time_to_live(std::string_view key);              // PTTL: -2 no such key, -1 no expiry
Command prolong(std::string_view key, Millis ttl);       // PEXPIRE: 0 no such key
Command hash_fields(std::string_view key, const std::vector<std::string_view>& fields);  // HMGET

// An index: a sorted set of sessions' keys (32 bytes each) by the end of the session. What has ended goes, and the set
// itself expires with its last session. Four commands, each with a reply of its own.
std::vector<Command> add_to_index(std::string_view key, const Digest& session, Millis ends, Millis now);
// The sessions of an index that have not ended by `now`, at most 16 from `offset` on.
Command index_page(std::string_view key, Millis now, std::size_t offset);
Command remove_from_index(std::string_view key, const Digest& session);

Command publish(std::string_view channel, std::string_view message);

// The connection itself.
Command subscribe(std::string_view channel);
Command ping();
Command authenticate(std::string_view username, std::string_view password);  // username may be empty
Command select(unsigned database);
Command asking();
Command cluster_nodes();
Command sentinel_master(std::string_view name);          // SENTINEL get-master-addr-by-name
Command replication_info();                              // INFO replication

}  // namespace sallyport::redis
