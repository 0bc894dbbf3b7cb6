#include "session/sealed_record.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "session/cached_record.h"
#include "session/cookie.h"

namespace sallyport::session {
namespace {

constexpr Millis kNow = 1'700'000'000'000;
constexpr Millis kEnds = kNow + 8 * kHour;
constexpr std::string_view kSp = "https://app.example.com/saml/metadata";

Digest secret_of(std::uint8_t byte) {
  Digest secret;
  secret.fill(byte);
  return secret;
}

class SealedRecordTest : public ::testing::Test {
 protected:
  std::string new_cookie() { return make_session_id(random_)->text; }
  std::string seal(std::string_view record = "a record") {
    return *sealer_.seal(record, cookie_, kSp, kEnds, random_);
  }

  SystemRandom random_;
  SessionSealer sealer_{Secret{secret_of(1)}};
  std::string cookie_ = new_cookie();
};

TEST_F(SealedRecordTest, OpensForItsCookie) {
  const auto opened = sealer_.open(seal(), cookie_, kSp, kNow);
  ASSERT_TRUE(opened);
  EXPECT_EQ("a record", opened->bytes);
  EXPECT_EQ(kEnds, opened->ends);
}

TEST_F(SealedRecordTest, OpensForNobodyElse) {
  const std::string sealed = seal();
  EXPECT_FALSE(sealer_.open(sealed, new_cookie(), kSp, kNow));
  EXPECT_FALSE(sealer_.open(sealed, cookie_, "https://other.example.com/saml/metadata", kNow));
  EXPECT_FALSE(sealer_.open(sealed, "no cookie", kSp, kNow));
  EXPECT_FALSE(SessionSealer(Secret{secret_of(2)}).open(sealed, cookie_, kSp, kNow));
}

TEST_F(SealedRecordTest, NeverOpensAfterItsEnd) {
  const std::string sealed = seal();
  EXPECT_TRUE(sealer_.open(sealed, cookie_, kSp, kEnds - 1));
  EXPECT_FALSE(sealer_.open(sealed, cookie_, kSp, kEnds));
}

TEST_F(SealedRecordTest, AnyChangeIsRefused) {
  const std::string sealed = seal();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 0x40);
    EXPECT_FALSE(sealer_.open(changed, cookie_, kSp, kNow)) << i;
    EXPECT_FALSE(sealer_.open(sealed.substr(0, i), cookie_, kSp, kNow)) << i;
  }
  EXPECT_FALSE(sealer_.open(sealed + "x", cookie_, kSp, kNow));
  EXPECT_FALSE(sealer_.open(std::string(100'000, '\1'), cookie_, kSp, kNow));
}

TEST_F(SealedRecordTest, WhoHasACookieOfHisChoiceAndTheStoreMakesNoSession) {
  // Sealed with everything but the secret.
  const std::string forged = *SessionSealer(Secret{Digest{}}).seal("a record", cookie_, kSp, kEnds, random_);
  EXPECT_FALSE(sealer_.open(forged, cookie_, kSp, kNow));
}

TEST_F(SealedRecordTest, HidesWhatIsInIt) {
  EXPECT_EQ(std::string::npos, seal("ada@example.com").find("ada"));
  EXPECT_NE(seal(), seal());
}

TEST_F(SealedRecordTest, OpensUnderThePreviousSecret) {
  const std::string sealed = seal();
  const SessionSealer rotated(Secret{secret_of(2), secret_of(1)});
  EXPECT_TRUE(rotated.open(sealed, cookie_, kSp, kNow));
  const auto anew = rotated.seal("a record", cookie_, kSp, kEnds, random_);
  EXPECT_TRUE(SessionSealer(Secret{secret_of(2)}).open(*anew, cookie_, kSp, kNow));
  EXPECT_FALSE(sealer_.open(*anew, cookie_, kSp, kNow));
}

TEST_F(SealedRecordTest, TheLargestRecordFits) {
  EXPECT_TRUE(sealer_.seal(std::string(kMaxRecordBytes, 'x'), cookie_, kSp, kEnds, random_));
  EXPECT_FALSE(sealer_.seal(std::string(SessionSealer::kMostSealed, 'x'), cookie_, kSp, kEnds, random_));
}

TEST_F(SealedRecordTest, TheIdTellsSealingsApart) {
  const std::string sealed = seal();
  EXPECT_EQ(*sealer_.id_of(sealed), *sealer_.id_of(sealed));
  EXPECT_NE(*sealer_.id_of(sealed), *sealer_.id_of(seal()));
  EXPECT_FALSE(sealer_.id_of("short"));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_NE(*sealer_.id_of(sealed), *sealer_.id_of(changed)) << i;
  }
}

// So that a copy in the zone does not outlive the secret that it was opened by.
TEST_F(SealedRecordTest, TheIdIsAnotherOneUnderOtherSecrets) {
  const std::string sealed = seal();
  const Secret rotated{secret_of(2), secret_of(1)};
  EXPECT_NE(*sealer_.id_of(sealed), *SessionSealer(Secret{secret_of(2)}).id_of(sealed));
  EXPECT_NE(*sealer_.id_of(sealed), *SessionSealer(rotated).id_of(sealed));
  EXPECT_EQ(*SessionSealer(rotated).id_of(sealed), *SessionSealer(rotated).id_of(sealed));
}

TEST_F(SealedRecordTest, ACachedRecordKeepsTheId) {
  const SealId id = *sealer_.id_of(seal());
  const std::string bytes = make_cached_record(id, "the record");
  const auto cached = CachedRecord::open(bytes);
  ASSERT_TRUE(cached);
  EXPECT_EQ(id, cached->seal_id);
  EXPECT_EQ("the record", cached->record);
  EXPECT_FALSE(CachedRecord::open(std::string_view(bytes).substr(0, 47)));
  EXPECT_EQ(bytes.size(), cached_with_front(bytes).front);
}

}  // namespace
}  // namespace sallyport::session
