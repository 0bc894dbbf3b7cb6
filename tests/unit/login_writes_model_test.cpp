// Many posts of one answer against a Redis that loses and delays what is sent to it and what it says: whatever
// happens, one post at most is let in.
#include <gtest/gtest.h>

#include <deque>
#include <memory>

#include "fake_redis.h"
#include "redis/login_writes.h"
#include "session_table_fixture.h"

namespace sallyport::redis {
namespace {

using session::testing::Dice;
using testing::FakeRedis;
using testing::reply_of;
using Outcome = LoginWrites::Outcome;

constexpr Millis kNow = 1'700'000'000'000;
constexpr Millis kTimeout = 500;
constexpr Millis kLease = 2500;

Digest digest_of(std::uint64_t number) {
  const session::Key key = session::testing::key_number(number);
  Digest digest;
  std::copy(key.begin(), key.end(), digest.begin());
  return digest;
}

// One post on one node.
struct Post {
  std::unique_ptr<LoginWrites> writes;
  Millis started = 0;
  Millis deadline = 0;
  std::vector<OwnedReply> replies;
  std::vector<bool> is_answered;
  unsigned round = 0;
  bool is_over = false;
  bool is_let_in = false;
  std::uint64_t attempt = 0;
};

// A command or an answer on its way.
struct Message {
  Millis at;
  std::size_t post;
  unsigned round;
  std::size_t index;
  bool is_answer;
  std::string bytes;
};

class World {
 public:
  World(std::uint64_t seed, bool is_reliable) : dice_(seed), is_reliable_(is_reliable) { redis_.now = kNow; }

  void post(std::uint64_t attempt) {
    posts_.push_back({});
    Post& post = posts_.back();
    post.attempt = attempt;
    post.started = redis_.now;
    LoginWrites::Login login;
    login.answer = digest_of(1);
    login.attempt = digest_of(1000 + attempt);
    login.replay_until = kNow + 3600'000;
    login.now = redis_.now;
    login.lease = kLease;
    login.session = digest_of(2000 + posts_.size());
    login.record = "record";
    login.ttl = kHour;
    login.ends = redis_.now + kHour;
    login.user_index = digest_of(3);
    login.idp_session_indexes = {digest_of(4)};
    login.memory_key = digest_of(5);
    login.memory = "memory";
    login.memory_ttl = kHour;
    post.writes = std::make_unique<LoginWrites>(keys_, login);
    send(posts_.size() - 1, post.writes->start());
  }

  void run(Millis until) {
    while (redis_.now < until) {
      redis_.now += 10;
      for (std::size_t i = 0; i < messages_.size();) {
        if (messages_[i].at > redis_.now) {
          ++i;
          continue;
        }
        const Message message = messages_[i];
        messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(i));
        deliver(message);
      }
      for (std::size_t i = 0; i < posts_.size(); ++i) look_at_clock(i);
    }
  }

  void be_reliable() { is_reliable_ = true; }
  // What a node does until Redis has heard of it.
  void take_sessions_back() {
    for (std::size_t i = 1; i <= posts_.size(); ++i) redis_.run(remove(keys_.session(digest_of(2000 + i))));
  }
  Millis now() const { return redis_.now; }
  std::size_t let_in() const {
    return static_cast<std::size_t>(std::count_if(posts_.begin(), posts_.end(), [](const Post& p) { return p.is_let_in; }));
  }
  const Post& last() const { return posts_.back(); }
  bool has_endless_key() const {
    return std::any_of(redis_.entries.begin(), redis_.entries.end(),
                       [&](const auto& entry) { return entry.second.ends > kNow + 10 * kHour; });
  }

 private:
  void send(std::size_t number, const std::vector<Command>& commands) {
    Post& post = posts_[number];
    ++post.round;
    post.replies.clear();
    post.replies.resize(commands.size());
    post.is_answered.assign(commands.size(), false);
    post.deadline = redis_.now + kTimeout;
    for (std::size_t i = 0; i < commands.size(); ++i) put(number, post.round, i, false, commands[i].bytes);
  }

  // Lost, late or in time.
  void put(std::size_t post, unsigned round, std::size_t index, bool is_answer, std::string bytes) {
    Millis delay = 10;
    if (!is_reliable_) {
      if (dice_.below(80) == 0) return;
      delay = dice_.below(25) == 0 ? static_cast<Millis>(dice_.below(6000)) : static_cast<Millis>(dice_.below(100));
    }
    messages_.push_back({redis_.now + delay, post, round, index, is_answer, std::move(bytes)});
  }

  void deliver(const Message& message) {
    if (!message.is_answer) {
      const std::string answer = redis_.run(Command{message.bytes, kAnySlot});
      return put(message.post, message.round, message.index, true, answer);
    }
    Post& post = posts_[message.post];
    if (post.is_over || post.round != message.round) return;
    post.replies[message.index] = reply_of(message.bytes);
    post.is_answered[message.index] = true;
    if (std::all_of(post.is_answered.begin(), post.is_answered.end(), [](bool done) { return done; })) {
      go_on(message.post);
    }
  }

  void look_at_clock(std::size_t number) {
    Post& post = posts_[number];
    if (post.is_over) return;
    if (!is_reliable_ && dice_.below(2000) == 0) {
      post.is_over = true;  // its node died
    } else if (redis_.now >= post.deadline) {
      go_on(number);
    }
  }

  void go_on(std::size_t number) {
    Post& post = posts_[number];
    std::vector<Reply> views;
    for (const OwnedReply& reply : post.replies) views.emplace_back(reply.get());
    std::vector<const Reply*> answers;
    for (std::size_t i = 0; i < views.size(); ++i) answers.push_back(post.replies[i] == nullptr ? nullptr : &views[i]);
    const std::vector<Command> next = post.writes->go_on(answers, redis_.now - post.started);
    if (!next.empty()) return send(number, next);
    post.is_over = true;
    post.is_let_in = post.writes->outcome() == Outcome::kStored;
    const auto unheard = post.is_let_in ? post.writes->closing() : post.writes->leftovers();
    for (std::size_t i = 0; i < unheard.size(); ++i) put(number, 0, i, false, unheard[i].bytes);
  }

  Keys keys_{"sso:"};
  FakeRedis redis_;
  Dice dice_;
  bool is_reliable_;
  std::deque<Post> posts_;
  std::vector<Message> messages_;
};

TEST(LoginWritesModelTest, OnePostAtMostIsLetIn) {
  std::size_t let_in = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    World world(seed, false);
    Dice dice(seed + 1'000'000);
    const std::size_t posts = 2 + dice.below(5);
    for (std::size_t i = 0; i < posts; ++i) {
      world.post(dice.below(5) == 0 ? 2 : 1);
      world.run(world.now() + static_cast<Millis>(dice.below(3000)));
    }
    world.run(world.now() + 15'000);
    ASSERT_LE(world.let_in(), 1u) << "seed " << seed;
    ASSERT_FALSE(world.has_endless_key());
    let_in += world.let_in();
  }
  EXPECT_GT(let_in, 1500u) << "the model lets too few in to tell anything";
}

TEST(LoginWritesModelTest, AnAnswerThatLetNobodyInIsNotBurnt) {
  std::size_t tried = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    World world(seed, false);
    world.post(1);
    world.run(world.now() + 10'000);
    if (world.let_in() > 0) continue;
    world.be_reliable();
    world.run(world.now() + 10'000);
    world.take_sessions_back();
    world.post(1);
    world.run(world.now() + 1000);
    ++tried;
    ASSERT_EQ(Outcome::kStored, world.last().writes->outcome()) << "seed " << seed;
    world.post(2);
    world.run(world.now() + 1000);
    ASSERT_LE(world.let_in(), 1u);
  }
  EXPECT_GT(tried, 300u);
}

}  // namespace
}  // namespace sallyport::redis
