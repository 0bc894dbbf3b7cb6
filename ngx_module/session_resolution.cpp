#include "session_resolution.h"

#include "base/encoding.h"
#include "bridge.h"
#include "login/grants.h"
#include "login/resolve_again.h"
#include "redis_store.h"
#include "session_lookup.h"
#include "session_zone.h"
#include "user_memories.h"
#include "worker.h"
#include "zone_records.h"

namespace sallyport::ngx {

namespace {

// Also true of what a newer configuration resolved: a worker that still drains with the older one leaves it so.
bool is_current(const session::RecordView& record, const login::Trust& trust, const SessionZone& zone) {
  const session::Resolution resolution = record.resolution();
  if (resolution.rules == trust.rules_digest) return true;
  const policy::Policy* policy = trust.rules->policy.get();
  return (policy != nullptr && !policy->resolves_on_change) || resolution.generation > zone.generation();
}

// What the user's first login set up; with a store behind the zone as far as the session tells, since it cannot be waited for.
std::optional<policy::Profile> first_profile(ngx_http_request_t* r, SessionZone& zone, const session::RecordView& session,
                                             const login::Trust& trust) {
  const policy::Policy* policy = trust.rules->policy.get();
  if (policy == nullptr || !policy->keeps_first_profile) return std::nullopt;
  if (zone.is_cache()) return login::profile_of(session);
  const auto memory =
      recall_user(zone, worker()->secrets(*srv_conf(r)).user_memories, trust, login::user_of(session));
  return memory ? memory->profile : std::nullopt;
}

Result<login::ResolvedAgain> resolve(ngx_http_request_t* r, SessionZone& zone, const session::RecordView& session,
                                     const login::Trust& trust) {
  const auto profile = first_profile(r, zone, session, trust);
  const policy::Profile* first = profile ? &*profile : nullptr;
  return login::resolve_again(session, trust, first, zone.generation());
}

// A session that is not in the zone has ended, unless the zone is a store's cache, which may have dropped it.
bool has_ended(const RequestState& state) {
  RedisStore* store = worker()->store();
  return store == nullptr || store->ends().has_ended(state.key);
}

bool end(ngx_http_request_t* r, RequestState& state, const Error& error, const login::Trust& trust) {
  ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                "saml: session ended by changed rules reason=%s idp=%s user=%s detail: %s",
                std::string(reason_word(error.reason)).c_str(), trust.idp_name.c_str(),
                login::logged(login::user_of(*state.record)).c_str(), log_escape_clause(error.detail, 800).c_str());
  end_session(r, state);
  return false;
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

}  // namespace

bool bring_up_to_date(ngx_http_request_t* r, RequestState& state, const login::Trust& trust) {
  SessionZone& zone = *session_zone(main_conf(r));
  if (is_current(*state.record, trust, zone)) return true;
  std::optional<std::uint16_t> version;
  // Another worker may have been quicker.
  if (!look_up_whole(r, state, &version)) return false;
  if (is_current(*state.record, trust, zone)) return true;

  const Result<login::ResolvedAgain> resolved = resolve(r, zone, *state.whole, trust);
  if (!resolved) return end(r, state, resolved.error(), trust);
  const session::InsertResult replaced =
      replace_record(zone, state.key, state.seal_id, resolved->record, version);
  zone.log_changes(r->connection->log, replaced.live_evicted);
  if (replaced.status == session::InsertStatus::kAbsent && has_ended(state)) {
    forget_session(state);
    return false;
  }
  if (replaced.status == session::InsertStatus::kStored) {
    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "saml: session resolved by changed rules idp=%s user=%s %s", trust.idp_name.c_str(),
                  login::logged(login::user_of(*state.record)).c_str(), resolved->changes.c_str());
    for (const std::string& warning : resolved->warnings) {
      ngx_log_error(NGX_LOG_WARN, r->connection->log, 0, "saml: session of user=%s: %s",
                    login::logged(login::user_of(*state.record)).c_str(), log_escape_clause(warning, 800).c_str());
    }
  }
  if (take(r, state, resolved->record)) return true;
  forget_session(state);
  return false;
}

}  // namespace sallyport::ngx
