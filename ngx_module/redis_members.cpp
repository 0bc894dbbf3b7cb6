#include "redis_members.h"

#include <algorithm>

#include "redis/commands.h"
#include "redis_single.h"

namespace sallyport::ngx {

namespace {

constexpr std::size_t kMostStrangers = 16;

}  // namespace

void ClusterMembers::take(redis::SlotMap map) {
  for (const auto& member : members_) member->has_slots = false;
  masters_.clear();
  for (const redis::ClusterMaster& master : map.masters()) {
    ClusterMember& member = obtain(master);
    member.has_slots = true;
    masters_.push_back(member.node.get());
  }
  map_ = std::move(map);
  const auto stays = [](const auto& member) { return member->has_slots; };
  const auto first_left = std::stable_partition(members_.begin(), members_.end(), stays);
  std::move(first_left, members_.end(), std::back_inserter(left_));
  members_.erase(first_left, members_.end());
  for (const auto& member : members_) member->node->start();
}

ClusterMember& ClusterMembers::obtain(const redis::ClusterMaster& master) {
  for (const auto& member : members_) {
    if (member->is.at == master.at && member->is.name == master.name) return *member;
  }
  // Its certificate is of the name, where it has one; it is reached by what the cluster's nodes reach it by.
  RedisServer server;
  server.at = master.at;
  server.text = text_of(master.at);
  auto member = std::make_unique<ClusterMember>();
  member->is = master;
  member->node = std::make_unique<RedisNode>(
      owner_, conf_, std::make_unique<ServerLocator>(conf_, std::move(server), master.name));
  members_.push_back(std::move(member));
  return *members_.back();
}

RedisNode* ClusterMembers::of_slot(std::uint16_t slot) {
  if (slot == redis::kAnySlot) return next_up();
  const std::uint16_t master = map_->master_of(slot);
  return master == redis::SlotMap::kNobody ? nullptr : masters_[master];
}

RedisNode* ClusterMembers::at(const redis::NodeAddress& address) {
  for (const auto& member : members_) {
    if (member->is.is_at(address)) return member->node.get();
  }
  if (members_.size() >= masters_.size() + kMostStrangers) return nullptr;
  return obtain({address, {}}).node.get();
}

const ClusterMember* ClusterMembers::find(const RedisNode& node) const {
  for (const auto* list : {&members_, &left_}) {
    for (const auto& member : *list) {
      if (member->node.get() == &node) return member.get();
    }
  }
  return nullptr;
}

RedisNode* ClusterMembers::next_up() {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    RedisNode* node = members_[turn_++ % members_.size()]->node.get();
    if (node->is_up()) return node;
  }
  return nullptr;
}

bool ClusterMembers::all_serve() const {
  const auto serves = [](const RedisNode* node) { return node->is_up(); };
  return map_ && map_->is_complete() && std::all_of(masters_.begin(), masters_.end(), serves);
}

bool ClusterMembers::any_at(const RedisAddress& address) const {
  return std::any_of(members_.begin(), members_.end(), [&](const auto& member) {
    RedisAddress present;
    std::string name;
    return member->node->find_address(&present, &name) && present == address;
  });
}

void ClusterMembers::clear_away() {
  const auto is_idle = [](const auto& member) { return member->node->is_idle(); };
  left_.erase(std::remove_if(left_.begin(), left_.end(), is_idle), left_.end());
}

}  // namespace sallyport::ngx
