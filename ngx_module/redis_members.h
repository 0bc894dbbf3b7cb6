// The nodes of a cluster that this worker is connected to, by the cluster's own map.
#pragma once

#include "ngx.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "redis/topology.h"
#include "redis_node.h"

namespace sallyport::ngx {

struct ClusterMember {
  redis::ClusterMaster is;
  bool has_slots = false;          // by the last map
  std::unique_ptr<RedisNode> node;
};

class ClusterMembers {
 public:
  ClusterMembers(RedisNodeOwner& owner, const RedisConf& conf) : owner_(owner), conf_(conf) {}

  bool has_map() const { return map_.has_value(); }
  // Takes a new map over: connects to its masters, and leaves who is no longer one of them.
  void take(redis::SlotMap map);
  // The master of a slot, or any one that serves; null: there is none.
  RedisNode* of_slot(std::uint16_t slot);
  // One that a redirection names; not of the map, perhaps. Null: there are too many strangers.
  RedisNode* at(const redis::NodeAddress& address);
  const ClusterMember* find(const RedisNode& node) const;
  // The next one that serves, one after the other; null: none does.
  RedisNode* next_up();
  // Whether every slot has a master that serves.
  bool all_serve() const;
  bool any_at(const RedisAddress& address) const;
  // Those that were left go when nobody waits for them any more.
  void clear_away();

 private:
  ClusterMember& obtain(const redis::ClusterMaster& master);

  RedisNodeOwner& owner_;
  const RedisConf& conf_;
  std::optional<redis::SlotMap> map_;
  std::vector<RedisNode*> masters_;  // in the order of the map's
  std::vector<std::unique_ptr<ClusterMember>> members_;
  std::vector<std::unique_ptr<ClusterMember>> left_;
  std::size_t turn_ = 0;
};

}  // namespace sallyport::ngx
