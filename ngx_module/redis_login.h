// One login's way into Redis: what is remembered of the user, then the claim, the session and its indexes, each confirmed.
#pragma once

#include "ngx.h"

#include <optional>
#include <string>
#include <vector>

#include "login/resolve_login.h"
#include "login/trust.h"
#include "redis/login_writes.h"
#include "redis_exchange.h"
#include "redis_store.h"
#include "redis_user_question.h"
#include "session/cookie.h"
#include "session/user_memory.h"
#include "worker.h"

namespace sallyport::ngx {

// Lives in the request's pool. If it ends while it writes, what was written is taken back.
class RedisLogin {
 public:
  // Called after each step.
  using Then = void (*)(void* owner);

  RedisLogin(RedisStore& store, SecretUsers& secrets, Then then, void* owner);
  ~RedisLogin();
  RedisLogin(const RedisLogin&) = delete;
  RedisLogin& operator=(const RedisLogin&) = delete;

  // Asks what is remembered of the user, and what the list of users says where it is in Redis. False: Redis cannot be asked, and
  // `then` is not called.
  bool recall(const login::Trust& trust, const policy::Account& account);
  // Why Redis did not tell; empty: it did.
  const std::string& recall_problem() const { return question_->problem(); }
  const session::UserMemory* previous() const { return previous_ ? &*previous_ : nullptr; }
  const policy::UserList* listed() const { return question_->list().get(); }

  struct What {
    const SrvConf* server;
    const login::Trust* trust;
    const login::FinishedLogin* finished;
    std::string_view request_id;
    const session::SessionId* id;
  };
  // Claims the answer and writes the session. False as above, or it could not be sealed.
  bool write(const What& what);
  redis::LoginWrites::Outcome outcome() const { return writes_->outcome(); }
  const std::string& problem() const { return writes_->problem(); }
  // The browser may have its session: closes the claim, and puts the session into the zone.
  void keep(SessionZone& zone, const What& what);

 private:
  static void on_recalled(void* owner);
  static void on_written(void* owner, std::vector<redis::OwnedReply> replies);
  void go_on(const std::vector<redis::OwnedReply>& replies);
  std::optional<redis::LoginWrites::Login> writes_of(const What& what);
  void take_back();
  Millis elapsed() const;

  RedisStore& store_;
  SecretUsers& secrets_;
  Then then_;
  void* owner_;
  session::Key memory_key_{};
  std::optional<RedisUserQuestion> question_;
  std::optional<session::UserMemory> previous_;
  session::SessionKey session_{};
  Millis ends_ = 0;
  session::SealId seal_id_{};
  std::optional<redis::LoginWrites> writes_;
  bool is_kept_ = false;
  ngx_msec_t started_ = 0;
  Millis started_at_ = 0;
  std::optional<RedisExchange> exchange_;
};

}  // namespace sallyport::ngx
