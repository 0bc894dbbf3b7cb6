// The shared memory zone: the table of sessions and the secret of this nginx.
#pragma once

#include "ngx.h"

#include <optional>

#include "base/digest.h"
#include "conf.h"
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

// One cycle's view of the zone; what ngx_shm_zone_t::data points at.
class SessionZone {
 public:
  // Called by nginx in the master, at start and at each reload.
  ngx_int_t open(ngx_shm_zone_t* zone, bool exists);

  session::SessionTable& table() { return *table_; }
  // Random bytes made at the first start; the same in all workers and across reloads.
  const Digest& secret() const { return secret_; }
  // The number of this cycle's configuration: higher than that of every one loaded before.
  std::uint32_t generation() const { return generation_; }
  // Logs what a change of the table brought with it: sessions that had to go, and what a crashed worker made
  // necessary, if anything.
  void log_changes(ngx_log_t* log, std::size_t live_evicted = 0);

 private:
  std::optional<ZoneMutex> mutex_;
  std::optional<session::SessionTable> table_;
  Digest secret_{};
  std::uint32_t generation_ = 0;
};

inline SessionZone* session_zone(const MainConf* conf) {
  return conf->zone == nullptr ? nullptr : static_cast<SessionZone*>(conf->zone->data);
}

}  // namespace sallyport::ngx
