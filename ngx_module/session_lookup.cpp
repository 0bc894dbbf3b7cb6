#include "session_lookup.h"

#include <algorithm>
#include <memory>
#include <new>

#include "bridge.h"
#include "redis_store.h"
#include "session_zone.h"
#include "store_wait.h"
#include "worker.h"
#include "zone_records.h"

namespace sallyport::ngx {

namespace {

void* allocate_in_pool(void* pool, std::size_t size) {
  return ngx_palloc(static_cast<ngx_pool_t*>(pool), size);
}

session::Memory memory_of(ngx_http_request_t* r) { return {allocate_in_pool, r->main->pool}; }

// A session that is used counts as used for a 60th of the idle time-out, at most a minute.
Millis touch_interval(Millis idle_timeout) {
  return std::min<Millis>(kMinute, idle_timeout > 0 ? idle_timeout / 60 : kMinute);
}

Millis idle_timeout_of(ngx_http_request_t* r) {
  return srv_conf(r)->idle_timeout.or_default(kHour);
}

session::Part wanted_part(ngx_http_request_t* r) {
  return main_conf(r)->wants_whole_records ? session::Part::kWhole : session::Part::kFront;
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

bool has_idled_out(ngx_http_request_t* r, const ZoneRecord& record) {
  const Millis idle_timeout = idle_timeout_of(r);
  return idle_timeout != 0 && now() - record.found.last_used >= idle_timeout;
}

// Browsers send a host's cookies to all its ports: another server's session is not this one's to end.
bool is_own(ngx_http_request_t* r, const ZoneRecord& record) {
  const auto view = session::RecordView::open_front(record.bytes);
  const auto& trusts = srv_conf(r)->trusts;
  return view && std::any_of(trusts.begin(), trusts.end(), [&](const auto& trust) { return view->is_bound_to(trust->binding); });
}

// Absolute and idle time-outs are checked; a session that idled too long is gone for good. (With a store behind the zone
// that is the store's to say.)
bool find_live(ngx_http_request_t* r, SessionZone& zone, const session::SessionKey& key, const session::Memory& memory,
               session::Part part, ZoneRecord& record) {
  if (!find_record(zone, key, memory, part, record)) return false;
  if (!has_idled_out(r, record)) return true;
  if (!zone.is_cache() && is_own(r, record)) zone.table().erase(key);
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
std::optional<session::RecordView> find_whole(ngx_http_request_t* r, const RequestState& state, ZoneRecord& record) {
  SessionZone& zone = *session_zone(main_conf(r));
  if (!find_live(r, zone, state.key, memory_of(r), session::Part::kWhole, record)) return std::nullopt;
  const auto view = session::RecordView::open(record.bytes);
  return view && is_same_session(*view, *state.record) ? view : std::nullopt;
}

// The request's session is what the zone has.
void take(ngx_http_request_t* r, RequestState& state, const ZoneRecord& record, session::Part part) {
  const bool whole = part == session::Part::kWhole;
  state.record = whole ? session::RecordView::open(record.bytes) : session::RecordView::open_front(record.bytes);
  if (!state.record) return;
  if (whole) state.whole = state.record;
  state.has_whole = whole;
  state.seal_id = record.seal_id;
  state.touch_due = record.found.touch_due(now(), touch_interval(idle_timeout_of(r)));
  state.lookup = Lookup::kFound;
}

// What is known counts for a while when the store behind the zone cannot be asked.
void look_up_without_store(ngx_http_request_t* r, RequestState& state) {
  SessionZone& zone = *session_zone(main_conf(r));
  RedisStore& store = *worker()->store();
  const session::Part part = wanted_part(r);
  ZoneRecord record;
  state.lookup = Lookup::kUnavailable;
  if (find_live(r, zone, state.key, memory_of(r), part, record)) {
    if (store.sessions().is_in_grace(record.found.last_used)) take(r, state, record, part);
  } else if (store.ends().has_ended(state.key)) {
    state.lookup = Lookup::kAbsent;
  }
}

// A record that the zone does not have. Only the cookie and the secret open it.
void take_sealed(ngx_http_request_t* r, RequestState& state, const SessionAnswer& answer) {
  const SrvConf& server = *srv_conf(r);
  const auto cookie = state.session_cookie(server.cookie_settings.name);
  const session::SessionSealer& sealer = worker()->secrets(server).sessions;
  const auto opened = sealer.open(answer.sealed, *cookie, *server.entity_id.value, now());
  const auto seal_id = sealer.id_of(answer.sealed);
  if (!opened || !seal_id) {
    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "saml: a session's record in Redis is refused: it was not sealed for this cookie and service provider");
    return;
  }
  const ngx_str_t copied = copy(r->main->pool, opened->bytes);
  if (copied.data == nullptr) throw std::bad_alloc();
  const auto view = session::RecordView::open(sallyport::ngx::view(copied));
  if (!view || view->expires() != opened->ends) return;
  SessionZone& zone = *session_zone(main_conf(r));
  store_record(r->connection->log, zone, state.key, *seal_id, opened->bytes, opened->ends, answer.asked_at);
  // Behind the insertion: a session that ends meanwhile leaves its tombstone first.
  if (worker()->store()->ends().has_ended(state.key)) {
    zone.table().erase(state.key);
    return;
  }
  state.record = view;
  state.whole = view;
  state.has_whole = true;
  state.seal_id = *seal_id;
  state.touch_due = true;
  state.lookup = Lookup::kFound;
}

// What the zone has too is confirmed, and need not be opened.
bool take_confirmed(ngx_http_request_t* r, RequestState& state, const SessionAnswer& answer) {
  SessionZone& zone = *session_zone(main_conf(r));
  const session::Part part = wanted_part(r);
  ZoneRecord record;
  if (!find_record(zone, state.key, memory_of(r), part, record)) return false;
  if (worker()->secrets(*srv_conf(r)).sessions.id_of(answer.sealed) != record.seal_id) return false;
  if (worker()->store()->sessions().is_confirmation_due(record.found.last_used, answer.asked_at) ||
      record.found.place_is_old) {
    zone.table().touch(state.key, now(), answer.asked_at);
    zone.log_changes(r->connection->log);
  }
  take(r, state, record, part);
  state.touch_due = true;
  return state.lookup == Lookup::kFound;
}

void take_answer(ngx_http_request_t* r, RequestState& state, const SessionAnswer& answer) {
  state.lookup = Lookup::kAbsent;
  switch (answer.kind) {
    case SessionAnswer::Kind::kRecord:
      if (!take_confirmed(r, state, answer)) take_sealed(r, state, answer);
      return;
    case SessionAnswer::Kind::kNothing:
      session_zone(main_conf(r))->table().erase(state.key);
      return;
    case SessionAnswer::Kind::kUnavailable:
      return look_up_without_store(r, state);
  }
}

void on_answer(void* owner, const SessionAnswer& answer) {
  auto* r = static_cast<ngx_http_request_t*>(owner);
  RequestState& state = *find_state(r);
  const bool is_done = fence<bool>(false, r->connection->log, [&] {
    take_answer(r, state, answer);
    return true;
  });
  if (!is_done) {
    forget_session(state);
    state.lookup = Lookup::kUnavailable;
  }
  wake_waiting(r, state);
}

void look_up_with_store(ngx_http_request_t* r, RequestState& state, RedisStore& store) {
  SessionZone& zone = *session_zone(main_conf(r));
  const session::Part part = wanted_part(r);
  ZoneRecord record;
  if (find_record(zone, state.key, memory_of(r), part, record) && !record.found.place_is_old &&
      store.sessions().is_fresh(record.found.last_used)) {
    take(r, state, record, part);
    state.touch_due = true;
    if (state.lookup == Lookup::kFound) return;
  }
  if (!state.question) state.question.emplace(on_answer, r->main);
  if (!store.sessions().ask(state.key, *state.question)) return look_up_without_store(r, state);
  state.lookup = Lookup::kAsking;
  wait_for_store(r, state);
}

}  // namespace

void expect_session(ngx_http_request_t* r, RequestState& state) {
  SessionZone* zone = session_zone(main_conf(r));
  if (zone != nullptr && find_key(r, state)) zone->table().prefetch(state.key);
}

void expect_record(ngx_http_request_t* r, const RequestState& state) {
  if (state.has_key && state.lookup == Lookup::kNotYet) session_zone(main_conf(r))->table().prefetch_record(state.key);
}

void look_up_session(ngx_http_request_t* r, RequestState& state) {
  if (state.lookup == Lookup::kAsking) return wait_for_store(r, state);
  if (state.lookup != Lookup::kNotYet) return;
  state.lookup = Lookup::kAbsent;
  SessionZone* zone = session_zone(main_conf(r));
  if (zone == nullptr || !find_key(r, state)) return;
  if (RedisStore* store = worker()->store()) return look_up_with_store(r, state, *store);
  const session::Part part = wanted_part(r);
  ZoneRecord record;
  if (find_live(r, *zone, state.key, memory_of(r), part, record)) take(r, state, record, part);
}

std::optional<session::SessionKey> session_key_of(ngx_http_request_t* r) {
  RequestState* state = find_state(r);
  if (state == nullptr || !find_key(r, *state)) return std::nullopt;
  return state->key;
}

bool has_session_here(ngx_http_request_t* r, RequestState& state) {
  if (state.lookup == Lookup::kFound) return true;
  SessionZone* zone = session_zone(main_conf(r));
  if (zone == nullptr || !find_key(r, state)) return false;
  Scratch scratch;
  ZoneRecord record;
  return find_live(r, *zone, state.key, {allocate_scratch, &scratch}, session::Part::kFront, record);
}

const session::RecordView* whole_record(ngx_http_request_t* r, RequestState& state) {
  if (state.lookup != Lookup::kFound) return nullptr;
  if (!state.has_whole) {
    state.has_whole = true;
    ZoneRecord record;
    state.whole = find_whole(r, state, record);
  }
  return state.whole ? &*state.whole : nullptr;
}

bool look_up_whole(ngx_http_request_t* r, RequestState& state, std::optional<std::uint16_t>* version) {
  ZoneRecord record;
  const auto whole = find_whole(r, state, record);
  if (whole) {
    state.whole = whole;
    *version = record.found.version;
  } else if (worker()->store() == nullptr || !state.has_whole || !state.whole) {
    forget_session(state);
    return false;
  }
  // Else the zone had no room for what the store behind it has.
  state.has_whole = true;
  state.record = state.whole;
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
  if (RedisStore* store = worker()->store()) {
    return store->activity().note(state.key, idle_timeout_of(r), state.record->expires());
  }
  touch(r, *session_zone(main_conf(r)), state.key);
}

SessionLife session_life(ngx_http_request_t* r, const session::SessionKey& key, Millis expires, bool is_active) {
  SessionZone* zone = session_zone(main_conf(r));
  Scratch scratch;
  ZoneRecord record;
  const bool is_here = zone != nullptr &&
                       find_live(r, *zone, key, {allocate_scratch, &scratch}, session::Part::kFront, record);
  RedisStore* store = worker()->store();
  if (store == nullptr) {
    if (is_here && is_active && record.found.touch_due(now(), touch_interval(idle_timeout_of(r)))) touch(r, *zone, key);
    return is_here ? SessionLife::kLives : SessionLife::kEnded;
  }
  if (store->ends().has_ended(key)) return SessionLife::kEnded;
  if (is_active) store->activity().note(key, idle_timeout_of(r), expires);
  return is_here && store->sessions().is_fresh(record.found.last_used) ? SessionLife::kLives : SessionLife::kUnsure;
}

bool end_session(ngx_http_request_t* r, RequestState& state) {
  RedisStore* store = worker()->store();
  bool is_told = true;
  if (state.lookup == Lookup::kFound) {
    if (store == nullptr) {
      session_zone(main_conf(r))->table().erase(state.key);
    } else {
      is_told = store->ends().end(state.key, state.record->expires());
    }
  } else if (state.lookup == Lookup::kUnavailable) {
    // When it would end is not known; no session of this server's lives longer.
    is_told = store->ends().end_unknown(state.key, now() + srv_conf(r)->session_timeout.or_default(8 * kHour));
  } else {
    return true;
  }
  forget_session(state);
  return is_told;
}

void end_earlier_session(ngx_http_request_t* r, const session::SessionKey& key) {
  SessionZone* zone = session_zone(main_conf(r));
  if (RedisStore* store = worker()->store()) {
    (void) store->ends().end_if_any(key, now() + srv_conf(r)->session_timeout.or_default(8 * kHour));
  } else if (zone != nullptr) {
    zone->table().erase(key);
  }
}

bool end_sessions_of_all_cookies(ngx_http_request_t* r, RequestState& state) {
  // More than a browser has by accident; whoever plants more of them brings no logout to say what is not so.
  constexpr int kMost = 64;
  SessionZone* zone = session_zone(main_conf(r));
  RedisStore* store = worker()->store();
  const Millis longest = now() + srv_conf(r)->session_timeout.or_default(8 * kHour);
  bool is_told = true;
  int ended = 0;
  for (const OwnCookie& cookie : state.cookies) {
    const auto key = cookie.name == srv_conf(r)->cookie_settings.name ? session::key_of_cookie(cookie.value) : std::nullopt;
    if (!key || zone == nullptr) continue;
    if (++ended > kMost) {
      is_told = false;
      break;
    }
    if (store == nullptr) {
      zone->table().erase(*key);
    } else {
      is_told = store->ends().end_if_any(*key, longest) && is_told;
    }
  }
  forget_session(state);
  return is_told;
}

}  // namespace sallyport::ngx
