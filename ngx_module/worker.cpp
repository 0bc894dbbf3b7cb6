#include "worker.h"

#include "bridge.h"
#include "conf.h"
#include "leak_check.h"
#include "session_zone.h"
#include "test_build.h"
#include "xml/document.h"
#include "xml/signing.h"

namespace sallyport::ngx {

namespace {

constexpr unsigned kRefusalsPerSecond = 10;

Secret derived(const Secret& secret, std::string_view purpose) {
  Secret out{derive_key(as_view(secret.current), purpose)};
  if (secret.previous) out.previous = derive_key(as_view(*secret.previous), purpose);
  return out;
}

Secret bound_to(const Digest* zone, const Secret& secret) { return zone == nullptr ? secret : derived(secret, as_view(*zone)); }

Worker* instance = nullptr;

// Without keys nothing is ever signed, and xmlsec1 need not be there.
bool has_own_keys(const MainConf& conf) {
  for (const SrvConf* server : conf.servers) {
    if (server->keys != nullptr && !server->keys->empty()) return true;
  }
  return false;
}

}  // namespace

Worker* worker() { return instance; }

SecretUsers::SecretUsers(const Secret& secret, const Digest* zone)
    : login_states(derived(bound_to(zone, secret), "login state")), handovers(derived(bound_to(zone, secret), "handover")),
      user_memories(derived(secret, "user memory")), sessions(derived(secret, "sessions")),
      indexes(derive_key(as_view(secret.current), "indexes")) {}

Worker::Worker(const MainConf& conf, SessionZone& zone) {
  std::vector<Digest> all;
  for (const SrvConf* server : conf.servers) {
    if (!server->active) continue;
    std::unique_ptr<SecretUsers>& users = secrets_[server->secret.get()];
    if (users != nullptr) continue;
    const Secret secret = server->secret == nullptr ? Secret{zone.secret()} : *server->secret;
    users = std::make_unique<SecretUsers>(secret, conf.redis == nullptr ? &zone.secret() : nullptr);
    all.push_back(secret.current);
    if (secret.previous) all.push_back(*secret.previous);
  }
  if (conf.redis != nullptr) store_ = std::make_unique<RedisStore>(*conf.redis, zone, std::move(all));
}

void Worker::watch_upgrade(const ngx_cycle_t& cycle, SessionZone& zone) {
  if (!zone.is_cache()) upgrade_ = UpgradeWatch::start(cycle, zone);
}

void Worker::refresh_metadata(MainConf& conf, bool fetches) {
  if (has_metadata_to_follow(conf)) metadata_ = std::make_unique<MetadataRefresh>(conf, fetches);
}

bool Worker::may_log_refusal(time_t second, unsigned* suppressed) {
  *suppressed = 0;
  if (second != second_) {
    *suppressed = suppressed_;
    second_ = second;
    logged_ = 0;
    suppressed_ = 0;
  }
  if (logged_ >= kRefusalsPerSecond) {
    ++suppressed_;
    return false;
  }
  ++logged_;
  return true;
}

ngx_int_t start_worker(ngx_cycle_t* cycle) {
  return fence<ngx_int_t>(NGX_ERROR, cycle->log, [&]() -> ngx_int_t {
    auto* conf = static_cast<MainConf*>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_saml_module));
    if (conf == nullptr || !conf->active) return NGX_OK;
    // The cache manager and loader serve nobody, and count as worker 0.
    if (ngx_process == NGX_PROCESS_HELPER) return NGX_OK;
    xml::initialize_parser();
    if (has_own_keys(*conf)) {
      if (Status signing = xml::initialize_signing(); !signing.ok()) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "saml: xmlsec1 does not start: %s",
                      signing.error().detail.c_str());
        return NGX_ERROR;
      }
    }
    instance = new Worker(*conf, *session_zone(conf));
    if (RedisStore* store = instance->store()) store->start(ngx_worker == 0);
    instance->refresh_metadata(*conf, ngx_worker == 0);
    instance->watch_upgrade(*cycle, *session_zone(conf));
    make_up_sessions(cycle, *conf);
    return NGX_OK;
  });
}

void stop_worker(ngx_cycle_t* cycle) {
  expect_leaks_of_worker(*cycle);
  report_stopwatches(cycle->log);
  delete instance;
  instance = nullptr;
}

}  // namespace sallyport::ngx
