#include "redis/login_writes.h"

#include <gtest/gtest.h>

#include <functional>

#include "fake_redis.h"

namespace sallyport::redis {
namespace {

using testing::FakeRedis;
using testing::reply_of;
using Outcome = LoginWrites::Outcome;

constexpr Millis kNow = 1'700'000'000'000;
constexpr Millis kLease = 2500;

Digest digest_of(std::uint8_t byte) {
  Digest digest;
  digest.fill(byte);
  return digest;
}

LoginWrites::Login login_of(std::uint8_t session, std::uint8_t attempt = 1, Millis now = kNow) {
  LoginWrites::Login login;
  login.answer = digest_of(100);
  login.attempt = digest_of(attempt);
  login.replay_until = kNow + 300'000;
  login.now = now;
  login.lease = kLease;
  login.session = digest_of(session);
  login.record = "sealed record";
  login.ttl = kHour;
  login.ends = now + 8 * kHour;
  login.user_index = digest_of(50);
  login.idp_session_indexes = {digest_of(51), digest_of(52)};
  login.memory_key = digest_of(60);
  login.memory = "sealed memory";
  login.memory_ttl = 400 * 24 * kHour;
  return login;
}

class LoginWritesTest : public ::testing::Test {
 protected:
  LoginWritesTest() { redis_.now = kNow; }

  // Whether a command is carried out, and what is heard of it.
  enum class Fate { kAnswered, kAnswerLost, kLost, kOutOfMemory };
  using Choose = std::function<Fate(const std::vector<std::string>& words)>;

  Outcome run(LoginWrites& writes, const Choose& choose = {}, Millis elapsed = 0) {
    for (std::vector<Command> commands = writes.start(); !commands.empty();) {
      std::vector<OwnedReply> replies;
      for (const Command& command : commands) replies.push_back(carry_out(command, choose));
      std::vector<Reply> views;
      for (const OwnedReply& reply : replies) views.emplace_back(reply.get());
      std::vector<const Reply*> answers;
      for (std::size_t i = 0; i < replies.size(); ++i) answers.push_back(replies[i] == nullptr ? nullptr : &views[i]);
      commands = writes.go_on(answers, elapsed);
    }
    return writes.outcome();
  }

  OwnedReply carry_out(const Command& command, const Choose& choose) {
    const Fate fate = choose ? choose(FakeRedis::words_of(command.bytes)) : Fate::kAnswered;
    if (fate == Fate::kOutOfMemory) return reply_of("-OOM command not allowed\r\n");
    const std::string answer = fate == Fate::kLost ? "" : redis_.run(command);
    return fate == Fate::kAnswered ? reply_of(answer) : nullptr;
  }

  void send(const std::vector<Command>& commands) {
    for (const Command& command : commands) redis_.run(command);
  }

  static Choose only(std::string part, Fate fate) {
    return [part = std::move(part), fate](const std::vector<std::string>& words) {
      return words.size() > 1 && words[1].find(part) != std::string::npos ? fate : Fate::kAnswered;
    };
  }

  bool has_session(std::uint8_t session) {
    redis_.drop_expired();
    return redis_.find(keys_.session(digest_of(session)));
  }

  Keys keys_{"sso:"};
  FakeRedis redis_;
};

TEST_F(LoginWritesTest, ALoginIsStored) {
  LoginWrites writes(keys_, login_of(1));
  EXPECT_EQ(Outcome::kStored, run(writes));
  EXPECT_TRUE(has_session(1));
  EXPECT_TRUE(redis_.find(keys_.answer(digest_of(100))));
  EXPECT_EQ("sealed memory", redis_.entries[keys_.user_memory(digest_of(60))].value);
  EXPECT_TRUE(writes.leftovers().empty());
}

TEST_F(LoginWritesTest, TheSameAnswerAgainIsAReplay) {
  LoginWrites first(keys_, login_of(1));
  run(first);
  redis_.now += 10 * kLease;
  LoginWrites not_closed_yet(keys_, login_of(2, 1, redis_.now));
  EXPECT_EQ(Outcome::kInProgress, run(not_closed_yet));
  send(first.closing());
  LoginWrites same_attempt(keys_, login_of(2));
  EXPECT_EQ(Outcome::kReplayed, run(same_attempt));
  LoginWrites another(keys_, login_of(3, 2));
  EXPECT_EQ(Outcome::kReplayed, run(another));
  EXPECT_TRUE(another.leftovers().empty());
}

TEST_F(LoginWritesTest, AClosedClaimStaysClosedAfterTheSession) {
  LoginWrites first(keys_, login_of(1));
  run(first);
  send(first.closing());
  redis_.run(remove(keys_.session(digest_of(1))));
  redis_.now += 10 * kLease;
  LoginWrites again(keys_, login_of(2, 1, redis_.now));
  EXPECT_EQ(Outcome::kReplayed, run(again));
}

TEST_F(LoginWritesTest, AFailureIsTakenBackAndTheAnswerGoesOnAtOnce) {
  for (const Fate fate : {Fate::kOutOfMemory, Fate::kLost, Fate::kAnswerLost}) {
    for (const char* part : {"sess:", "who:", "idx:", "profile:"}) {
      redis_.entries.clear();
      LoginWrites failed(keys_, login_of(1));
      EXPECT_EQ(Outcome::kUnavailable, run(failed, only(part, fate))) << part;
      send(failed.leftovers());
      EXPECT_FALSE(has_session(1)) << part;
      LoginWrites again(keys_, login_of(2));
      EXPECT_EQ(Outcome::kStored, run(again)) << part;
      send(again.closing());
      LoginWrites once_more(keys_, login_of(3));
      EXPECT_EQ(Outcome::kReplayed, run(once_more)) << part;
    }
  }
}

TEST_F(LoginWritesTest, WhatCouldNotBeTakenBackGoesOnAfterTheLease) {
  LoginWrites failed(keys_, login_of(1));
  EXPECT_EQ(Outcome::kUnavailable, run(failed, only("sess:", Fate::kLost)));
  redis_.now += kLease - 1;
  LoginWrites early(keys_, login_of(2, 1, redis_.now));
  EXPECT_EQ(Outcome::kInProgress, run(early));
  LoginWrites another(keys_, login_of(3, 2, redis_.now));
  EXPECT_EQ(Outcome::kReplayed, run(another)) << "another attempt never goes on";
  redis_.now += 1;
  LoginWrites again(keys_, login_of(4, 1, redis_.now));
  EXPECT_EQ(Outcome::kStored, run(again));
}

TEST_F(LoginWritesTest, AClaimWhoseAnswerWasLostIsNotBurnt) {
  LoginWrites failed(keys_, login_of(1));
  EXPECT_EQ(Outcome::kUnavailable, run(failed, only("seen:", Fate::kAnswerLost)));
  EXPECT_TRUE(failed.leftovers().empty()) << "it may be somebody else's";
  redis_.now += kLease;
  LoginWrites again(keys_, login_of(2, 1, redis_.now));
  EXPECT_EQ(Outcome::kStored, run(again));
}

TEST_F(LoginWritesTest, WhoeverIsLateIsNotLetIn) {
  LoginWrites late(keys_, login_of(1));
  EXPECT_EQ(Outcome::kUnavailable, run(late, {}, kLease));
  EXPECT_EQ("the answers came too late", late.problem());
}

TEST_F(LoginWritesTest, OnlySoManyFailures) {
  for (std::uint8_t i = 0; i < 8; ++i) {
    LoginWrites failed(keys_, login_of(i, 1, redis_.now));
    const auto lose_session = [](const std::vector<std::string>& words) {
      return words[0] == "SET" && words[1].find("sess:") != std::string::npos ? Fate::kLost : Fate::kAnswered;
    };
    EXPECT_EQ(Outcome::kUnavailable, run(failed, lose_session));
    redis_.now += kLease;
  }
  LoginWrites last(keys_, login_of(20, 1, redis_.now));
  EXPECT_EQ(Outcome::kReplayed, run(last));
}

TEST_F(LoginWritesTest, AForgedClaimRefuses) {
  for (const std::string& value : {std::string(), std::string("done"), std::string(200, 'x'), std::string(73, '\0')}) {
    redis_.entries[keys_.answer(digest_of(100))] = {value, kNow + 300'000};
    LoginWrites writes(keys_, login_of(1));
    EXPECT_EQ(Outcome::kReplayed, run(writes));
  }
}

// Until a node whose clock is behind, by as much as this one's is ahead, takes the answer no more either.
TEST_F(LoginWritesTest, AClaimOutlivesTheAnswerAtEveryNode) {
  LoginWrites::Login login = login_of(1);
  login.skew = kMinute;
  LoginWrites writes(keys_, login);
  EXPECT_EQ(Outcome::kStored, run(writes));
  send(writes.closing());
  redis_.now = login.replay_until + 2 * kMinute - 1;
  redis_.drop_expired();
  LoginWrites again(keys_, login_of(2, 2));
  EXPECT_EQ(Outcome::kReplayed, run(again));
  redis_.now += 1;
  redis_.drop_expired();
  EXPECT_EQ(0u, redis_.entries.count(keys_.answer(digest_of(100))));
}

TEST_F(LoginWritesTest, EverythingExpires) {
  LoginWrites writes(keys_, login_of(1));
  run(writes);
  redis_.now += 400 * 24 * kHour;
  redis_.drop_expired();
  EXPECT_TRUE(redis_.entries.empty());
}

}  // namespace
}  // namespace sallyport::redis
