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
const SessionEnded kUnknown{digest_of(0x1f), 1'700'000'000'000, false};

TEST(RedisEventsTest, ComeBackAsTheyWere) {
  const auto event = decode_event(encode_event(kEnded, digest_of(7)), digest_of(7));
  ASSERT_TRUE(event);
  EXPECT_EQ(kEnded.session, event->session);
  EXPECT_EQ(kEnded.until, event->until);
  EXPECT_TRUE(event->is_known);
}

TEST(RedisEventsTest, OfWhatMayNeverHaveBeenAreOfAKindThatOlderNodesDoNotTake) {
  const std::string message = encode_event(kUnknown, digest_of(7));
  EXPECT_NE("1 end ", message.substr(0, 6));
  const auto event = decode_event(message, digest_of(7));
  ASSERT_TRUE(event);
  EXPECT_EQ(kUnknown.session, event->session);
  EXPECT_EQ(kUnknown.until, event->until);
  EXPECT_FALSE(event->is_known);
}

TEST(RedisEventsTest, OfAnotherSecretAreNone) {
  EXPECT_FALSE(decode_event(encode_event(kEnded, digest_of(7)), digest_of(8)));
}

TEST(RedisEventsTest, AnyChangedByteSpoilsThem) {
  for (const SessionEnded& ended : {kEnded, kUnknown}) {
    const std::string message = encode_event(ended, digest_of(7));
    for (std::size_t i = 0; i < message.size(); ++i) {
      std::string changed = message;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      EXPECT_FALSE(decode_event(changed, digest_of(7))) << i;
      EXPECT_FALSE(decode_event(message.substr(0, i), digest_of(7))) << i;
    }
    EXPECT_FALSE(decode_event(message + "0", digest_of(7)));
  }
  EXPECT_FALSE(decode_event(std::string(300, 'x'), digest_of(7)));
}

}  // namespace
}  // namespace sallyport::redis
