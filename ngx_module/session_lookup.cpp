#include "session_lookup.h"

#include <memory>
#include <new>

#include "bridge.h"
#include "session_zone.h"
#include "worker.h"

namespace sallyport::ngx {

namespace {

void* allocate_in_pool(void* pool, std::size_t size) {
  return ngx_palloc(static_cast<ngx_pool_t*>(pool), size);
}

// A session that is used counts as used for a 60th of the idle time-out, at most a minute.
Millis touch_interval(Millis idle_timeout) {
  return std::min<Millis>(kMinute, idle_timeout > 0 ? idle_timeout / 60 : kMinute);
}

Millis idle_timeout_of(ngx_http_request_t* r) {
  return srv_conf(r)->idle_timeout.or_default(kHour);
}

// The store's key of the request's cookie, once per main request.
bool find_key(ngx_http_request_t* r, RequestState& state) {
  if (state.has_key) return true;
  const auto cookie = state.session_cookie(srv_conf(r)->cookie_settings.name);
  if (!cookie) return false;
  const auto key = worker()->recent_keys().key_of(*cookie);
  if (!key) return false;
  state.key = *key;
  state.has_key = true;
  return true;
}

// Absolute and idle time-outs are checked; a session that idled too long is gone for good.
bool find_live(ngx_http_request_t* r, SessionZone& zone, const session::SessionKey& key,
               const session::Memory& memory, session::Found& found, session::Part part) {
  const Millis time = now();
  if (zone.table().find(key, time, memory, &found, part) != session::FindResult::kFound) return false;
  const Millis idle_timeout = idle_timeout_of(r);
  if (idle_timeout == 0 || time - found.last_used < idle_timeout) return true;
  zone.table().erase(key);
  return false;
}

void touch(ngx_http_request_t* r, SessionZone& zone, const session::SessionKey& key) {
  zone.table().touch(key, now());
  zone.log_changes(r->connection->log);
}

// For a record that nobody reads; never throws, since the table calls it.
using Scratch = std::unique_ptr<char[]>;
void* allocate_scratch(void* scratch, std::size_t size) {
  auto& bytes = *static_cast<Scratch*>(scratch);
  bytes.reset(new (std::nothrow) char[size]);
  return bytes.get();
}

bool is_same_session(const session::RecordView& a, const session::RecordView& b) {
  return a.binding() == b.binding() && a.created() == b.created();
}

// The same session as before, as it is now.
std::optional<session::RecordView> find_whole(ngx_http_request_t* r, const RequestState& state,
                                              session::Found& found) {
  const session::Memory memory{allocate_in_pool, r->main->pool};
  SessionZone& zone = *session_zone(main_conf(r));
  if (!find_live(r, zone, state.key, memory, found, session::Part::kWhole)) return std::nullopt;
  const auto record = session::RecordView::open(found.record);
  return record && is_same_session(*record, *state.record) ? record : std::nullopt;
}

}  // namespace

void expect_session(ngx_http_request_t* r, RequestState& state) {
  SessionZone* zone = session_zone(main_conf(r));
  if (zone != nullptr && find_key(r, state)) zone->table().prefetch(state.key);
}

void expect_record(ngx_http_request_t* r, const RequestState& state) {
  if (state.has_key) session_zone(main_conf(r))->table().prefetch_record(state.key);
}

void look_up_session(ngx_http_request_t* r, RequestState& state) {
  if (state.lookup != Lookup::kNotYet) return;
  state.lookup = Lookup::kAbsent;
  SessionZone* zone = session_zone(main_conf(r));
  if (zone == nullptr || !find_key(r, state)) return;

  session::Found found;
  const session::Memory memory{allocate_in_pool, r->main->pool};
  const bool whole = main_conf(r)->wants_whole_records;
  if (!find_live(r, *zone, state.key, memory, found, whole ? session::Part::kWhole : session::Part::kFront)) return;
  state.record = whole ? session::RecordView::open(found.record) : session::RecordView::open_front(found.record);
  if (!state.record) return;
  if (whole) state.whole = state.record;
  state.has_whole = whole;
  state.touch_due = found.touch_due(now(), touch_interval(idle_timeout_of(r)));
  state.lookup = Lookup::kFound;
}

const session::RecordView* whole_record(ngx_http_request_t* r, RequestState& state) {
  if (state.lookup != Lookup::kFound) return nullptr;
  if (!state.has_whole) {
    state.has_whole = true;
    session::Found found;
    state.whole = find_whole(r, state, found);
  }
  return state.whole ? &*state.whole : nullptr;
}

bool look_up_whole(ngx_http_request_t* r, RequestState& state, std::uint16_t* version) {
  session::Found found;
  state.whole = find_whole(r, state, found);
  if (!state.whole) {
    forget_session(state);
    return false;
  }
  state.has_whole = true;
  state.record = state.whole;
  *version = found.version;
  return true;
}

void forget_session(RequestState& state) {
  state.lookup = Lookup::kAbsent;
  state.record.reset();
  state.whole.reset();
}

void note_activity(ngx_http_request_t* r, RequestState& state) {
  if (state.lookup != Lookup::kFound || !state.touch_due) return;
  state.touch_due = false;
  touch(r, *session_zone(main_conf(r)), state.key);
}

bool session_lives(ngx_http_request_t* r, const session::SessionKey& key, bool is_active) {
  SessionZone* zone = session_zone(main_conf(r));
  Scratch record;
  session::Found found;
  if (zone == nullptr ||
      !find_live(r, *zone, key, {allocate_scratch, &record}, found, session::Part::kFront)) {
    return false;
  }
  if (is_active && found.touch_due(now(), touch_interval(idle_timeout_of(r)))) touch(r, *zone, key);
  return true;
}

void end_session(ngx_http_request_t* r, RequestState& state) {
  look_up_session(r, state);
  if (state.lookup != Lookup::kFound) return;
  session_zone(main_conf(r))->table().erase(state.key);
  forget_session(state);
}

}  // namespace sallyport::ngx
