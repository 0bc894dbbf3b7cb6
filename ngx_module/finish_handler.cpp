// /saml/finish, the last hop of a login through the ACS of another host (DESIGN 5.2): the ticket, beside the cookie of
// the attempt that this host began, becomes this host's own session cookie.
#include "base/encoding.h"
#include "bridge.h"
#include "endpoints.h"
#include "login_end.h"
#include "login_flow.h"
#include "redis_store.h"
#include "redis_exchange.h"
#include "request_ctx.h"
#include "respond.h"
#include "session/handover.h"
#include "session_lookup.h"
#include "session_zone.h"
#include "site.h"
#include "store_wait.h"
#include "worker.h"

namespace sallyport::ngx {

namespace {

// A ticket on its way to a session cookie; in the request's pool.
struct Finish {
  ngx_http_request_t* request = nullptr;
  Digest digest{};  // of the ticket as it came
  session::LoginTicket ticket;
  session::LoginAttempt attempt;
  const login::Trust* trust = nullptr;
  std::optional<RedisExchange> exchange;
};

// Longer than any node takes the ticket, whose clocks may be a little apart.
Millis used_until(const Finish& finish) { return finish.ticket.made + 2 * session::kTicketLifetime; }

ngx_int_t refuse(ngx_http_request_t* r, const Error& error, const Finish* finish = nullptr) {
  return refuse_login(r, error, finish == nullptr ? std::string_view() : finish->ticket.idp,
                      login_url(r, nullptr, finish == nullptr ? "/" : finish->attempt.return_url));
}

// The attempt's cookie; nullopt after a try to find the marker that it became.
std::optional<session::LoginAttempt> open_attempt(ngx_http_request_t* r, const Finish& finish,
                                                  std::optional<session::LoginMarker>* marker) {
  const SrvConf& server = *srv_conf(r);
  const RequestState* state = find_state(r);
  if (state == nullptr) return std::nullopt;
  const std::string& handle = finish.ticket.origin.handle;
  const auto cookie = state->session_cookie(server.cookie_settings.name + "." + handle);
  if (!cookie) return std::nullopt;
  auto& codec = worker()->secrets(server).login_states;
  const std::string& sp = *server.entity_id.value;
  auto attempt = codec.open_attempt(*cookie, sp, handle, now(), session::AttemptKind::kHandedOver);
  if (!attempt) *marker = codec.open_marker(*cookie, sp, handle, now());
  return attempt;
}

// Ticket and attempt; what ends the request here, or nullopt.
std::optional<ngx_int_t> begin(ngx_http_request_t* r, Finish& finish) {
  const SrvConf& server = *srv_conf(r);
  const auto text = argument(r, "t");
  if (!text) return refuse(r, {Reason::kAttemptLost, "no ticket"});
  auto ticket = worker()->secrets(server).handovers.open_ticket(*text, *server.entity_id.value,
                                                                view(r->headers_in.server), now());
  if (!ticket) return refuse(r, {Reason::kAttemptExpired, "the ticket is not for this host, or too old"});
  finish.ticket = std::move(*ticket);
  finish.digest = sha256(*text);
  std::optional<session::LoginMarker> marker;
  auto attempt = open_attempt(r, finish, &marker);
  if (marker && marker->answer == finish.digest) return send_to_target(r, server, marker->target, {});
  if (!attempt || attempt->request_id != finish.ticket.origin.nonce || attempt->idp != finish.ticket.idp) {
    return refuse(r, {Reason::kAttemptLost, "the login was not begun by this browser, or its cookie did not come back"});
  }
  finish.attempt = std::move(*attempt);
  finish.trust = server.find_trust(finish.ticket.idp);
  if (finish.trust == nullptr) return refuse(r, {Reason::kUnknownIdp, "the attempt's saml_idp is no longer configured"}, &finish);
  return std::nullopt;
}

ngx_int_t refuse_used(ngx_http_request_t* r, const Finish& finish) {
  if (!has_live_session(r, *finish.trust)) return refuse(r, {Reason::kReplayed, "this ticket was used before"}, &finish);
  set_error(r, Reason::kReplayed);
  return see_other(r, site_of(r) + finish.attempt.return_url, {});
}

// The ticket is marked as used.
ngx_int_t let_in(ngx_http_request_t* r, const Finish& finish) {
  const auto key = session::key_of_cookie(finish.ticket.session_id);
  if (!key) return refuse(r, {Reason::kInternal, "the ticket holds no session"}, &finish);
  end_earlier_sessions(r, finish.attempt.earlier_session, *key);
  const SrvConf& server = *srv_conf(r);
  LoginEnd end;
  end.handle = finish.ticket.origin.handle;
  end.answer = finish.digest;
  end.session = *key;
  end.session_cookie = finish.ticket.session_id;
  end.target = finish.attempt.return_url;
  end.idp = finish.trust->idp_name;
  return send_to_target(r, server, end.target, cookies_of(r, server, end));
}

ngx_int_t finish_in_zone(ngx_http_request_t* r, const Finish& finish) {
  SessionZone& zone = *session_zone(main_conf(r));
  const session::MarkResult mark = zone.table().mark(finish.digest, hash_tag(finish.ticket.origin.nonce),
                                                     hash_tag(finish.trust->idp_entity_id), used_until(finish), now());
  zone.log_changes(r->connection->log, mark.live_evicted);
  switch (mark.status) {
    case session::MarkStatus::kFresh:
      return let_in(r, finish);
    case session::MarkStatus::kSameAttempt:
    case session::MarkStatus::kReplayed:
      return refuse_used(r, finish);
    case session::MarkStatus::kFull:
    case session::MarkStatus::kClockWentBack:
      break;
  }
  return refuse(r, {Reason::kStoreFull, "the replay memory is full, or the clock was set back"}, &finish);
}

ngx_int_t refuse_for_now(ngx_http_request_t* r, const Finish& finish) {
  return refuse(r, {Reason::kStoreUnavailable, "Redis did not confirm that the ticket is new"}, &finish);
}

void on_marked(void* owner, std::vector<redis::OwnedReply> replies) {
  auto& finish = *static_cast<Finish*>(owner);
  ngx_http_request_t* r = finish.request;
  ngx_connection_t* connection = r->connection;
  const ngx_int_t rc = fence<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR, connection->log, [&] {
    if (replies[0] == nullptr) return refuse_for_now(r, finish);
    const redis::Reply reply(replies[0].get());
    if (reply.is_nil()) return refuse_used(r, finish);
    return reply.is_ok() ? let_in(r, finish) : refuse_for_now(r, finish);
  });
  ngx_http_finalize_request(r, rc);
  ngx_http_run_posted_requests(connection);
}

// SET NX: if its answer is lost, the ticket counts as used.
ngx_int_t finish_in_redis(ngx_http_request_t* r, Finish& finish, RedisStore& store) {
  if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  finish.request = r;
  finish.exchange.emplace(on_marked, &finish);
  std::vector<redis::Command> commands;
  commands.push_back(redis::set_if_absent(store.keys().answer(finish.digest), "ticket", used_until(finish) - now()));
  if (!finish.exchange->start(store.client(), std::move(commands), false)) return refuse_for_now(r, finish);
  // As in do_in_turns(): the phases must not run again because the connection can be written to.
  r->read_event_handler = ngx_http_test_reading;
  r->write_event_handler = ngx_http_request_empty_handler;
  r->main->count++;
  return NGX_DONE;
}

}  // namespace

ngx_int_t answer_finish(ngx_http_request_t* r) {
  // A HEAD would use the ticket up.
  if (r->method != NGX_HTTP_GET) return method_not_allowed(r, "GET");
  if (site_kind(r) != Site::kOther) return refuse(r, {Reason::kUnknownIdp, "logins are not handed over at this host"});
  if (RequestState* state = find_state(r)) {
    // The browser's earlier session, which the login ends.
    look_up_session(r, *state);
    if (state->lookup == Lookup::kAsking) return when_store_answers(r, *state, answer_finish);
  }
  auto* finish = make_in_pool<Finish>(r->pool);
  if (finish == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (const auto end = begin(r, *finish)) return *end;
  RedisStore* store = worker()->store();
  return store == nullptr ? finish_in_zone(r, *finish) : finish_in_redis(r, *finish, *store);
}

}  // namespace sallyport::ngx
