#include "redis/events.h"

#include <gtest/gtest.h>

namespace sallyport::redis {
namespace {

Digest digest_of(std::uint8_t byte) {
  Digest digest;
  digest.fill(byte);
  return digest;
}

const SessionEnded kEnded{digest_of(0x1f), 1'700'000'000'000};

TEST(RedisEventsTest, ComeBackAsTheyWere) {
  const auto event = decode_event(encode_event(kEnded, digest_of(7)), digest_of(7));
  ASSERT_TRUE(event);
  EXPECT_EQ(kEnded.session, event->session);
  EXPECT_EQ(kEnded.until, event->until);
}

TEST(RedisEventsTest, OfAnotherSecretAreNone) {
  EXPECT_FALSE(decode_event(encode_event(kEnded, digest_of(7)), digest_of(8)));
}

TEST(RedisEventsTest, AnyChangedByteSpoilsThem) {
  const std::string message = encode_event(kEnded, digest_of(7));
  for (std::size_t i = 0; i < message.size(); ++i) {
    std::string changed = message;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(decode_event(changed, digest_of(7))) << i;
    EXPECT_FALSE(decode_event(message.substr(0, i), digest_of(7))) << i;
  }
  EXPECT_FALSE(decode_event(message + "0", digest_of(7)));
  EXPECT_FALSE(decode_event(std::string(300, 'x'), digest_of(7)));
}

}  // namespace
}  // namespace sallyport::redis
