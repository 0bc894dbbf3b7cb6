#include "redis_ends.h"

#include "base/encoding.h"
#include "bridge.h"

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
  const redis::SessionEnded ended{key, ends};
  bury(ended);
  const bool is_remembered = remember(ended);
  tell(key, ends);
  return is_remembered;
}

bool RedisEnds::end_unknown(const session::SessionKey& key, Millis ends) {
  const redis::SessionEnded ended{key, ends, false};
  bury(ended);
  const bool is_remembered = remember(ended);
  remove_if_any(key, ends, Try::kFirst);
  return is_remembered;
}

bool RedisEnds::end_if_any(const session::SessionKey& key, Millis ends) {
  if (zone_.table().erase(key)) return end(key, ends);
  const bool is_remembered = remember({key, ends, false});
  remove_if_any(key, ends, Try::kFirst);
  return is_remembered;
}

bool RedisEnds::has_ended(const session::SessionKey& key) const {
  return zone_.table().is_marked(tombstone_of(key), now());
}

// Until Redis knows.
bool RedisEnds::remember(const redis::SessionEnded& ended) {
  const auto share = ended.is_known ? session::PendingEnds::Share::kWhole : session::PendingEnds::Share::kHalf;
  if (zone_.pending_ends().add(ended.session, ended.until, now(), share)) return true;
  if (const std::size_t count = forgotten_.note(now())) {
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "saml: no room to remember that sessions ended (%uz) until Redis knows; other nodes may let them live on: "
                  "a saml_session_zone of up to 32m remembers more",
                  count);
  }
  return false;
}

// First the tombstone: whoever puts a late answer of Redis into the zone looks for it afterwards.
void RedisEnds::bury(const redis::SessionEnded& ended) {
  const std::uint64_t owner = ended.is_known ? owner_of_tombstones() : owner_of_unknown();
  const session::MarkResult mark = zone_.table().mark(tombstone_of(ended.session), 1, owner, ended.until, now());
  const bool is_full = mark.status == session::MarkStatus::kFull || mark.status == session::MarkStatus::kClockWentBack;
  // What anybody makes up is full of what never was.
  const std::size_t count = is_full && ended.is_known ? unburied_.note(now()) : 0;
  if (count > 0) {
    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "saml: no room for the tombstones of sessions (%uz) in saml_session_zone; Redis alone keeps them ended", count);
  }
  zone_.table().erase(ended.session);
  zone_.log_changes(ngx_cycle->log, mark.live_evicted);
}

void RedisEnds::publish(const redis::SessionEnded& ended) {
  client_.post(redis::publish(keys_.channel(), redis::encode_event(ended, secrets_.front())));
}

void RedisEnds::tell(const session::SessionKey& key, Millis ends) {
  client_.post(redis::remove(keys_.session(key)), [this, key](const redis::Reply* reply) {
    if (reply != nullptr && reply->kind() == redis::ReplyKind::kInteger) zone_.pending_ends().remove(key);
  });
  publish({key, ends});
}

// Not sent twice: the second answer would say that there was none.
void RedisEnds::remove_if_any(const session::SessionKey& key, Millis ends, Try nth) {
  client_.post(redis::remove(keys_.session(key)),
               [this, key, ends, nth](const redis::Reply* reply) { take_removal(key, ends, nth, reply); }, false);
}

void RedisEnds::take_removal(const session::SessionKey& key, Millis ends, Try nth, const redis::Reply* reply) {
  const bool is_answered = reply != nullptr && reply->kind() == redis::ReplyKind::kInteger;
  const bool has_been = is_answered && reply->integer() > 0;
  if (is_answered) zone_.pending_ends().remove(key);
  // Others are told of a lost first try at once, where they can be, and of each one that is answered later: there may have been
  // a session, which a try removed whose answer was lost.
  if (!has_been && is_answered == (nth == Try::kFirst)) return;
  const redis::SessionEnded ended{key, ends, has_been};
  bury(ended);
  publish(ended);
}

void RedisEnds::take_event(std::string_view message) {
  for (const Digest& secret : secrets_) {
    if (const auto event = redis::decode_event(message, secret)) {
      if (event->until > now()) bury(*event);
      return;
    }
  }
  note_stranger(message);
}

// Anybody may fill the channel, and nobody the log.
void RedisEnds::note_stranger(std::string_view message) {
  const std::size_t count = strangers_.note(now());
  if (count == 0) return;
  ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                "saml: redis \"%s\": %uz message(s) of the channel are not from nodes with our secret, the last one: %s",
                client_.conf().name.c_str(), count, log_escape_clause(message.substr(0, 64)).c_str());
}

void RedisEnds::tell_again() {
  if (!zone_.pending_ends().has_any()) return;
  for (const session::PendingEnds::Entry& entry : zone_.pending_ends().take_due(now(), kAgainAfter, kAtOnce)) {
    if (entry.share == session::PendingEnds::Share::kWhole) {
      tell(entry.key, entry.until);
    } else {
      remove_if_any(entry.key, entry.until, Try::kAgain);
    }
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
