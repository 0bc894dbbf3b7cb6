// $saml_...: the session's values in the encoded form of the headers. Empty in rewrite directives, which run
// before the session is looked up, and never cached.
#include "base/encoding.h"
#include "bridge.h"
#include "gate_handlers.h"
#include "request_ctx.h"
#include "session/record.h"
#include "session_lookup.h"

namespace sallyport::ngx {

namespace {

using session::Field;

ngx_int_t set_text(ngx_http_variable_value_t* v, ngx_pool_t* pool, std::string_view text) {
  const ngx_str_t copied = copy(pool, text);
  if (copied.data == nullptr) return NGX_ERROR;
  v->data = copied.data;
  v->len = static_cast<unsigned>(copied.len) & 0xFFFFFFF;
  v->valid = 1;
  v->no_cacheable = 1;
  v->not_found = 0;
  return NGX_OK;
}

ngx_int_t set_missing(ngx_http_variable_value_t* v) {
  v->not_found = 1;
  v->no_cacheable = 1;
  return NGX_OK;
}

// The session that counts in the request's location; null for anonymous requests.
const session::RecordView* session_of(ngx_http_request_t* r) {
  const RequestCtx* ctx = find_shared_ctx(r);
  return ctx == nullptr || !ctx->session ? nullptr : &*ctx->session;
}

template <class Body>
ngx_int_t guarded(ngx_http_request_t* r, Body&& body) {
  return fence<ngx_int_t>(NGX_ERROR, r->connection->log, body);
}

// The same with what lies behind the front of its record.
const session::RecordView* whole_session_of(ngx_http_request_t* r) {
  const RequestCtx* ctx = find_shared_ctx(r);
  if (ctx == nullptr || !ctx->session) return nullptr;
  return whole_record(r, *ctx->state);
}

ngx_int_t get_field(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data) {
  return guarded(r, [&] {
    const auto field = static_cast<Field>(data);
    const session::RecordView* record = field <= Field::kIdp ? session_of(r) : whole_session_of(r);
    if (record == nullptr) return set_missing(v);
    const std::string_view value = record->field(field);
    return value.empty() ? set_missing(v) : set_text(v, r->pool, value);
  });
}

enum class Active : uintptr_t { kSpace, kRole };

// Of saml_space.
ngx_int_t get_active(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data) {
  return guarded(r, [&] {
    const RequestCtx* ctx = find_shared_ctx(r);
    if (ctx == nullptr || !ctx->session) return set_missing(v);
    const std::string_view value =
        static_cast<Active>(data) == Active::kSpace ? ctx->space.encoded_name : ctx->space.encoded_role;
    return value.empty() ? set_missing(v) : set_text(v, r->pool, value);
  });
}

enum class Time : uintptr_t { kAuthnInstant, kExpires };

ngx_int_t get_time(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data) {
  return guarded(r, [&] {
    const session::RecordView* record = session_of(r);
    if (record == nullptr) return set_missing(v);
    const Millis time = static_cast<Time>(data) == Time::kExpires ? record->expires()
                                                                  : record->authn_instant();
    return set_text(v, r->pool, format_instant(time));
  });
}

ngx_int_t get_error(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t) {
  return guarded(r, [&] {
    const RequestState* state = find_state(r);
    if (state == nullptr || !state->error) return set_missing(v);
    return set_text(v, r->pool, reason_word(*state->error));
  });
}

// What an alias means to the IdP's policy; an attribute's Name, folded, where there is no such alias.
std::optional<std::string_view> find_attribute(const session::RecordView& session,
                                               const login::Trust* trust, std::string_view folded) {
  if (trust == nullptr || trust->rules->attributes.sources(folded) == nullptr) {
    return session.find_attribute_folded(folded);
  }
  const auto is_sent = [&](std::string_view name) { return session.find_attribute(name).has_value(); };
  const std::string* source = trust->rules->attributes.find_source(folded, is_sent);
  return source == nullptr ? std::nullopt : session.find_attribute(*source);
}

// `data` is the variable's whole name, saml_attr_NAME.
ngx_int_t get_attribute(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data) {
  return guarded(r, [&] {
    const session::RecordView* record = whole_session_of(r);
    if (record == nullptr) return set_missing(v);
    std::string_view name = view(*reinterpret_cast<ngx_str_t*>(data));
    name.remove_prefix(sizeof("saml_attr_") - 1);
    const auto value = find_attribute(*record, find_shared_ctx(r)->trust, name);
    return value ? set_text(v, r->pool, *value) : set_missing(v);
  });
}

constexpr uintptr_t of(Field field) { return static_cast<uintptr_t>(field); }
constexpr uintptr_t of(Active part) { return static_cast<uintptr_t>(part); }
constexpr uintptr_t of(Time time) { return static_cast<uintptr_t>(time); }

constexpr ngx_uint_t kFlags = NGX_HTTP_VAR_NOCACHEABLE;

ngx_http_variable_t variables[] = {
    {ngx_string("saml_user"), nullptr, get_field, of(Field::kUser), kFlags, 0},
    {ngx_string("saml_email"), nullptr, get_field, of(Field::kEmail), kFlags, 0},
    {ngx_string("saml_first_name"), nullptr, get_field, of(Field::kFirstName), kFlags, 0},
    {ngx_string("saml_last_name"), nullptr, get_field, of(Field::kLastName), kFlags, 0},
    {ngx_string("saml_display_name"), nullptr, get_field, of(Field::kDisplayName), kFlags, 0},
    {ngx_string("saml_picture"), nullptr, get_field, of(Field::kPicture), kFlags, 0},
    {ngx_string("saml_timezone"), nullptr, get_field, of(Field::kTimezone), kFlags, 0},
    {ngx_string("saml_spaces"), nullptr, get_field, of(Field::kSpaces), kFlags, 0},
    {ngx_string("saml_roles"), nullptr, get_field, of(Field::kRoles), kFlags, 0},
    {ngx_string("saml_groups"), nullptr, get_field, of(Field::kGroups), kFlags, 0},
    {ngx_string("saml_account_role"), nullptr, get_field, of(Field::kAccountRole), kFlags, 0},
    {ngx_string("saml_idp"), nullptr, get_field, of(Field::kIdp), kFlags, 0},
    {ngx_string("saml_space"), nullptr, get_active, of(Active::kSpace), kFlags, 0},
    {ngx_string("saml_role"), nullptr, get_active, of(Active::kRole), kFlags, 0},
    {ngx_string("saml_name_id"), nullptr, get_field, of(Field::kNameId), kFlags, 0},
    {ngx_string("saml_name_id_format"), nullptr, get_field, of(Field::kNameIdFormat), kFlags, 0},
    {ngx_string("saml_session_index"), nullptr, get_field, of(Field::kSessionIndex), kFlags, 0},
    {ngx_string("saml_authn_context"), nullptr, get_field, of(Field::kAuthnContext), kFlags, 0},
    {ngx_string("saml_authn_instant"), nullptr, get_time, of(Time::kAuthnInstant), kFlags, 0},
    {ngx_string("saml_session_expires"), nullptr, get_time, of(Time::kExpires), kFlags, 0},
    {ngx_string("saml_error"), nullptr, get_error, 0, kFlags, 0},
    {ngx_string("saml_attr_"), nullptr, get_attribute, 0, kFlags | NGX_HTTP_VAR_PREFIX, 0},
};

}  // namespace

ngx_int_t add_variables(ngx_conf_t* cf) {
  for (ngx_http_variable_t& variable : variables) {
    ngx_str_t name = variable.name;
    ngx_http_variable_t* added = ngx_http_add_variable(cf, &name, variable.flags);
    if (added == nullptr) return NGX_ERROR;
    added->get_handler = variable.get_handler;
    added->data = variable.data;
  }
  return NGX_OK;
}

}  // namespace sallyport::ngx
