// What Redis knows of a user beside sessions: the operator's list, and what earlier logins left.
#pragma once

#include "ngx.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "login/trust.h"
#include "policy/users.h"
#include "redis/commands.h"
#include "redis_exchange.h"
#include "session/user_memory.h"

namespace sallyport::ngx {

// One user's question. It may end while it waits.
class RedisUserQuestion {
 public:
  struct Wanted {
    std::string user;   // not encoded
    std::string email;  // not encoded; may be empty
    bool list = false;                       // the hashes of `users redis`
    std::vector<session::Key> memory_keys;   // where a memory may be, the present key first; none: not asked for
  };
  using Handler = void (*)(void* owner);

  RedisUserQuestion(const redis::Keys& keys, Handler handler, void* owner);

  // False: Redis cannot be asked now, and the handler is not called.
  bool ask(RedisClient& client, Wanted wanted);

  // Afterwards. Why Redis did not tell, or empty.
  const std::string& problem() const { return problem_; }
  // Whether Redis was there, but did not answer what it was asked (no permission, say).
  bool was_refused() const { return was_refused_; }
  // Null where it was not asked for, or on a problem.
  const std::shared_ptr<const policy::UserList>& list() const { return list_; }
  // The first memory that is there, still sealed; `key` gets its key.
  std::optional<std::string> sealed_memory(session::Key* key) const;

 private:
  static void on_replies(void* owner, std::vector<redis::OwnedReply> replies);
  void take(std::vector<redis::OwnedReply> replies);
  void take_list();
  void fail(const redis::Reply* reply);

  const redis::Keys& keys_;
  Handler handler_;
  void* owner_;
  Wanted wanted_;
  std::vector<std::string> listed_keys_;
  std::vector<redis::OwnedReply> replies_;  // of the memories, then of the hashes
  std::string problem_;
  bool was_refused_ = false;
  std::shared_ptr<const policy::UserList> list_;
  RedisExchange exchange_;
};

}  // namespace sallyport::ngx
