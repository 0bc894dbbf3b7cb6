#include "session_zone.h"

#include <algorithm>

#include "base/random.h"
#include "bridge.h"
#include "large_pages.h"
#include "node_seconds.h"
#include "redis_conf.h"

namespace sallyport::ngx {

namespace {

// At ngx_slab_pool_t::data; placed by the first start, found again by reloads.
struct ZoneHeader {
  std::uint64_t magic;
  std::uint8_t secret[32];
  std::uint32_t generation;  // of the configuration loaded last, at least node_seconds(); the master alone writes it
  Millis made;
  ngx_atomic_t followed_until;  // milliseconds since the epoch; 0: no other zone is known of
  SharedStoreState store;
  void* pending_ends;
  std::size_t pending_ends_size;
  void* block;
  std::size_t block_size;
};

constexpr std::uint64_t kZoneMagic = 0x53616c6c79707434;  // "Sallypt4"

// Of the zone, for sessions whose end a store behind it has not confirmed.
constexpr std::size_t kPendingEndsShare = 64;

// The largest run of pages that the zone still has becomes the table's block.
void* take_block(ngx_slab_pool_t* pool, std::size_t* size) {
  pool->log_nomem = 0;
  for (std::size_t pages = pool->pfree; pages > 0; --pages) {
    *size = pages * ngx_pagesize;
    if (void* block = ngx_slab_alloc(pool, *size)) return block;
  }
  return nullptr;
}

ZoneHeader* create_header(ngx_shm_zone_t* zone, ngx_slab_pool_t* pool) {
  auto* header = static_cast<ZoneHeader*>(ngx_slab_calloc(pool, sizeof(ZoneHeader)));
  if (header == nullptr) return nullptr;
  SystemRandom random;
  std::uint64_t seed = 0;
  if (!random.fill(header->secret, sizeof(header->secret)) || !random.fill(&seed, sizeof(seed))) {
    ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0, "saml: no random bytes for the secret");
    return nullptr;
  }
  header->pending_ends_size = std::min(zone->shm.size / kPendingEndsShare, session::PendingEnds::kMostBytes);
  header->pending_ends = ngx_slab_calloc(pool, header->pending_ends_size);
  if (header->pending_ends == nullptr) return nullptr;
  session::PendingEnds::format(header->pending_ends);
  header->block = take_block(pool, &header->block_size);
  // A mere test of the configuration needs no memory for sessions.
  if (header->block != nullptr && !ngx_test_config && !use_large_pages(header->block, header->block_size)) {
    ngx_log_error(NGX_LOG_EMERG, zone->shm.log, ngx_errno, "saml: no memory for zone \"%V\"", &zone->shm.name);
    return nullptr;
  }
  if (header->block == nullptr ||
      session::SessionTable::format(header->block, header->block_size, seed) !=
          session::FormatResult::kFormatted) {
    ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                  "saml: zone \"%V\" of %uz bytes cannot hold sessions", &zone->shm.name,
                  zone->shm.size);
    return nullptr;
  }
  header->made = now();
  header->magic = kZoneMagic;
  pool->data = header;
  return header;
}

bool is_same(const ngx_str_t& a, const ngx_str_t& b) { return view(a) == view(b); }

// Whether the running cycle keeps its sessions in a zone that this one does not go on with.
bool leaves_sessions_behind(const ngx_shm_zone_t& zone) {
  const auto& running = const_cast<const ngx_cycle_t&>(*ngx_cycle).shared_memory;
  for (const ngx_list_part_t* part = &running.part; part != nullptr; part = part->next) {
    const auto* zones = static_cast<const ngx_shm_zone_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) {
      // Ours by its initializer; by its name, when the module's file was another one.
      if (zones[i].init == zone.init || is_same(zones[i].shm.name, zone.shm.name)) return true;
    }
  }
  return false;
}

ngx_int_t init_zone(ngx_shm_zone_t* zone, void* data) {
  return fence<ngx_int_t>(NGX_ERROR, zone->shm.log, [&] {
    auto* view = static_cast<SessionZone*>(zone->data);
    return view->open(zone, data != nullptr);
  });
}

}  // namespace

ngx_int_t SessionZone::open(ngx_shm_zone_t* zone, bool exists) {
  auto* pool = reinterpret_cast<ngx_slab_pool_t*>(zone->shm.addr);
  const bool is_new = !exists && !zone->shm.exists;
  auto* header = is_new ? create_header(zone, pool) : static_cast<ZoneHeader*>(pool->data);
  if (header == nullptr) return NGX_ERROR;
  if (is_new && leaves_sessions_behind(*zone)) {
    ngx_log_error(NGX_LOG_WARN, zone->shm.log, 0,
                  "saml: zone \"%V\" starts empty, since its name, its size or the module's file "
                  "changed: all users log in again",
                  &zone->shm.name);
  }
  // Running workers still use the block: it cannot be made anew under them.
  if (header->magic != kZoneMagic ||
      session::SessionTable::check(header->block, header->block_size) !=
          session::AttachResult::kCompatible) {
    ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                  "saml: zone \"%V\" was made by another version of the module; restart nginx, "
                  "or give the zone another name in saml_session_zone",
                  &zone->shm.name);
    return NGX_ERROR;
  }
  mutex_.emplace(pool);
  table_.emplace(header->block, header->block_size, *mutex_);
  std::copy(std::begin(header->secret), std::end(header->secret), secret_.begin());
  header->generation = std::max(header->generation + 1, node_seconds());
  generation_ = header->generation;
  newest_generation_ = &header->generation;
  store_state_ = &header->store;
  made_ = header->made;
  followed_until_ = &header->followed_until;
  if (is_new && leaves_sessions_behind(*zone)) follow_another();
  pending_ends_.emplace(header->pending_ends, header->pending_ends_size, *mutex_);
  return NGX_OK;
}

Millis SessionZone::remembers_since(Millis skew) const {
  // At a mere start nobody knows whether there was another; a whole second may be cut off.
  const auto until = static_cast<Millis>(*followed_until_);
  return until == 0 ? made_ - kSecond : until + skew;
}

void SessionZone::log_changes(ngx_log_t* log, std::size_t live_evicted) {
  if (live_evicted > 0 && !is_cache_) {
    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "saml: session zone is full: %uz sessions of least recently active users ended; "
                  "consider a larger saml_session_zone",
                  live_evicted);
  }
  const session::Recovery recovery = table_->take_recovery();
  if (!recovery.recovered) return;
  ngx_log_error(NGX_LOG_WARN, log, 0,
                "saml: sessions repaired after a worker died in a change: %uz dropped%s",
                recovery.sessions_dropped, recovery.reset ? ", table emptied" : "");
}

ngx_int_t add_session_zone(ngx_conf_t* cf, MainConf* conf) {
  const std::string name = conf->zone_name.or_default("saml");
  ngx_str_t zone_name = copy(cf->pool, name);
  if (zone_name.data == nullptr) return NGX_ERROR;
  conf->zone = ngx_shared_memory_add(cf, &zone_name, conf->zone_size, &ngx_http_saml_module);
  if (conf->zone == nullptr) return NGX_ERROR;
  conf->zone->init = init_zone;
  auto* zone = make_in_pool<SessionZone>(cf->pool);
  conf->zone->data = zone;
  if (zone == nullptr) return NGX_ERROR;
  if (conf->redis != nullptr) zone->be_cache();
  return NGX_OK;
}

}  // namespace sallyport::ngx
