// What one worker process owns: randomness, keys derived from secrets, connections, counters.
#pragma once

#include "ngx.h"

#include <map>
#include <memory>

#include "base/random.h"
#include "conf.h"
#include "late_answers.h"
#include "metadata_refresh.h"
#include "redis_store.h"
#include "session/cookie.h"
#include "session/handover.h"
#include "session/index_keys.h"
#include "session/login_state.h"
#include "session/sealed_record.h"
#include "session/user_memory.h"
#include "upgrade_watch.h"

namespace sallyport::ngx {

// Everything that is sealed or keyed under one secret. A login under way counts where its answer will be remembered: in the zone
// whose secret is given, or (null) wherever the secret is known.
struct SecretUsers {
  SecretUsers(const Secret& secret, const Digest* zone);

  session::LoginStateCodec login_states;
  session::HandoverCodec handovers;
  session::UserMemoryCodec user_memories;
  session::SessionSealer sessions;
  session::IndexKeys indexes;
};

class Worker {
 public:
  Worker(const MainConf& conf, SessionZone& zone);

  SystemRandom& random() { return random_; }
  // Of the server's secret.
  SecretUsers& secrets(const SrvConf& server) { return *secrets_.at(server.secret.get()); }
  // Null where the zone is the store.
  RedisStore* store() { return store_.get(); }
  session::RecentKeys& recent_keys() { return recent_keys_; }
  LateAnswers& late_answers() { return late_answers_; }

  // Whether one more refusal may be logged in this second; `suppressed` gets how many were not in
  // the seconds before.
  bool may_log_refusal(time_t second, unsigned* suppressed);

  // While nginx of before an upgrade serves beside this one.
  void watch_upgrade(const ngx_cycle_t& cycle, SessionZone& zone);

  // Metadata by URL and saml_idp_directory, where there are such.
  void refresh_metadata(MainConf& conf, bool fetches);

 private:
  std::unique_ptr<MetadataRefresh> metadata_;
  SystemRandom random_;
  std::map<const Secret*, std::unique_ptr<SecretUsers>> secrets_;  // null: the zone's own
  session::RecentKeys recent_keys_;
  LateAnswers late_answers_;
  std::unique_ptr<UpgradeWatch> upgrade_;
  time_t second_ = 0;
  unsigned logged_ = 0;
  unsigned suppressed_ = 0;
  std::unique_ptr<RedisStore> store_;
};

// This process's, from init_process to exit_process; null in the master and while auth_saml is on nowhere.
Worker* worker();

ngx_int_t start_worker(ngx_cycle_t* cycle);
void stop_worker(ngx_cycle_t* cycle);

}  // namespace sallyport::ngx
