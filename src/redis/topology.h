// Which server a key belongs to, and what servers say of that: clusters (slots, MOVED, ASK) and sentinels.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "redis/reply.h"

namespace sallyport::redis {

constexpr std::uint16_t kSlots = 16384;

// The slot of a key: CRC16 of it, or of what stands between its first "{" and the next "}", if that is not empty.
std::uint16_t key_slot(std::string_view key);

enum class ErrorKind {
  kMoved,
  kAsk,
  kTryAgain,
  kClusterDown,
  kLoading,
  kMasterDown,
  kReadOnly,
  kOutOfMemory,
  kNoAuth,        // NOAUTH, WRONGPASS
  kNoPermission,
  kWrongType,
  kOther,
};
ErrorKind error_kind(std::string_view text);

struct NodeAddress {
  std::string host;  // an address or a name; empty: the node that said it
  std::uint16_t port = 0;

  bool operator==(const NodeAddress& other) const { return host == other.host && port == other.port; }
};

// A master as the map of a cluster shows it.
struct ClusterMaster {
  NodeAddress at;
  std::string name;  // cluster-announce-hostname; empty: it has none

  // Redirections may give either.
  bool is_at(const NodeAddress& address) const {
    return at.port == address.port && (at.host == address.host || (!name.empty() && name == address.host));
  }
};

// "MOVED 3999 127.0.0.1:6381", "ASK ...".
struct Redirect {
  std::uint16_t slot;
  NodeAddress to;
};
std::optional<Redirect> parse_redirect(std::string_view text);

// The masters of a cluster and their slots.
class SlotMap {
 public:
  static constexpr std::uint16_t kNobody = 0xFFFF;

  // From the text of CLUSTER NODES, as the server at `host` says it; nullopt: it is none.
  static std::optional<SlotMap> parse(std::string_view text, std::string_view host = {});

  const std::vector<ClusterMaster>& masters() const { return masters_; }
  // Index of a slot's master, or kNobody.
  std::uint16_t master_of(std::uint16_t slot) const { return owners_[slot]; }
  bool is_complete() const;

 private:
  SlotMap() { owners_.fill(kNobody); }
  bool add_line(std::string_view line);
  bool add_slots(std::string_view range, std::uint16_t owner);

  std::vector<ClusterMaster> masters_;
  std::array<std::uint16_t, kSlots> owners_;
};

// The answer to SENTINEL get-master-addr-by-name; nullopt: that master is unknown there.
std::optional<NodeAddress> master_address(const Reply& reply);

// Whether the text of INFO replication is a master's.
bool is_master(std::string_view replication_info);

}  // namespace sallyport::redis
