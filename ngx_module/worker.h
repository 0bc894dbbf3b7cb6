// What one worker process owns: randomness, keys derived from the zone's secret, counters.
#pragma once

#include "ngx.h"

#include <memory>

#include "base/random.h"
#include "session/cookie.h"
#include "session/login_state.h"
#include "session/user_memory.h"

namespace sallyport::ngx {

class Worker {
 public:
  explicit Worker(const Digest& secret)
      : codec_(derive_key(as_view(secret), "login state")),
        user_memories_(derive_key(as_view(secret), "user memory")) {}

  SystemRandom& random() { return random_; }
  session::LoginStateCodec& codec() { return codec_; }
  session::UserMemoryCodec& user_memories() { return user_memories_; }
  session::RecentKeys& recent_keys() { return recent_keys_; }

  // Whether one more refusal may be logged in this second; `suppressed` gets how many were not in
  // the seconds before.
  bool may_log_refusal(time_t second, unsigned* suppressed);

 private:
  SystemRandom random_;
  session::LoginStateCodec codec_;
  session::UserMemoryCodec user_memories_;
  session::RecentKeys recent_keys_;
  time_t second_ = 0;
  unsigned logged_ = 0;
  unsigned suppressed_ = 0;
};

// This process's, from init_process to exit_process; null in the master and while auth_saml is on nowhere.
Worker* worker();

ngx_int_t start_worker(ngx_cycle_t* cycle);
void stop_worker(ngx_cycle_t* cycle);

}  // namespace sallyport::ngx
