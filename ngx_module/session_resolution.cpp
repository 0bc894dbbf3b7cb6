#include "session_resolution.h"

#include "base/encoding.h"
#include "bridge.h"
#include "login/grants.h"
#include "login/resolve_again.h"
#include "session_lookup.h"
#include "session_zone.h"
#include "user_memories.h"

namespace sallyport::ngx {

namespace {

// Also true of what a newer configuration resolved: a worker that still drains with the older one leaves it so.
bool is_current(const session::RecordView& record, const login::Trust& trust, const SessionZone& zone) {
  const session::Resolution resolution = record.resolution();
  if (resolution.rules == trust.rules_digest) return true;
  const policy::Policy* policy = trust.rules->policy.get();
  return (policy != nullptr && !policy->resolves_on_change) || resolution.generation > zone.generation();
}

Result<login::ResolvedAgain> resolve(SessionZone& zone, const session::RecordView& session,
                                     const login::Trust& trust) {
  const policy::Policy* policy = trust.rules->policy.get();
  std::optional<session::UserMemory> memory;
  if (policy != nullptr && policy->keeps_first_profile) {
    memory = recall_user(zone, trust, login::user_of(session));
  }
  const policy::Profile* first = memory && memory->profile ? &*memory->profile : nullptr;
  return login::resolve_again(session, trust, first, zone.generation());
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
  std::uint16_t version = 0;
  // Another worker may have been quicker.
  if (!look_up_whole(r, state, &version)) return false;
  if (is_current(*state.record, trust, zone)) return true;

  const Result<login::ResolvedAgain> resolved = resolve(zone, *state.whole, trust);
  if (!resolved) return end(r, state, resolved.error(), trust);
  const session::InsertResult replaced =
      zone.table().replace(state.key, session::with_front(resolved->record), now(), version);
  zone.log_changes(r->connection->log, replaced.live_evicted);
  if (replaced.status == session::InsertStatus::kAbsent) {
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
