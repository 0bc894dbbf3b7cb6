// /saml/acs, the Assertion Consumer Service: form, attempt, answer, replay mark, session, cookie, 303.
#include <algorithm>

#include "base/encoding.h"
#include "base/url.h"
#include "body_reader.h"
#include "bridge.h"
#include "endpoints.h"
#include "idp_choices.h"
#include "login/resolve_login.h"
#include "login_end.h"
#include "login_flow.h"
#include "policy/identity_headers.h"
#include "redis_login.h"
#include "relay_target.h"
#include "request_ctx.h"
#include "respond.h"
#include "session/login_state.h"
#include "session_lookup.h"
#include "session_resolution.h"
#include "session_zone.h"
#include "site.h"
#include "store_wait.h"
#include "turns.h"
#include "user_memories.h"
#include "worker.h"

namespace sallyport::ngx {

namespace {

// Base64 in a form is a third longer than the message, and '+', '/', '=' take three bytes each; the rest is
// RelayState and names.
std::size_t max_body(const SrvConf& server) {
  return server.max_message_size.or_default(256 * 1024) * 2 + 8192;
}

// What the answer's RelayState and the browser's cookies tell of the attempt.
struct Attempt {
  std::string_view handle;
  bool is_retry = false;
  std::string cookie_name;
  std::optional<session::LoginAttempt> login;
  std::optional<session::LoginMarker> marker;
};

Attempt find_attempt(ngx_http_request_t* r, const SrvConf& server, std::string_view relay_state) {
  Attempt attempt;
  attempt.handle = relay_state;
  if (relay_state.size() > session::kRetryMark.size() &&
      relay_state.substr(relay_state.size() - session::kRetryMark.size()) == session::kRetryMark) {
    attempt.is_retry = true;
    attempt.handle.remove_suffix(session::kRetryMark.size());
  }
  if (!session::is_handle(attempt.handle)) {
    attempt.handle = {};
    return attempt;
  }
  attempt.cookie_name = server.cookie_settings.name + "." + std::string(attempt.handle);
  const RequestState* state = find_state(r);
  if (state == nullptr) return attempt;
  const auto cookie = state->session_cookie(attempt.cookie_name);
  if (!cookie) return attempt;
  auto& codec = worker()->secrets(server).login_states;
  const std::string& sp = *server.entity_id.value;
  attempt.login = codec.open_attempt(*cookie, sp, attempt.handle, now());
  if (!attempt.login) attempt.marker = codec.open_marker(*cookie, sp, attempt.handle, now());
  return attempt;
}

// One posted answer on its way to a session; in the request's pool.
struct Answer {
  std::string_view body;
  Nanoseconds arrived = 0;
  login::AcsForm form;
  Attempt attempt;  // points into `form`
  const login::Trust* trust = nullptr;
  Digest binding{};     // the trust's when the answer came
  std::uint64_t rules_digest = 0;  // likewise
  login::FinishLogin input;
  std::optional<login::LoginSteps> steps;
  std::optional<login::AcceptedLogin> accepted;  // by the steps, in an earlier turn
  std::optional<login::FinishedLogin> finished;
  std::optional<session::SessionId> id;          // of the session to be
  std::optional<Error> failure;                  // told late
  bool is_unsolicited = false;                   // then the attempt is one of our making, without a cookie
  ngx_http_request_t* request = nullptr;
  std::optional<RedisLogin> redis;
};

bool is_elsewhere(std::string_view target) { return target.rfind('/', 0) != 0; }

// Where to try again: at the page of the host that asked for the login; at this host's login; nowhere, where this one
// carries out the logins of others and does not know whose this was.
std::string retry_at(ngx_http_request_t* r, const SrvConf& server, std::string_view target) {
  if (is_elsewhere(target)) return std::string(target);
  return server.protects ? login_url(r, nullptr, target) : std::string();
}

// The attempt's cookie did not come back, or is of a login that was finished with another answer:
// once, a new attempt; then a page.
ngx_int_t attempt_lost(ngx_http_request_t* r, const SrvConf& server, const Attempt& attempt) {
  const std::string_view target = attempt.marker ? std::string_view(attempt.marker->target) : "/";
  // With logins of other hosts among them nobody knows where the user wants to go.
  const bool is_known = server.trusts.size() == 1 && server.carries_for.empty() && !is_elsewhere(target);
  if (attempt.is_retry || !is_known) {
    return refuse_login(r, {Reason::kAttemptLost, "the login attempt's cookie did not come back"},
                        {}, retry_at(r, server, target));
  }
  set_error(r, Reason::kAttemptLost);
  return send_login(r, server.trusts.front(), {target, 0, true, NGX_HTTP_SEE_OTHER});
}

std::optional<Error> remember_answer(ngx_http_request_t* r, SessionZone& zone,
                                     const login::FinishedLogin& finished,
                                     std::string_view request_id, std::string_view issuer) {
  const session::MarkResult mark =
      zone.table().mark(finished.answer, hash_tag(request_id), hash_tag(issuer),
                        finished.replay_until, now());
  zone.log_changes(r->connection->log, mark.live_evicted);
  switch (mark.status) {
    case session::MarkStatus::kFresh:
      return std::nullopt;
    case session::MarkStatus::kSameAttempt:
    case session::MarkStatus::kReplayed:
      return Error{Reason::kReplayed, "this assertion was used before"};
    case session::MarkStatus::kFull:
      return Error{Reason::kStoreFull, "the replay memory is full; enlarge saml_session_zone"};
    case session::MarkStatus::kClockWentBack:
      return Error{Reason::kStoreFull, "the system's clock was set back past forgotten answers"};
  }
  return Error{Reason::kInternal, "unknown answer of the session table"};
}

std::optional<Error> store_session(ngx_http_request_t* r, SessionZone& zone,
                                   const session::SessionId& id,
                                   const login::FinishedLogin& finished) {
  const session::InsertResult inserted =
      zone.table().insert(id.key, session::with_front(finished.record), finished.expires, now(),
                          finished.owner, finished.idp_session_hash);
  zone.log_changes(r->connection->log, inserted.live_evicted);
  switch (inserted.status) {
    case session::InsertStatus::kStored:
      return std::nullopt;
    case session::InsertStatus::kTooLarge:
      return Error{Reason::kIdentityTooLarge, "the session does not fit into saml_session_zone"};
    case session::InsertStatus::kNoRoom:
    case session::InsertStatus::kAbsent:
    case session::InsertStatus::kChanged:
      break;
  }
  return Error{Reason::kStoreFull, "no room in saml_session_zone"};
}

login::FinishLogin inputs(ngx_http_request_t* r, const SrvConf& server, const Answer& answer) {
  const session::LoginAttempt& attempt = *answer.attempt.login;
  login::FinishLogin input;
  input.trust = answer.trust;
  input.saml_response = answer.form.saml_response;
  if (!answer.is_unsolicited) input.request_id = attempt.request_id;
  if (attempt.origin) input.host = attempt.origin->host;
  input.max_authn_age = attempt.max_authn_age;
  // What other nodes read knows nothing of the times of this one.
  const SessionZone& zone = *session_zone(main_conf(r));
  input.generation = zone.is_cache() ? 0 : generation_of(*main_conf(r), *answer.trust);
  input.now = now();
  input.skew = server.clock_skew.or_default(180 * kSecond);
  input.max_assertion_age = server.max_assertion_age.or_default(24 * kHour);
  input.session_timeout = server.session_timeout.or_default(8 * kHour);
  input.max_message_bytes = server.max_message_size.or_default(256 * 1024);
  input.limits = server.server_location->limits();
  return input;
}

// The site that asked for the login: this one, or the one that it is carried out for.
std::string site_of_login(const SrvConf& server, const session::LoginAttempt& login) {
  return login.origin ? site_of(server, login.origin->host) : server.base;
}

std::string retry_url(const SrvConf& server, const Answer& answer) {
  const session::LoginAttempt& login = *answer.attempt.login;
  return login_url_at(site_of_login(server, login), server, nullptr, login.return_url, login.max_authn_age);
}

ngx_int_t refuse(ngx_http_request_t* r, const SrvConf& server, const Answer& answer, const Error& error) {
  return refuse_login(r, error, answer.trust->idp_name, retry_url(server, answer));
}

// Why everything was decided as it was, for `error_log ... debug`.
void log_explanation(ngx_http_request_t* r, const policy::Explanation& explanation) {
  for (const policy::Decision& decision : explanation) {
    ngx_log_debug(NGX_LOG_DEBUG_HTTP, r->connection->log, 0, "saml: %s",
                  policy::describe(decision).c_str());
  }
}

// What the accepted login's user gets; what ends the request here, or nullopt and answer.finished with an id for the session.
std::optional<ngx_int_t> resolve(ngx_http_request_t* r, const SrvConf& server, Answer& answer,
                                 const session::UserMemory* previous, const policy::UserList* listed = nullptr) {
  // Between two turns of the event loop a saml_idp may go, become another identity provider, or get other rules than those by
  // which the user was told.
  const bool is_same = answer.trust->binding == answer.binding && answer.trust->rules_digest == answer.rules_digest;
  if (answer.trust->is_vacant || !is_same) {
    return refuse(r, server, answer, {Reason::kUnknownIdp, "the saml_idp went or changed while the login was under way"});
  }
  policy::Explanation explanation;
  const bool is_debug = (r->connection->log->log_level & NGX_LOG_DEBUG_HTTP) != 0;
  auto finished =
      login::resolve_login(answer.input, *answer.accepted, previous, is_debug ? &explanation : nullptr, listed);
  log_explanation(r, explanation);
  if (!finished.ok()) return refuse(r, server, answer, finished.error());
  answer.finished = std::move(finished).value();
  answer.id = session::make_session_id(worker()->random());
  if (!answer.id) return refuse(r, server, answer, {Reason::kInternal, "no random bytes"});
  return std::nullopt;
}

// An answer that was used before: who has a session of it goes on (Back button, double click).
ngx_int_t refuse_replay(ngx_http_request_t* r, const SrvConf& server, const Answer& answer, const Error& error) {
  if (!has_live_session(r, *answer.trust)) return refuse(r, server, answer, error);
  set_error(r, Reason::kReplayed);
  const session::LoginAttempt& login = *answer.attempt.login;
  return see_other(r, is_elsewhere(login.return_url) ? login.return_url : site_of_login(server, login) + login.return_url, {});
}

LoginEnd end_of(const Answer& answer) {
  LoginEnd end;
  end.handle = answer.attempt.handle;
  end.answer = sha256(answer.form.saml_response);
  end.session = answer.id->key;
  end.target = answer.attempt.login->return_url;
  return end;
}

// Back to the host that the login was carried out for, with the session for its cookie.
ngx_int_t hand_back(ngx_http_request_t* r, const SrvConf& server, const Answer& answer) {
  const session::OriginAttempt& origin = *answer.attempt.login->origin;
  const session::LoginTicket ticket{origin, answer.trust->idp_name, answer.id->text, now()};
  const auto sealed =
      worker()->secrets(server).handovers.seal_ticket(ticket, *server.entity_id.value, worker()->random());
  if (!sealed) return refuse(r, server, answer, {Reason::kInternal, "the session could not be handed over"});
  const std::string site = site_of(server, origin.host);
  LoginEnd end = end_of(answer);
  end.target = site + end.target;
  if (end.target.size() > session::kMaxMarkerTarget) end.target = site + "/";
  std::string url = site + server.prefix + "/finish";
  append_query(url, "t", *sealed);
  return see_other(r, url, cookies_of(r, server, end));
}

// The session is stored.
ngx_int_t let_in(ngx_http_request_t* r, const SrvConf& server, const Answer& answer) {
  log_login(r, *answer.finished, answer.trust->idp_name);
  if (answer.attempt.login->origin) return hand_back(r, server, answer);
  end_earlier_sessions(r, answer.attempt.login->earlier_session, answer.id->key);
  LoginEnd end = end_of(answer);
  end.session_cookie = answer.id->text;
  end.idp = answer.trust->idp_name;
  return send_to_target(r, server, end.target, cookies_of(r, server, end));
}

ngx_int_t finish_in_zone(ngx_http_request_t* r, const SrvConf& server, Answer& answer) {
  const login::Trust& trust = *answer.trust;
  SessionZone& zone = *session_zone(main_conf(r));
  SecretUsers& secrets = worker()->secrets(server);
  const auto previous = recall_user(zone, secrets.user_memories, trust, answer.accepted->account.user);
  if (const auto end = resolve(r, server, answer, previous ? &*previous : nullptr)) return *end;
  const login::FinishedLogin& finished = *answer.finished;
  if (const auto error = remember_answer(r, zone, finished, answer.attempt.login->request_id, trust.idp_entity_id)) {
    return error->reason == Reason::kReplayed ? refuse_replay(r, server, answer, *error)
                                              : refuse(r, server, answer, *error);
  }
  if (const auto error = store_session(r, zone, *answer.id, finished)) return refuse(r, server, answer, *error);
  remember_user(r->connection->log, zone, secrets.user_memories, trust, finished.identity.user, finished.memory);
  return let_in(r, server, answer);
}

ngx_int_t refuse_for_now(ngx_http_request_t* r, const SrvConf& server, const Answer& answer, const std::string& why) {
  return refuse(r, server, answer, {Reason::kStoreUnavailable, why});
}

RedisLogin::What what_of(const SrvConf& server, const Answer& answer) {
  return {&server, answer.trust, &*answer.finished, answer.attempt.login->request_id, &*answer.id};
}

// One more step; nullopt: Redis is asked.
std::optional<ngx_int_t> go_on_in_redis(ngx_http_request_t* r, const SrvConf& server, Answer& answer) {
  RedisLogin& redis = *answer.redis;
  if (!answer.finished) {
    if (!redis.recall_problem().empty()) return refuse_for_now(r, server, answer, redis.recall_problem());
    if (const auto end = resolve(r, server, answer, redis.previous(), redis.listed())) return end;
    if (redis.write(what_of(server, answer))) return std::nullopt;
    return refuse_for_now(r, server, answer, "the session could not be sent to Redis");
  }
  switch (redis.outcome()) {
    case redis::LoginWrites::Outcome::kStored:
      redis.keep(*session_zone(main_conf(r)), what_of(server, answer));
      return let_in(r, server, answer);
    case redis::LoginWrites::Outcome::kReplayed:
      return refuse_replay(r, server, answer, {Reason::kReplayed, "this assertion was used before"});
    case redis::LoginWrites::Outcome::kInProgress:
      if (has_live_session(r, *answer.trust)) return refuse_replay(r, server, answer, {Reason::kReplayed, {}});
      return refuse_for_now(r, server, answer, "the same answer may be about to be accepted elsewhere");
    case redis::LoginWrites::Outcome::kPending:
    case redis::LoginWrites::Outcome::kUnavailable:
      break;
  }
  return refuse_for_now(r, server, answer, "Redis did not confirm the session: " + redis.problem());
}

void on_redis_step(void* owner) {
  auto& answer = *static_cast<Answer*>(owner);
  ngx_http_request_t* r = answer.request;
  ngx_connection_t* connection = r->connection;
  const std::optional<ngx_int_t> failure = NGX_HTTP_INTERNAL_SERVER_ERROR;
  const auto end = fence<std::optional<ngx_int_t>>(failure, connection->log,
                                                   [&] { return go_on_in_redis(r, *srv_conf(r), answer); });
  if (!end) return;
  ngx_http_finalize_request(r, *end);
  ngx_http_run_posted_requests(connection);
}

ngx_int_t begin_in_redis(ngx_http_request_t* r, const SrvConf& server, Answer& answer, RedisStore& store) {
  answer.request = r;
  answer.redis.emplace(store, worker()->secrets(server), on_redis_step, &answer);
  if (!answer.redis->recall(*answer.trust, answer.accepted->account)) {
    return refuse_for_now(r, server, answer, "Redis cannot be asked now");
  }
  r->main->count++;
  return NGX_DONE;
}

ngx_int_t finish(ngx_http_request_t* r, const SrvConf& server, Answer& answer) {
  RedisStore* store = worker()->store();
  return store == nullptr ? finish_in_zone(r, server, answer) : begin_in_redis(r, server, answer, *store);
}

void begin_steps(ngx_http_request_t* r, const SrvConf& server, Answer& answer) {
  answer.binding = answer.trust->binding;
  answer.rules_digest = answer.trust->rules_digest;
  answer.input = inputs(r, server, answer);
  answer.steps.emplace(answer.input);
}

// The IdP that an unsolicited answer claims to be from, where it may send such ones here; null: none.
Result<const login::Trust*> unsolicited_trust(ngx_http_request_t* r, const SrvConf& server, const Answer& answer) {
  const IdpChoices choices = choices_of(r, server);
  std::vector<const login::Trust*> allowed;
  for (const auto& trust : server.trusts) {
    if (trust->allow_unsolicited && choices.admit(trust.get())) allowed.push_back(trust.get());
  }
  if (allowed.empty()) return nullptr;
  auto issuer = login::claimed_issuer(answer.form.saml_response, server.max_message_size.or_default(256 * 1024));
  if (!issuer) return std::move(issuer).error();
  const auto is_other = [&](const login::Trust* trust) { return *issuer != trust->idp_entity_id; };
  allowed.erase(std::remove_if(allowed.begin(), allowed.end(), is_other), allowed.end());
  // Metadata by URL can make it two: nobody could tell whose the user is.
  return allowed.size() == 1 ? allowed.front() : nullptr;
}

// An answer that nobody asked for (Profiles 4.1.5): from an IdP that may, it is a login like any other, to the page that RelayState
// names. Else the page leads to a login of our own making, which is what its user wanted.
std::optional<ngx_int_t> begin_unsolicited(ngx_http_request_t* r, const SrvConf& server, Answer& answer) {
  const std::string& relay_state = answer.form.relay_state;
  const Error refusal{Reason::kUnsolicited, "RelayState names no login attempt of ours"};
  if (!server.protects || site_kind(r) != Site::kBase) return refuse_login(r, refusal, {}, login_url_for(r, relay_state));
  auto trust = unsolicited_trust(r, server, answer);
  if (!trust) return refuse_login(r, trust.error(), {}, login_url_for(r, relay_state));
  if (*trust == nullptr) return refuse_login(r, refusal, {}, login_url_for(r, relay_state));
  auto nonce = saml::make_request_id(worker()->random());
  if (!nonce) return refuse_login(r, {Reason::kInternal, "no random bytes"}, (*trust)->idp_name, {});
  answer.trust = *trust;
  answer.is_unsolicited = true;
  answer.attempt.login.emplace();
  answer.attempt.login->request_id = std::move(*nonce);  // the replay mark's, so that no second post is of the same attempt
  answer.attempt.login->idp = answer.trust->idp_name;
  answer.attempt.login->return_url = path_here(r, relay_state);
  answer.attempt.login->started = now();
  begin_steps(r, server, answer);
  return std::nullopt;
}

// Form, attempt and IdP; what ends the request here, or nullopt and steps to take.
std::optional<ngx_int_t> begin(ngx_http_request_t* r, const SrvConf& server, Answer& answer) {
  auto form = login::parse_acs_form(answer.body);
  if (!form.ok()) return refuse_login(r, form.error(), {}, login_url(r, nullptr, "/"));
  answer.form = std::move(form).value();
  answer.attempt = find_attempt(r, server, answer.form.relay_state);
  const Attempt& attempt = answer.attempt;
  if (attempt.marker && attempt.marker->answer == sha256(answer.form.saml_response)) {
    return send_to_target(r, server, attempt.marker->target, {});
  }
  if (attempt.handle.empty()) return begin_unsolicited(r, server, answer);
  if (!attempt.login) return attempt_lost(r, server, attempt);
  answer.trust = server.find_trust(attempt.login->idp);
  if (answer.trust == nullptr) {
    return refuse_login(r, {Reason::kUnknownIdp, "the attempt's saml_idp is no longer configured"},
                        attempt.login->idp,
                        retry_url(server, answer));
  }
  if (const auto error = answer.trust->unavailable(now())) return refuse(r, server, answer, *error);
  begin_steps(r, server, answer);
  return std::nullopt;
}

// Nobody remembers whether an answer was used before this zone was, or at workers that a newer nginx follows: who brings one
// that no attempt binds to the zone gets a login of our own.
std::optional<ngx_int_t> ask_anew(ngx_http_request_t* r, const Answer& answer) {
  const SessionZone& zone = *session_zone(main_conf(r));
  if (!answer.is_unsolicited || zone.is_cache()) return std::nullopt;
  const Millis issued = answer.accepted->response.assertion.issue_instant;
  if (issued >= zone.remembers_since(answer.input.skew) && !ngx_exiting) return std::nullopt;
  set_error(r, Reason::kUnsolicited);
  return send_login(r, *answer.trust, {answer.attempt.login->return_url, 0, true, NGX_HTTP_SEE_OTHER});
}

ngx_int_t refuse_late(ngx_http_request_t* r, void* data) {
  const Answer& answer = *static_cast<Answer*>(data);
  return refuse(r, *srv_conf(r), answer, *answer.failure);
}

// From the time that a decryption fails after, senders of changed ciphertexts would learn about the plaintext.
ngx_int_t refuse_in_time(ngx_http_request_t* r, const SrvConf& server, Answer& answer, const Error& error) {
  if (error.reason != Reason::kDecryptionFailed) return refuse(r, server, answer, error);
  answer.failure = error;
  return worker()->late_answers().put_off(r, answer.arrived, refuse_late, &answer);
}

std::optional<ngx_int_t> work(ngx_http_request_t* r, void* data) {
  Answer& answer = *static_cast<Answer*>(data);
  const SrvConf& server = *srv_conf(r);
  if (!answer.steps) {
    if (const auto end = begin(r, server, answer)) return end;
  }
  if (answer.accepted) return finish(r, server, answer);
  if (answer.steps->advance()) return std::nullopt;
  auto accepted = answer.steps->take_result();
  if (!accepted.ok()) return refuse_in_time(r, server, answer, accepted.error());
  answer.accepted = std::move(accepted).value();
  return ask_anew(r, answer);
}

ngx_int_t on_form(ngx_http_request_t* r, std::string_view body) {
  auto* answer = make_in_pool<Answer>(r->pool);
  if (answer == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  answer->body = body;
  answer->arrived = precise_now();
  return do_in_turns(r, work, answer);
}

ngx_int_t on_bad_body(ngx_http_request_t* r, ngx_uint_t status) {
  if (status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
    return refuse_login(r, {Reason::kTooLarge, "the posted form exceeds saml_max_message_size"}, {},
                        {});
  }
  return static_cast<ngx_int_t>(status);
}

bool is_urlencoded_form(ngx_http_request_t* r) {
  std::string_view type = view(r->headers_in.content_type);
  type = trim_blanks(type.substr(0, type.find(';')));
  return ascii_lower(type) == "application/x-www-form-urlencoded";
}

}  // namespace

ngx_int_t answer_acs(ngx_http_request_t* r) {
  if (r->method != NGX_HTTP_POST) {
    return refuse_login(r, {Reason::kMethodNotAllowed, "the ACS takes POST"}, {}, {});
  }
  if (!is_urlencoded_form(r)) {
    return refuse_login(
        r, {Reason::kContentTypeInvalid,
            expected_received("Content-Type", "application/x-www-form-urlencoded",
                              view(r->headers_in.content_type))},
        {}, {});
  }
  if (RequestState* state = find_state(r)) {
    // The browser's earlier session, which a finished login ends.
    look_up_session(r, *state);
    if (state->lookup == Lookup::kAsking) return when_store_answers(r, *state, answer_acs);
  }
  return read_body(r, max_body(*srv_conf(r)), on_form, on_bad_body);
}

}  // namespace sallyport::ngx
