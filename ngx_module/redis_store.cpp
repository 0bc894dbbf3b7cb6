#include "redis_store.h"

#include "base/encoding.h"
#include "bridge.h"

namespace sallyport::ngx {

RedisStore::RedisStore(const RedisConf& conf, SessionZone& zone, std::vector<Digest> secrets)
    : conf_(conf), zone_(zone), keys_(conf.key_prefix), client_(conf, *this), sessions_(client_, keys_, zone),
      users_(client_, keys_),
      activity_(client_, keys_, zone), ends_(client_, keys_, zone, std::move(secrets)),
      events_(client_, keys_, zone, ends_) {}

void RedisStore::start(bool is_first) {
  client_.start();
  if (!is_first) return;
  ends_.keep_telling();
  events_.start();
}

// Of all workers the one that notices first says so.
void RedisStore::on_redis_gone(const std::string& problem) {
  if (ngx_exiting) return;
  const auto since = static_cast<ngx_atomic_uint_t>(now());
  if (!ngx_atomic_cmp_set(&zone_.store_state().gone_since, 0, since)) return;
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                "saml: redis \"%s\" is gone: %s; known sessions live on for %T s, other cookies and logins get 503",
                conf_.name.c_str(), log_escape_clause(problem, 400).c_str(),
                static_cast<time_t>(conf_.grace / kSecond));
}

void RedisStore::on_redis_back() {
  const ngx_atomic_uint_t since = zone_.store_state().gone_since;
  if (since == 0 || !ngx_atomic_cmp_set(&zone_.store_state().gone_since, since, 0)) return;
  const Millis away = now() - static_cast<Millis>(since);
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "saml: redis \"%s\" is back after %T.%03T s", conf_.name.c_str(),
                static_cast<time_t>(away / kSecond), static_cast<time_t>(away % kSecond));
}

}  // namespace sallyport::ngx
