#include "redis_users.h"

#include <iterator>

#include "base/encoding.h"
#include "bridge.h"
#include "worker.h"

namespace sallyport::ngx {

namespace {

// Above that all are forgotten, and asked for again.
constexpr std::size_t kMostKnown = 1024;
// Above that nobody else lives on unasked, until those are forgotten that nobody has asked for in a day.
constexpr std::size_t kMostUnknown = 32768;

// Rules are the same for all servers of a saml_idp; the binding tells service providers apart, whose memories differ.
std::string name_of(const login::Trust& trust, std::string_view user, std::string_view email) {
  std::string name(as_view(trust.binding));
  name += std::to_string(trust.rules_digest) + "\n";
  name += std::to_string(user.size()) + "\n";
  name += user;
  name += email;
  return name;
}

std::string hashed(std::string_view name) { return std::string(as_view(sha256(name))); }

}  // namespace

RedisUserQuestion::Wanted wanted_of(const login::Trust& trust, SecretUsers& secrets, std::string_view user,
                                    std::string_view email) {
  const policy::Policy* policy = trust.rules->policy.get();
  RedisUserQuestion::Wanted wanted;
  wanted.user = std::string(user);
  wanted.email = std::string(email);
  wanted.list = policy != nullptr && policy->users_in_store;
  wanted.memory_keys = {secrets.user_memories.key_of(trust.binding, user)};
  if (const auto previous = secrets.user_memories.previous_key_of(trust.binding, user)) {
    wanted.memory_keys.push_back(*previous);
  }
  return wanted;
}

struct RedisUsers::Ask {
  RedisUsers& users;
  SecretUsers& secrets;
  std::string name;
  Millis asked_at;
  ngx_queue_t waiting;
  RedisUserQuestion question;

  Ask(RedisUsers& owner, SecretUsers& of, std::string named)
      : users(owner), secrets(of), name(std::move(named)), asked_at(now()), question(owner.keys_, on_answer, this) {
    ngx_queue_init(&waiting);
  }
};

bool RedisUsers::is_in_grace(const login::Trust& trust, std::string_view user, std::string_view email) {
  if (client_.conf().grace == 0) return false;
  const Millis time = now();
  const std::string name = hashed(name_of(trust, user, email));
  const auto place = unknown_since_.find(name);
  if (place == unknown_since_.end()) {
    if (unknown_since_.size() >= kMostUnknown) forget_unknown(time);
    return unknown_since_.size() < kMostUnknown && unknown_since_.emplace(name, time).second;
  }
  const Millis age = time - place->second;
  return age >= 0 && age < client_.conf().grace;
}

// Once a minute at most: it is a long walk.
void RedisUsers::forget_unknown(Millis time) {
  if (time - unknown_swept_ < kMinute && unknown_swept_ <= time) return;
  unknown_swept_ = time;
  for (auto each = unknown_since_.begin(); each != unknown_since_.end();) {
    each = time - each->second > 24 * kHour ? unknown_since_.erase(each) : std::next(each);
  }
}

RedisUsers::RedisUsers(RedisClient& client, const redis::Keys& keys) : client_(client), keys_(keys) {}

RedisUsers::~RedisUsers() = default;

std::shared_ptr<const UserFacts> RedisUsers::find(const login::Trust& trust, std::string_view user,
                                                  std::string_view email) {
  if (client_.conf().cache_time == 0) return nullptr;
  const auto place = known_.find(name_of(trust, user, email));
  if (place == known_.end()) return nullptr;
  const Millis age = now() - place->second->asked_at;
  return age >= 0 && age < client_.conf().cache_time ? place->second : nullptr;
}

bool RedisUsers::ask(const login::Trust& trust, SecretUsers& secrets, std::string_view user, std::string_view email,
                     UserWaiter& waiter) {
  const auto [place, is_new] = asks_.try_emplace(name_of(trust, user, email));
  if (is_new) {
    place->second = std::make_unique<Ask>(*this, secrets, place->first);
    RedisUserQuestion::Wanted wanted = wanted_of(trust, secrets, user, email);
    const policy::Policy* policy = trust.rules->policy.get();
    if (policy == nullptr || !policy->keeps_first_profile) wanted.memory_keys.clear();
    if (!place->second->question.ask(client_, std::move(wanted))) {
      asks_.erase(place);
      return false;
    }
  }
  ngx_queue_insert_tail(&place->second->waiting, &waiter.link_);
  waiter.is_waiting_ = true;
  return true;
}

void RedisUsers::on_answer(void* owner) {
  Ask& ask = *static_cast<Ask*>(owner);
  ask.users.answer(ask);
}

std::shared_ptr<const UserFacts> RedisUsers::facts_of(Ask& ask) {
  auto facts = std::make_shared<UserFacts>();
  facts->asked_at = ask.asked_at;
  if (ask.question.problem().empty()) {
    facts->kind = UserFacts::Kind::kKnown;
    facts->list = ask.question.list();
    session::Key key;
    const auto sealed = ask.question.sealed_memory(&key);
    const auto memory = sealed ? ask.secrets.user_memories.open(*sealed, key) : std::nullopt;
    if (memory) facts->first = memory->profile;
    unknown_since_.erase(hashed(ask.name));
    keep(ask.name, facts);
  } else if (ask.question.was_refused()) {
    facts->kind = UserFacts::Kind::kRefused;
    note_refusal(ask.question.problem());
  }
  return facts;
}

// Each request that it cost is logged by itself; why is said once a minute.
void RedisUsers::note_refusal(const std::string& problem) {
  if (now() - refusal_logged_ < kMinute && refusal_logged_ <= now()) return;
  refusal_logged_ = now();
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "saml: redis \"%s\": %s", client_.conf().name.c_str(),
                log_escape_clause(problem, 400).c_str());
}

void RedisUsers::answer(Ask& ask) {
  // Whoever asks from now on asks anew.
  const auto place = asks_.find(ask.name);
  const std::unique_ptr<Ask> kept = std::move(place->second);
  asks_.erase(place);
  const std::shared_ptr<const UserFacts> nothing;
  const auto facts = fence<std::shared_ptr<const UserFacts>>(nothing, ngx_cycle->log, [&] { return facts_of(ask); });
  while (!ngx_queue_empty(&kept->waiting)) {
    auto* waiter = ngx_queue_data(ngx_queue_head(&kept->waiting), UserWaiter, link_);
    ngx_queue_remove(&waiter->link_);
    waiter->is_waiting_ = false;
    waiter->handler_(waiter->owner_, facts);
  }
}

void RedisUsers::keep(const std::string& name, std::shared_ptr<const UserFacts> facts) {
  if (client_.conf().cache_time == 0) return;
  if (known_.size() >= kMostKnown) known_.clear();
  known_[name] = std::move(facts);
}

}  // namespace sallyport::ngx
