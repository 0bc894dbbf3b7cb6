#include "session_resolution.h"

#include <algorithm>

#include "base/encoding.h"
#include "bridge.h"
#include "directory_changes.h"
#include "login/grants.h"
#include "login/identity_record.h"
#include "login/resolve_again.h"
#include "policy/identity_headers.h"
#include "redis_store.h"
#include "session_lookup.h"
#include "session_zone.h"
#include "site.h"
#include "store_wait.h"
#include "user_memories.h"
#include "worker.h"
#include "zone_records.h"

namespace sallyport::ngx {

namespace {

const policy::Policy& policy_of(const login::Trust& trust) {
  static const policy::Policy kNone;
  return trust.rules->policy == nullptr ? kNone : *trust.rules->policy;
}

const policy::UserList* list_of(const RequestState& state) {
  return state.facts == nullptr ? nullptr : state.facts->list.get();
}

// What a newer configuration resolved: a worker that still drains with the older one leaves it so, and so does one that has not
// looked at the files of saml_idp_directory since.
bool is_newer(ngx_http_request_t* r, const RequestState& state, const login::Trust& trust) {
  return state.record->resolution().generation > generation_of(*main_conf(r), trust);
}

// A user's own lines in the store are as new here as anywhere.
bool is_current(ngx_http_request_t* r, const RequestState& state, const login::Trust& trust) {
  if (state.record->resolution().rules == login::rules_digest_of(trust, list_of(state))) return true;
  return !policy_of(trust).users_in_store && is_newer(r, state, trust);
}

void on_facts(void* owner, const std::shared_ptr<const UserFacts>& facts) {
  auto* r = static_cast<ngx_http_request_t*>(owner);
  RequestState& state = *find_state(r);
  state.has_facts = true;
  state.facts = facts;
  wake_waiting(r, state);
}

enum class Facts { kAny, kFresh };

// The address under which the user may be listed: by the present rules, where they may be others than those of the record.
std::string email_of(ngx_http_request_t* r, RequestState& state, const login::Trust& trust, Facts wanted) {
  const session::RecordView* whole = wanted == Facts::kFresh ? whole_record(r, state) : nullptr;
  if (whole != nullptr) {
    if (const auto account = policy::resolve_account(login::claims_of(*whole), *trust.rules)) return account->email;
  }
  return policy::decode_value(state.record->field(session::Field::kEmail));
}

void ask_facts(ngx_http_request_t* r, RequestState& state, const login::Trust& trust, Facts wanted, std::string email) {
  RedisUsers& users = worker()->store()->users();
  const std::string user = login::user_of(*state.record);
  state.facts_of = &trust;
  state.facts_email = std::move(email);
  state.facts = wanted == Facts::kAny ? users.find(trust, user, state.facts_email) : nullptr;
  state.has_facts = state.facts != nullptr;
  state.facts_are_fresh = !state.has_facts;
  if (state.has_facts) return;
  state.user_waiter.emplace(on_facts, r->main);
  state.has_facts = !users.ask(trust, worker()->secrets(*srv_conf(r)), user, state.facts_email, *state.user_waiter);
}

// Whether what the request knows of the user is what is wanted.
bool will_do(ngx_http_request_t* r, RequestState& state, const login::Trust& trust, Facts wanted) {
  if (state.facts_of != &trust || wanted == Facts::kAny) return state.facts_of == &trust;
  return state.facts_are_fresh && state.facts_email == email_of(r, state, trust, wanted);
}

// What the store knows of the session's user. True: state.facts are there, null where the store cannot be asked; else the request
// waits.
bool look_up_facts(ngx_http_request_t* r, RequestState& state, const login::Trust& trust, Facts wanted) {
  const bool is_asking = state.facts_of == &trust && !state.has_facts;
  if (!is_asking && !will_do(r, state, trust, wanted)) ask_facts(r, state, trust, wanted, email_of(r, state, trust, wanted));
  if (state.has_facts) return true;
  wait_for_store(r, state);
  return false;
}

bool is_refused(const RequestState& state) {
  return state.facts != nullptr && state.facts->kind == UserFacts::Kind::kRefused;
}

bool has_facts(const RequestState& state) {
  return state.facts != nullptr && state.facts->kind == UserFacts::Kind::kKnown;
}

// What the user's first login set up.
std::optional<policy::Profile> first_profile(ngx_http_request_t* r, SessionZone& zone, const RequestState& state,
                                             const login::Trust& trust) {
  if (!policy_of(trust).keeps_first_profile) return std::nullopt;
  if (zone.is_cache()) {
    // Without the store the session tells as far as it goes.
    return has_facts(state) ? state.facts->first : login::profile_of(*state.whole);
  }
  const auto memory =
      recall_user(zone, worker()->secrets(*srv_conf(r)).user_memories, trust, login::user_of(*state.whole));
  return memory ? memory->profile : std::nullopt;
}

// What is known of the first login is what the session shows of it: good for this request, and asked again by the next.
bool is_makeshift(const SessionZone& zone, const RequestState& state, const login::Trust& trust) {
  return policy_of(trust).keeps_first_profile && zone.is_cache() && !has_facts(state);
}

Result<login::ResolvedAgain> resolve(ngx_http_request_t* r, SessionZone& zone, const RequestState& state,
                                     const login::Trust& trust) {
  const auto profile = first_profile(r, zone, state, trust);
  return login::resolve_again(*state.whole, trust, {profile ? &*profile : nullptr, list_of(state)},
                              generation_of(*main_conf(r), trust));
}

// A session that is not in the zone has ended, unless the zone is a store's cache, which may have dropped it.
bool has_ended(const RequestState& state) {
  RedisStore* store = worker()->store();
  return store == nullptr || store->ends().has_ended(state.key);
}

UpToDate end(ngx_http_request_t* r, RequestState& state, const Error& error, const login::Trust& trust) {
  ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                "saml: session ended by changed rules reason=%s idp=%s user=%s detail: %s",
                std::string(reason_word(error.reason)).c_str(), trust.idp_name.c_str(),
                login::logged(login::user_of(*state.record)).c_str(), log_escape_clause(error.detail, 800).c_str());
  end_session(r, state);
  return UpToDate::kEnded;
}

// The request goes on with `bytes`, whether or not they could be stored.
bool take(ngx_http_request_t* r, RequestState& state, std::string_view bytes) {
  const ngx_str_t copied = copy(r->main->pool, bytes);
  if (copied.data == nullptr) return false;
  state.record = session::RecordView::open(view(copied));
  state.whole = state.record;
  state.has_whole = true;
  return state.record.has_value();
}

void log_resolved(ngx_http_request_t* r, const RequestState& state, const login::Trust& trust,
                  const login::ResolvedAgain& resolved) {
  const std::string user = login::logged(login::user_of(*state.record));
  ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0, "saml: session resolved by changed rules idp=%s user=%s %s",
                trust.idp_name.c_str(), user.c_str(), resolved.changes.c_str());
  for (const std::string& warning : resolved.warnings) {
    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0, "saml: session of user=%s: %s", user.c_str(),
                  log_escape_clause(warning, 800).c_str());
  }
}

// What stands in the store's list of the user counts for what a newer configuration resolved, too; else that is left as it is.
UpToDate leave_newer(ngx_http_request_t* r, RequestState& state, const login::Trust& trust,
                     const Result<login::ResolvedAgain>& resolved) {
  const bool is_disabled = !resolved && resolved.error().reason == Reason::kUserDisabled;
  return is_disabled ? end(r, state, resolved.error(), trust) : UpToDate::kYes;
}

UpToDate go_on_with(ngx_http_request_t* r, RequestState& state, std::string_view bytes) {
  if (take(r, state, bytes)) return UpToDate::kYes;
  forget_session(state);
  return UpToDate::kEnded;
}

UpToDate resolve_anew(ngx_http_request_t* r, RequestState& state, const login::Trust& trust, SessionZone& zone) {
  std::optional<std::uint16_t> version;
  // Another worker may have been quicker.
  if (!look_up_whole(r, state, &version)) return UpToDate::kEnded;
  if (is_current(r, state, trust)) return UpToDate::kYes;
  const Result<login::ResolvedAgain> resolved = resolve(r, zone, state, trust);
  if (is_newer(r, state, trust)) return leave_newer(r, state, trust, resolved);
  if (!resolved) return end(r, state, resolved.error(), trust);
  if (is_makeshift(zone, state, trust)) return go_on_with(r, state, resolved->record);
  const session::InsertResult replaced = replace_record(zone, state.key, state.seal_id, resolved->record, version);
  zone.log_changes(r->connection->log, replaced.live_evicted);
  if (replaced.status == session::InsertStatus::kAbsent && has_ended(state)) {
    forget_session(state);
    return UpToDate::kEnded;
  }
  if (replaced.status == session::InsertStatus::kStored) log_resolved(r, state, trust, *resolved);
  return go_on_with(r, state, resolved->record);
}

// Nobody knows what the list says: the session stays as it is for `grace`. Its own record may lie elsewhere and be confirmed all
// the while.
UpToDate live_on(const RequestState& state, const login::Trust& trust) {
  const std::string email = policy::decode_value(state.record->field(session::Field::kEmail));
  const bool lives = worker()->store()->users().is_in_grace(trust, login::user_of(*state.record), email);
  return lives ? UpToDate::kYes : UpToDate::kUnavailable;
}

}  // namespace

std::uint32_t generation_of(const MainConf& conf, const login::Trust& trust) {
  const SessionZone& zone = *session_zone(&conf);
  const std::uint32_t loaded = zone.generation(), newest = zone.newest_generation();
  if (trust.generation == 0 || conf.directory_changes == nullptr) return loaded;
  const std::uint32_t known = std::max({loaded, trust.generation, conf.directory_changes->as_of()});
  // A worker that drains still looks at the files, but by policies of an older configuration.
  return loaded == newest ? known : std::min(known, newest - 1);
}

UpToDate bring_up_to_date(ngx_http_request_t* r, RequestState& state, const login::Trust& trust) {
  const policy::Policy& policy = policy_of(trust);
  if (!policy.resolves_on_change) return UpToDate::kYes;
  SessionZone& zone = *session_zone(main_conf(r));
  if (policy.users_in_store && !look_up_facts(r, state, trust, Facts::kAny)) return UpToDate::kAsking;
  const auto nobody_knows = [&] { return policy.users_in_store && !has_facts(state) && !is_refused(state); };
  if (nobody_knows()) return live_on(state, trust);
  if (!is_refused(state) && is_current(r, state, trust)) return UpToDate::kYes;
  const bool asks = worker()->store() != nullptr && (policy.users_in_store || policy.keeps_first_profile);
  // Nothing changes for what was true a moment ago: another worker may know better, or a login since.
  if (asks && !look_up_facts(r, state, trust, Facts::kFresh)) return UpToDate::kAsking;
  if (is_refused(state)) return UpToDate::kUnavailable;
  return nobody_knows() ? live_on(state, trust) : resolve_anew(r, state, trust, zone);
}

UpToDate bring_own_up_to_date(ngx_http_request_t* r, RequestState& state) {
  if (state.lookup != Lookup::kFound) return UpToDate::kEnded;
  const login::Trust* trust = srv_conf(r)->find_trust(policy::decode_value(state.record->field(session::Field::kIdp)));
  if (trust == nullptr || !state.record->is_bound_to(trust->binding)) return UpToDate::kEnded;
  if (!is_for_site(r, site_kind(r), state.record->field(session::Field::kHost))) return UpToDate::kEnded;
  return bring_up_to_date(r, state, *trust);
}

}  // namespace sallyport::ngx
