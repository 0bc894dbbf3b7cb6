// Users in Redis as requests with a session ask for them: one question at a time for each user, and for cache_time what came of
// the last one.
#pragma once

#include "ngx.h"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/instant.h"
#include "policy/profile.h"
#include "redis/commands.h"
#include "redis_user_question.h"

namespace sallyport::ngx {

struct SecretUsers;

// What was asked for of a user (RedisUserQuestion).
struct UserFacts {
  enum class Kind { kKnown, kUnavailable, kRefused };
  Kind kind = Kind::kUnavailable;
  std::shared_ptr<const policy::UserList> list;  // where the policy's list is in Redis
  std::optional<policy::Profile> first;          // where the policy keeps it
  Millis asked_at = 0;
};

// Somebody who waits for a user's facts. It may end while it waits.
class UserWaiter {
 public:
  using Handler = void (*)(void* owner, const std::shared_ptr<const UserFacts>& facts);

  UserWaiter(Handler handler, void* owner) : handler_(handler), owner_(owner) {}
  ~UserWaiter() {
    if (!is_waiting_) return;
    ngx_queue_remove(&link_);
  }
  UserWaiter(const UserWaiter&) = delete;
  UserWaiter& operator=(const UserWaiter&) = delete;

 private:
  friend class RedisUsers;

  ngx_queue_t link_{};
  bool is_waiting_ = false;
  Handler handler_;
  void* owner_;
};

class RedisUsers {
 public:
  RedisUsers(RedisClient& client, const redis::Keys& keys);
  ~RedisUsers();
  RedisUsers(const RedisUsers&) = delete;
  RedisUsers& operator=(const RedisUsers&) = delete;

  // What was asked within cache_time; null: nothing.
  std::shared_ptr<const UserFacts> find(const login::Trust& trust, std::string_view user, std::string_view email);
  // The answer comes later, never before this returns. False: Redis cannot be asked now, and no answer comes.
  bool ask(const login::Trust& trust, SecretUsers& secrets, std::string_view user, std::string_view email,
           UserWaiter& waiter);
  // Of a user whose facts could not be had just now: whether that has been so for less than `grace`.
  bool is_in_grace(const login::Trust& trust, std::string_view user, std::string_view email);

 private:
  struct Ask;
  static void on_answer(void* owner);
  void answer(Ask& ask);
  std::shared_ptr<const UserFacts> facts_of(Ask& ask);
  void forget_unknown(Millis time);
  void note_refusal(const std::string& problem);
  void keep(const std::string& name, std::shared_ptr<const UserFacts> facts);

  RedisClient& client_;
  const redis::Keys& keys_;
  std::unordered_map<std::string, std::unique_ptr<Ask>> asks_;
  std::unordered_map<std::string, std::shared_ptr<const UserFacts>> known_;
  // By a hash: whose question was not answered last, and since when.
  std::unordered_map<std::string, Millis> unknown_since_;
  Millis unknown_swept_ = 0;
  Millis refusal_logged_ = 0;
};

// What a policy wants to know of a user.
RedisUserQuestion::Wanted wanted_of(const login::Trust& trust, SecretUsers& secrets, std::string_view user,
                                    std::string_view email);

}  // namespace sallyport::ngx
