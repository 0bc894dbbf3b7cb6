#include "redis/topology.h"

#include <gtest/gtest.h>

namespace sallyport::redis {
namespace {

TEST(RedisTopologyTest, SlotsAreThoseOfRedis) {
  // As CLUSTER KEYSLOT says.
  EXPECT_EQ(12739, key_slot("123456789"));
  EXPECT_EQ(12182, key_slot("foo"));
  EXPECT_EQ(5061, key_slot("bar"));
  EXPECT_EQ(0, key_slot(""));
  EXPECT_EQ(key_slot("user1000"), key_slot("{user1000}.following"));
  EXPECT_EQ(key_slot("bar"), key_slot("foo{bar}{zap}"));
  EXPECT_EQ(key_slot("{bar"), key_slot("foo{{bar}}zap"));
  EXPECT_EQ(8363, key_slot("foo{}{bar}"));
}

TEST(RedisTopologyTest, ErrorsAreToldByTheirFirstWord) {
  EXPECT_EQ(ErrorKind::kMoved, error_kind("MOVED 1 a:1"));
  EXPECT_EQ(ErrorKind::kLoading, error_kind("LOADING Redis is loading the dataset in memory"));
  EXPECT_EQ(ErrorKind::kNoAuth, error_kind("WRONGPASS invalid username-password pair or user is disabled."));
  EXPECT_EQ(ErrorKind::kOutOfMemory, error_kind("OOM command not allowed when used memory > 'maxmemory'."));
  EXPECT_EQ(ErrorKind::kOther, error_kind("ERR unknown command"));
  EXPECT_EQ(ErrorKind::kOther, error_kind("MOVEDX 1 a:1"));
  EXPECT_EQ(ErrorKind::kOther, error_kind(""));
}

TEST(RedisTopologyTest, Redirects) {
  const auto moved = parse_redirect("MOVED 3999 127.0.0.1:6381");
  ASSERT_TRUE(moved);
  EXPECT_EQ(3999, moved->slot);
  EXPECT_EQ((NodeAddress{"127.0.0.1", 6381}), moved->to);
  EXPECT_EQ((NodeAddress{"2001:db8::1", 6381}), parse_redirect("ASK 0 2001:db8::1:6381")->to);
  EXPECT_EQ((NodeAddress{"", 6381}), parse_redirect("MOVED 16383 :6381")->to);
  for (const char* text : {"MOVED 16384 a:1", "MOVED x a:1", "MOVED 1 a", "MOVED 1 a:0", "MOVED 1 a:65536", "MOVED 1 a:1 x",
                           "MOVED -1 a:1", "MOVED 1", "MOVED", "moved 1 a:1", ""}) {
    EXPECT_FALSE(parse_redirect(text)) << text;
  }
}

constexpr char kNodes[] =
    "07c37df 127.0.0.1:30004@31004,host4 slave e7d1eec 0 1426238317239 4 connected\n"
    "67ed2db 127.0.0.1:30002@31002,host2,shard-id=69bc master - 0 1426238316232 2 connected 5461-10922\n"
    "292f8b3 127.0.0.1:30003@31003 master,fail - 0 1426238318243 3 connected 10923-16382 16383 [93-<-292f8b3]\n"
    "e7d1eec :30001@31001 myself,master - 0 0 1 connected 0-5460 [77->-292f8b3]\n"
    "aaaaaaa :0@0 master,noaddr - 0 0 1 disconnected\n";

TEST(RedisTopologyTest, TheMapOfAClusterNamesMastersAndSlots) {
  const auto map = SlotMap::parse(kNodes);
  ASSERT_TRUE(map);
  ASSERT_EQ(3u, map->masters().size());
  EXPECT_TRUE(map->is_complete());
  const auto master_of = [&](std::uint16_t slot) { return map->masters()[map->master_of(slot)]; };
  EXPECT_EQ((NodeAddress{"", 30001}), master_of(0).at);
  const auto of_somebody = SlotMap::parse(kNodes, "192.0.2.1");
  EXPECT_EQ((NodeAddress{"192.0.2.1", 30001}), of_somebody->masters()[of_somebody->master_of(0)].at);
  EXPECT_EQ((NodeAddress{"127.0.0.1", 30002}), of_somebody->masters()[of_somebody->master_of(5461)].at);
  EXPECT_EQ((NodeAddress{"", 30001}), master_of(5460).at);
  EXPECT_EQ((NodeAddress{"127.0.0.1", 30002}), master_of(5461).at);
  EXPECT_EQ((NodeAddress{"127.0.0.1", 30003}), master_of(16383).at);
}

TEST(RedisTopologyTest, AMasterIsFoundByItsNameToo) {
  const ClusterMaster named = SlotMap::parse(kNodes)->masters()[0];
  EXPECT_EQ("host2", named.name);
  EXPECT_TRUE(named.is_at({"host2", 30002}));
  EXPECT_TRUE(named.is_at({"127.0.0.1", 30002}));
  EXPECT_FALSE(named.is_at({"host2", 30003}));
  const ClusterMaster nameless = SlotMap::parse(kNodes)->masters()[1];
  EXPECT_EQ("", nameless.name);
  EXPECT_FALSE(nameless.is_at({"", 30003}));
}

TEST(RedisTopologyTest, AMapWithGapsSaysSo) {
  const auto map = SlotMap::parse("a 127.0.0.1:1@2 master - 0 0 1 connected 0-100\n");
  ASSERT_TRUE(map);
  EXPECT_FALSE(map->is_complete());
  EXPECT_EQ(SlotMap::kNobody, map->master_of(101));
}

TEST(RedisTopologyTest, NonsenseIsNoMap) {
  for (const char* text : {"", "x", "a b", "a 127.0.0.1:1@2 master - 0 0 1 connected 5-1\n",
                           "a 127.0.0.1:1@2 master - 0 0 1 connected 16384\n", "a 127.0.0.1@2 master - 0 0 1 connected 1\n",
                           "a 127.0.0.1:1@2 slave b 0 0 1 connected\n"}) {
    EXPECT_FALSE(SlotMap::parse(text)) << text;
  }
}

TEST(RedisTopologyTest, AMasterSaysSo) {
  EXPECT_TRUE(is_master("# Replication\r\nrole:master\r\nconnected_slaves:0\r\n"));
  EXPECT_FALSE(is_master("# Replication\r\nrole:slave\r\nmaster_host:role:master\r\n"));
  EXPECT_FALSE(is_master(""));
}

}  // namespace
}  // namespace sallyport::redis
