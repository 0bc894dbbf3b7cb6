// /saml/session: JSON of one's own session, for a single-page application.
#include "base/encoding.h"
#include "bridge.h"
#include "endpoints.h"
#include "login_flow.h"
#include "policy/identity_headers.h"
#include "request_ctx.h"
#include "respond.h"
#include "session_lookup.h"
#include "session_resolution.h"
#include "store_wait.h"

namespace sallyport::ngx {

namespace {

struct JsonField {
  const char* name;
  session::Field field;
};

constexpr JsonField kSingle[] = {
    {"user", session::Field::kUser},
    {"email", session::Field::kEmail},
    {"first_name", session::Field::kFirstName},
    {"last_name", session::Field::kLastName},
    {"display_name", session::Field::kDisplayName},
    {"picture", session::Field::kPicture},
    {"timezone", session::Field::kTimezone},
    {"account_role", session::Field::kAccountRole},
    {"idp", session::Field::kIdp},
};

std::string json_of(const session::RecordView& record) {
  std::string json = "{";
  for (const JsonField& entry : kSingle) {
    const std::string_view value = record.field(entry.field);
    if (value.empty()) continue;
    json += json_quote(entry.name) + ":" + json_quote(policy::decode_value(value)) + ",";
  }
  const auto or_empty = [](std::string text, const char* empty) {
    return text.empty() ? std::string(empty) : text;
  };
  json += "\"spaces\":" +
          or_empty(policy::pairs_to_json(record.field(session::Field::kSpaces)), "{}");
  json += ",\"roles\":" + or_empty(policy::list_to_json(record.field(session::Field::kRoles)), "[]");
  json +=
      ",\"groups\":" + or_empty(policy::list_to_json(record.field(session::Field::kGroups)), "[]");
  json += ",\"login\":" + json_quote(format_instant(record.created()));
  json += ",\"expires\":" + json_quote(format_instant(record.expires())) + "}\n";
  return json;
}

ngx_int_t send_unavailable(ngx_http_request_t* r) {
  set_error(r, Reason::kStoreUnavailable);
  Reply reply;
  reply.status = NGX_HTTP_SERVICE_UNAVAILABLE;
  reply.content_type = "application/json";
  reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
  reply.headers.emplace_back("Retry-After", kRetryAfter);
  reply.body = "{\"error\":\"store_unavailable\"}\n";
  return send_reply(r, reply);
}

}  // namespace

ngx_int_t answer_session(ngx_http_request_t* r) {
  if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) return method_not_allowed(r, "GET, HEAD");
  Reply reply;
  reply.content_type = "application/json";
  reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
  RequestState* state = find_state(r);
  if (state != nullptr) {
    look_up_session(r, *state);
    if (state->lookup == Lookup::kAsking) return when_store_answers(r, *state, answer_session);
    if (state->lookup == Lookup::kUnavailable) return send_unavailable(r);
  }
  const UpToDate own = state == nullptr ? UpToDate::kEnded : bring_own_up_to_date(r, *state);
  if (own == UpToDate::kAsking) return when_store_answers(r, *state, answer_session);
  if (own == UpToDate::kUnavailable) return send_unavailable(r);
  if (own == UpToDate::kEnded) {
    set_error(r, Reason::kLoginRequired);
    if (!add_login_headers(r, *loc_conf(r), nullptr)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    const std::string body =
        "{\"error\":\"login_required\",\"login\":" + json_quote(login_url(r, nullptr, {})) +
        "}\n";
    reply.status = NGX_HTTP_UNAUTHORIZED;
    reply.body = body;
    return send_reply(r, reply);
  }
  const std::string body = json_of(*state->record);
  reply.body = body;
  return send_reply(r, reply);
}

}  // namespace sallyport::ngx
