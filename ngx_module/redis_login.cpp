#include "redis_login.h"

#include <algorithm>

#include "bridge.h"
#include "session/record.h"
#include "zone_records.h"

namespace sallyport::ngx {

namespace {

std::vector<redis::Reply> views_of(const std::vector<redis::OwnedReply>& replies) {
  std::vector<redis::Reply> views;
  views.reserve(replies.size());
  for (const redis::OwnedReply& reply : replies) views.emplace_back(reply.get());
  return views;
}

// Longer than a login can take that is let in: the claim, and the writes behind a new connection.
Millis lease_of(const RedisConf& conf) { return conf.connect_timeout + 3 * conf.timeout; }

Millis time_to_live(const SrvConf& server, Millis ends) {
  const Millis idle_timeout = server.idle_timeout.or_default(kHour);
  const Millis left = ends - now();
  return idle_timeout == 0 ? left : std::min(idle_timeout, left);
}

}  // namespace

RedisLogin::RedisLogin(RedisStore& store, SecretUsers& secrets, Then then, void* owner)
    : store_(store), secrets_(secrets), then_(then), owner_(owner) {}

RedisLogin::~RedisLogin() {
  exchange_.reset();
  question_.reset();
  if (!writes_ || is_kept_) return;
  fence<bool>(false, ngx_cycle->log, [&] {
    take_back();
    return true;
  });
}

// Redis is told until it has heard: a session that stays would make the answer a replay.
void RedisLogin::take_back() {
  std::vector<redis::Command> leftovers = writes_->leftovers();
  if (leftovers.empty()) return;
  (void) store_.ends().end(session_, ends_);
  for (redis::Command& command : leftovers) store_.client().post(std::move(command));
}

bool RedisLogin::recall(const login::Trust& trust, const policy::Account& account) {
  RedisUserQuestion::Wanted wanted = wanted_of(trust, secrets_, account.user, account.email);
  memory_key_ = wanted.memory_keys.front();
  question_.emplace(store_.keys(), on_recalled, this);
  return question_->ask(store_.client(), std::move(wanted));
}

void RedisLogin::on_recalled(void* owner) {
  auto& self = *static_cast<RedisLogin*>(owner);
  session::Key key;
  const auto sealed = self.question_->sealed_memory(&key);
  if (sealed) self.previous_ = self.secrets_.user_memories.open(*sealed, key);
  self.then_(self.owner_);
}

std::optional<redis::LoginWrites::Login> RedisLogin::writes_of(const What& what) {
  const login::FinishedLogin& finished = *what.finished;
  SystemRandom& random = worker()->random();
  auto sealed = secrets_.sessions.seal(finished.record, what.id->text, *what.server->entity_id.value, finished.expires,
                                       random);
  auto memory = secrets_.user_memories.seal(finished.memory, memory_key_, random);
  if (!sealed || !memory) return std::nullopt;
  seal_id_ = *secrets_.sessions.id_of(*sealed);
  redis::LoginWrites::Login login;
  login.answer = finished.answer;
  login.attempt = sha256(what.request_id);
  login.replay_until = finished.replay_until;
  login.skew = what.server->clock_skew.or_default(180 * kSecond);
  login.now = started_at_;
  login.lease = lease_of(store_.client().conf());
  session_ = login.session = what.id->key;
  login.record = std::move(*sealed);
  login.ttl = time_to_live(*what.server, finished.expires);
  ends_ = login.ends = finished.expires;
  login.user_index = secrets_.indexes.of_user(what.trust->idp_name, finished.identity.user);
  const auto index = [&](std::string_view session_index) {
    login.idp_session_indexes.push_back(
        secrets_.indexes.of_idp_session(what.trust->idp_entity_id, finished.name_id, session_index));
  };
  index(finished.session_index);
  // A LogoutRequest may leave the index out, and means all of them.
  if (!finished.session_index.empty()) index("");
  login.memory_key = memory_key_;
  login.memory = std::move(*memory);
  login.memory_ttl = session::kUserMemoryLifetime;
  return login;
}

bool RedisLogin::write(const What& what) {
  started_ = ngx_current_msec;
  started_at_ = now();
  auto login = writes_of(what);
  if (!login) return false;
  writes_.emplace(store_.keys(), std::move(*login));
  exchange_.emplace(on_written, this);
  return exchange_->start(store_.client(), writes_->start(), false);
}

Millis RedisLogin::elapsed() const { return static_cast<Millis>(ngx_current_msec - started_); }

void RedisLogin::on_written(void* owner, std::vector<redis::OwnedReply> replies) {
  auto& self = *static_cast<RedisLogin*>(owner);
  self.go_on(replies);
}

void RedisLogin::go_on(const std::vector<redis::OwnedReply>& replies) {
  const std::vector<redis::Reply> views = views_of(replies);
  std::vector<const redis::Reply*> answers;
  for (std::size_t i = 0; i < views.size(); ++i) answers.push_back(replies[i] == nullptr ? nullptr : &views[i]);
  std::vector<redis::Command> next = writes_->go_on(answers, elapsed());
  if (!next.empty()) {
    const std::size_t count = next.size();
    if (exchange_->start(store_.client(), std::move(next), false)) return;
    writes_->go_on(std::vector<const redis::Reply*>(count, nullptr), elapsed());
  }
  then_(owner_);
}

void RedisLogin::keep(SessionZone& zone, const What& what) {
  is_kept_ = true;
  for (redis::Command& command : writes_->closing()) {
    store_.client().post(command, [client = &store_.client(), command](const redis::Reply* reply) {
      if (reply == nullptr) client->post(command);  // once more
    });
  }
  store_record(ngx_cycle->log, zone, what.id->key, seal_id_, what.finished->record,
               what.finished->expires, started_at_);
}

}  // namespace sallyport::ngx
