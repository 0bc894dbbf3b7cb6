// The shared memory zone: the table of sessions and the secret of this nginx.
#pragma once

#include "ngx.h"

#include <optional>

#include "base/digest.h"
#include "bridge.h"
#include "conf.h"
#include "session/pending_ends.h"
#include "session/session_table.h"

namespace sallyport::ngx {

// nginx's zone mutex; the master unlocks it when a worker dies holding it.
class ZoneMutex final : public session::Mutex {
 public:
  explicit ZoneMutex(ngx_slab_pool_t* pool) : pool_(pool) {}
  void lock() noexcept override { ngx_shmtx_lock(&pool_->mutex); }
  void unlock() noexcept override { ngx_shmtx_unlock(&pool_->mutex); }

 private:
  ngx_slab_pool_t* pool_;
};

// What all workers know of a store behind the zone.
struct SharedStoreState {
  ngx_atomic_t gone_since;  // milliseconds since the epoch; 0: it is there
  ngx_atomic_t voided_at;   // what was confirmed until then is to be confirmed again
};

// One cycle's view of the zone; what ngx_shm_zone_t::data points at.
class SessionZone {
 public:
  // Called by nginx in the master, at start and at each reload.
  ngx_int_t open(ngx_shm_zone_t* zone, bool exists);

  session::SessionTable& table() { return *table_; }
  // Random bytes made at the first start; the same in all workers and across reloads.
  const Digest& secret() const { return secret_; }
  // This cycle's configuration: higher than that of every one loaded before, and at least node_seconds().
  std::uint32_t generation() const { return generation_; }
  // That of the configuration loaded last, by whichever process: higher than generation() in workers that drain.
  std::uint32_t newest_generation() const { return __atomic_load_n(newest_generation_, __ATOMIC_RELAXED); }
  SharedStoreState& store_state() { return *store_state_; }
  session::PendingEnds& pending_ends() { return *pending_ends_; }
  // Answers issued from then on are remembered here when they are used; earlier ones may have been used with another zone.
  // `skew`: between us and who issues them.
  Millis remembers_since(Millis skew) const;
  // Another zone of the same nginx remembered answers until now.
  void follow_another() { *followed_until_ = static_cast<ngx_atomic_uint_t>(now()); }
  // Logs what a change of the table brought with it: sessions that had to go, and what a crashed worker made
  // necessary, if anything.
  void log_changes(ngx_log_t* log, std::size_t live_evicted = 0);
  // Whether there is a store behind the zone: its records are sealed copies' (zone_records.h), and what is evicted is not lost.
  bool is_cache() const { return is_cache_; }
  void be_cache() { is_cache_ = true; }

 private:
  std::optional<ZoneMutex> mutex_;
  std::optional<session::SessionTable> table_;
  Digest secret_{};
  std::uint32_t generation_ = 0;
  const std::uint32_t* newest_generation_ = nullptr;
  bool is_cache_ = false;
  SharedStoreState* store_state_ = nullptr;
  std::optional<session::PendingEnds> pending_ends_;
  Millis made_ = 0;
  ngx_atomic_t* followed_until_ = nullptr;
};

inline SessionZone* session_zone(const MainConf* conf) {
  return conf->zone == nullptr ? nullptr : static_cast<SessionZone*>(conf->zone->data);
}

}  // namespace sallyport::ngx
