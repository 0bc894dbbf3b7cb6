#include "redis_ends.h"

#include "base/encoding.h"
#include "bridge.h"
#include "redis/events.h"

namespace sallyport::ngx {

namespace {

constexpr ngx_msec_t kInterval = 500;
constexpr Millis kAgainAfter = kSecond;
constexpr std::size_t kAtOnce = 256;

// Under which the zone remembers that a session ended, among the marks, which are never evicted before their time.
session::Key tombstone_of(const session::SessionKey& key) { return sha256("ended:" + std::string(as_view(key))); }

// All tombstones together have the share of the marks that one IdP has; those of sessions that nobody knows have one too.
std::uint64_t owner_of_tombstones() {
  static const std::uint64_t owner = hash_tag("ended sessions");
  return owner;
}
std::uint64_t owner_of_unknown() {
  static const std::uint64_t owner = hash_tag("ended sessions, if there were any");
  return owner;
}

}  // namespace

RedisEnds::RedisEnds(RedisClient& client, const redis::Keys& keys, SessionZone& zone, std::vector<Digest> secrets)
    : client_(client), keys_(keys), zone_(zone), secrets_(std::move(secrets)) {
  timer_.handler = on_timer;
  timer_.data = this;
  timer_.log = ngx_cycle->log;
  timer_.cancelable = 1;
}

RedisEnds::~RedisEnds() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
}

void RedisEnds::keep_telling() { ngx_add_timer(&timer_, kInterval); }

bool RedisEnds::end(const session::SessionKey& key, Millis ends) {
  return end(key, ends, owner_of_tombstones(), session::PendingEnds::Share::kWhole);
}

bool RedisEnds::end_unknown(const session::SessionKey& key, Millis ends) {
  return end(key, ends, owner_of_unknown(), session::PendingEnds::Share::kHalf);
}

bool RedisEnds::end(const session::SessionKey& key, Millis ends, std::uint64_t owner, session::PendingEnds::Share share) {
  bury(key, ends, owner);
  const bool is_remembered = zone_.pending_ends().add(key, ends, now(), share);
  if (!is_remembered) {
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "saml: no room to remember that a session ended until Redis knows; other nodes may let it live on: "
                  "a saml_session_zone of up to 32m remembers more");
  }
  tell(key, ends);
  return is_remembered;
}

bool RedisEnds::has_ended(const session::SessionKey& key) const {
  return zone_.table().is_marked(tombstone_of(key), now());
}

// First the tombstone: whoever puts a late answer of Redis into the zone looks for it afterwards.
void RedisEnds::bury(const session::SessionKey& key, Millis ends, std::uint64_t owner) {
  const session::MarkResult mark = zone_.table().mark(tombstone_of(key), 1, owner, ends, now());
  if (mark.status == session::MarkStatus::kFull || mark.status == session::MarkStatus::kClockWentBack) {
    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "saml: no room for the tombstone of a session in saml_session_zone; Redis alone keeps it ended");
  }
  zone_.table().erase(key);
  zone_.log_changes(ngx_cycle->log, mark.live_evicted);
}

void RedisEnds::tell(const session::SessionKey& key, Millis ends) {
  client_.post(redis::remove(keys_.session(key)), [this, key](const redis::Reply* reply) {
    if (reply != nullptr && reply->kind() == redis::ReplyKind::kInteger) zone_.pending_ends().remove(key);
  });
  client_.post(redis::publish(keys_.channel(), redis::encode_event({key, ends}, secrets_.front())));
}

void RedisEnds::take_event(std::string_view message) {
  for (const Digest& secret : secrets_) {
    if (const auto event = redis::decode_event(message, secret)) {
      if (event->until > now()) bury(event->session, event->until, owner_of_tombstones());
      return;
    }
  }
  note_stranger(message);
}

// Anybody may fill the channel, and nobody the log.
void RedisEnds::note_stranger(std::string_view message) {
  ++strangers_;
  if (now() - strangers_logged_ < kMinute && strangers_logged_ <= now()) return;
  ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                "saml: redis \"%s\": %uz message(s) of the channel are not from nodes with our secret, the last one: %s",
                client_.conf().name.c_str(), strangers_, log_escape_clause(message.substr(0, 64)).c_str());
  strangers_ = 0;
  strangers_logged_ = now();
}

void RedisEnds::tell_again() {
  if (!zone_.pending_ends().has_any()) return;
  for (const session::PendingEnds::Entry& entry : zone_.pending_ends().take_due(now(), kAgainAfter, kAtOnce)) {
    tell(entry.key, entry.until);
  }
}

void RedisEnds::on_timer(ngx_event_t* event) {
  auto& self = *static_cast<RedisEnds*>(event->data);
  fence<bool>(false, ngx_cycle->log, [&] {
    self.tell_again();
    return true;
  });
  self.keep_telling();
}

}  // namespace sallyport::ngx
