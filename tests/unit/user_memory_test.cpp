#include "session/user_memory.h"

#include <gtest/gtest.h>

#include "fixed_random.h"
#include "redis/reply_gate.h"
#include "session/record.h"

namespace sallyport::session {
namespace {

Digest secret(std::uint8_t byte) {
  Digest digest{};
  digest.fill(byte);
  return digest;
}

const Digest kOkta = session_binding("https://sp", "okta", "https://idp");
const Digest kEntra = session_binding("https://sp", "entra", "https://idp");

UserMemory full() {
  UserMemory memory;
  memory.last_login = 1795296660000;
  memory.groups = "Engineering,Platform";
  memory.spaces = "Trial=Space Member";
  memory.profile = policy::Profile{"Ada", "L", "Ada L", "Europe/Paris", "Admin", {{"Trial", "Admin"}, {"X", ""}}};
  memory.attributes = {attribute_tag("groups"), attribute_tag("mail")};
  return memory;
}

TEST(UserMemoryTest, ComesBack) {
  UserMemoryCodec codec(secret(1));
  SystemRandom random;
  const Key key = codec.key_of(kOkta, "ada");
  const auto sealed = codec.seal(full(), key, random);
  ASSERT_TRUE(sealed);
  const auto memory = codec.open(*sealed, key);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->last_login, 1795296660000);
  EXPECT_EQ(memory->groups, "Engineering,Platform");
  EXPECT_EQ(memory->spaces, "Trial=Space Member");
  ASSERT_TRUE(memory->profile);
  EXPECT_EQ(memory->profile->first_name, "Ada");
  EXPECT_EQ(memory->profile->last_name, "L");
  EXPECT_EQ(memory->profile->display_name, "Ada L");
  EXPECT_EQ(memory->profile->timezone, "Europe/Paris");
  EXPECT_EQ(memory->profile->account_role, "Admin");
  ASSERT_EQ(memory->profile->spaces.size(), 2u);
  EXPECT_EQ(memory->profile->spaces[1].space, "X");
  EXPECT_EQ(memory->profile->spaces[1].role, "");
  EXPECT_EQ(memory->attributes, full().attributes);
}

TEST(UserMemoryTest, WhatIsTooLargeGoes) {
  UserMemoryCodec codec(secret(1));
  SystemRandom random;
  const Key key = codec.key_of(kOkta, "ada");
  UserMemory large = full();
  large.spaces = std::string(kMaxUserMemory, 's');
  auto sealed = codec.seal(large, key, random);
  ASSERT_TRUE(sealed);
  EXPECT_LE(sealed->size(), redis::ReplyGate::kMostText);
  auto memory = codec.open(*sealed, key);
  ASSERT_TRUE(memory && memory->profile);
  EXPECT_EQ(memory->groups + memory->spaces, "");
  EXPECT_EQ(memory->profile->first_name, "Ada");

  large.profile->spaces[0].role = std::string(kMaxUserMemory, 'r');
  sealed = codec.seal(large, key, random);
  ASSERT_TRUE(sealed);
  EXPECT_LE(sealed->size(), redis::ReplyGate::kMostText);
  memory = codec.open(*sealed, key);
  ASSERT_TRUE(memory);
  EXPECT_FALSE(memory->profile);
  EXPECT_EQ(memory->last_login, large.last_login);
}

TEST(UserMemoryTest, WithoutAProfile) {
  UserMemoryCodec codec(secret(1));
  SystemRandom random;
  const Key key = codec.key_of(kOkta, "ada");
  const auto memory = codec.open(*codec.seal(UserMemory(), key, random), key);
  ASSERT_TRUE(memory);
  EXPECT_FALSE(memory->profile);
  EXPECT_TRUE(memory->attributes.empty());
}

// Of the store's keys nobody learns a user, and no two users share one.
TEST(UserMemoryTest, KeysDependOnTheSecretTheIdpAndTheUser) {
  const UserMemoryCodec codec(secret(1));
  EXPECT_EQ(codec.key_of(kOkta, "ada"), codec.key_of(kOkta, "ada"));
  EXPECT_NE(codec.key_of(kOkta, "ada"), codec.key_of(kEntra, "ada"));
  EXPECT_NE(codec.key_of(kOkta, "ada"),
            codec.key_of(session_binding("https://other", "okta", "https://idp"), "ada"));
  EXPECT_NE(codec.key_of(kOkta, "ada"), codec.key_of(kOkta, "Ada"));
  EXPECT_NE(codec.key_of(kOkta, "ada"), UserMemoryCodec(secret(2)).key_of(kOkta, "ada"));
}

TEST(UserMemoryTest, NothingForeignOrChangedOpens) {
  UserMemoryCodec codec(secret(1));
  UserMemoryCodec other(secret(2));
  SystemRandom random;
  const Key key = codec.key_of(kOkta, "ada");
  const std::string sealed = *codec.seal(full(), key, random);
  EXPECT_FALSE(codec.open(sealed, codec.key_of(kOkta, "eve")));
  EXPECT_FALSE(other.open(sealed, key));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(codec.open(changed, key)) << i;
    EXPECT_FALSE(codec.open(sealed.substr(0, i), key)) << i;
  }
  EXPECT_EQ(sealed.find("Engineering"), std::string::npos);
}

TEST(UserMemoryTest, ManyAttributesAreCut) {
  UserMemoryCodec codec(secret(1));
  SystemRandom random;
  UserMemory memory;
  memory.attributes.assign(5000, 7);
  const Key key = codec.key_of(kOkta, "ada");
  EXPECT_EQ(codec.open(*codec.seal(memory, key, random), key)->attributes.size(), 64u);
}

}  // namespace
}  // namespace sallyport::session
