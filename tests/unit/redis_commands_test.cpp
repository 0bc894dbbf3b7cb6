#include "redis/commands.h"

#include <gtest/gtest.h>

#include "redis/topology.h"

namespace sallyport::redis {
namespace {

using namespace std::string_view_literals;

Digest digest_of(std::uint8_t byte) {
  Digest digest;
  digest.fill(byte);
  return digest;
}

TEST(RedisCommandsTest, KeysAreThoseOfTheDesign) {
  const Keys keys("sso:");
  const std::string hex = "abababababababababababababababababababababababababababababababab";
  EXPECT_EQ("sso:sess:" + hex, keys.session(digest_of(0xab)));
  EXPECT_EQ("sso:seen:" + hex, keys.answer(digest_of(0xab)));
  EXPECT_EQ("sso:idx:" + hex, keys.idp_session(digest_of(0xab)));
  EXPECT_EQ("sso:who:" + hex, keys.user_sessions(digest_of(0xab)));
  EXPECT_EQ("sso:profile:" + hex, keys.user_memory(digest_of(0xab)));
  EXPECT_EQ("sso:user:ada@example.com", keys.user("ada@example.com"));
  EXPECT_EQ("sso:events", keys.channel());
}

TEST(RedisCommandsTest, AreArraysOfBulkStrings) {
  EXPECT_EQ("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", get("k").bytes);
  EXPECT_EQ("*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nPX\r\n$2\r\n70\r\n", set("k", "v", 70).bytes);
  EXPECT_EQ("*6\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nPX\r\n$1\r\n7\r\n$2\r\nNX\r\n", set_if_absent("k", "v", 7).bytes);
  EXPECT_EQ("*6\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nPX\r\n$1\r\n7\r\n$2\r\nXX\r\n", set_if_present("k", "v", 7).bytes);
  EXPECT_EQ("*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n", authenticate("u", "p").bytes);
  EXPECT_EQ("*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n", authenticate("", "p").bytes);
  EXPECT_EQ("*1\r\n$4\r\nPING\r\n", ping().bytes);
}

TEST(RedisCommandsTest, AnyBytesAreData) {
  const auto hostile = "k\r\n*1\r\n$8\r\nFLUSHALL\r\n\0x"sv;
  const std::string length = std::to_string(hostile.size());
  EXPECT_EQ("*2\r\n$3\r\nGET\r\n$" + length + "\r\n" + std::string(hostile) + "\r\n", get(hostile).bytes);
  EXPECT_EQ("*2\r\n$3\r\nGET\r\n$0\r\n\r\n", get("").bytes);
}

TEST(RedisCommandsTest, ATimeToLiveIsNeverLessThanAMillisecond) {
  for (const Millis ttl : {Millis{1}, Millis{0}, Millis{-5}}) EXPECT_EQ(set("k", "v", 1).bytes, set("k", "v", ttl).bytes);
}

TEST(RedisCommandsTest, AnIndexAlwaysExpires) {
  const auto commands = add_to_index("i", digest_of(1), 5000, 2000);
  ASSERT_EQ(4u, commands.size());
  EXPECT_NE(std::string::npos, commands[0].bytes.find("ZREMRANGEBYSCORE\r\n$1\r\ni\r\n$4\r\n-inf\r\n$4\r\n2000"));
  EXPECT_NE(std::string::npos, commands[1].bytes.find("ZADD\r\n$1\r\ni\r\n$4\r\n5000\r\n$32\r\n"));
  EXPECT_NE(std::string::npos, commands[2].bytes.find("PEXPIRE\r\n$1\r\ni\r\n$4\r\n3000\r\n$2\r\nNX"));
  EXPECT_NE(std::string::npos, commands[3].bytes.find("PEXPIRE\r\n$1\r\ni\r\n$4\r\n3000\r\n$2\r\nGT"));
}

TEST(RedisCommandsTest, KnowTheSlotOfTheirKey) {
  EXPECT_EQ(key_slot("k"), get("k").slot);
  EXPECT_EQ(key_slot("k"), set("k", "v", 1).slot);
  EXPECT_EQ(key_slot("i"), add_to_index("i", digest_of(1), 2, 1)[3].slot);
  EXPECT_EQ(kAnySlot, publish("c", "m").slot);
  EXPECT_EQ(kAnySlot, ping().slot);
}

}  // namespace
}  // namespace sallyport::redis
