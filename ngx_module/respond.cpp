#include "respond.h"

#include "base/encoding.h"
#include "bridge.h"
#include "request_ctx.h"
#include "worker.h"

namespace sallyport::ngx {

const std::string_view kSetCookie = "Set-Cookie";
const std::string_view kRetryAfter = "5";

namespace {

bool add_headers(ngx_http_request_t* r, const Reply& reply) {
  bool ok = add_header_out(r, "Cache-Control", "no-store");
  for (const std::string& cookie : reply.set_cookies) {
    ok = ok && add_header_out(r, kSetCookie, cookie);
  }
  for (const auto& [name, value] : reply.headers) ok = ok && add_header_out(r, name, value);
  if (!reply.location.empty()) {
    ok = ok && add_header_out(r, "Location", reply.location);
    // The element just added: nginx wants to know it.
    auto* last = static_cast<ngx_table_elt_t*>(r->headers_out.headers.last->elts);
    if (ok) r->headers_out.location = &last[r->headers_out.headers.last->nelts - 1];
  }
  return ok;
}

bool is_of_an_answer(const ngx_table_elt_t& header) {
  for (const std::string_view name : {"Cache-Control", "Expires", "Content-Disposition"}) {
    if (header.key.len == name.size() &&
        ngx_strncasecmp(header.key.data,
                        reinterpret_cast<u_char*>(const_cast<char*>(name.data())),
                        name.size()) == 0) {
      return true;
    }
  }
  return false;
}

// An error_page or X-Accel-Redirect on the way here leaves a status and headers behind; with them a
// redirect to the login would go out as the earlier answer's status.
void forget_earlier_answer(ngx_http_request_t* r) {
  if (!r->internal) return;
  r->err_status = 0;
  r->headers_out.status_line.len = 0;
  ngx_http_clear_accept_ranges(r);
  ngx_http_clear_last_modified(r);
  ngx_http_clear_etag(r);
  ngx_http_clear_location(r);
  for (ngx_list_part_t* part = &r->headers_out.headers.part; part; part = part->next) {
    auto* headers = static_cast<ngx_table_elt_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) {
      if (is_of_an_answer(headers[i])) headers[i].hash = 0;
    }
  }
}

ngx_int_t send_body(ngx_http_request_t* r, std::string_view body) {
  ngx_buf_t* buffer = ngx_create_temp_buf(r->pool, body.size());
  if (buffer == nullptr) return NGX_ERROR;
  buffer->last = ngx_cpymem(buffer->last, body.data(), body.size());
  buffer->last_buf = r == r->main;
  buffer->last_in_chain = 1;
  ngx_chain_t chain{buffer, nullptr};
  return ngx_http_output_filter(r, &chain);
}

void log_refusal(ngx_http_request_t* r, const char* what, const Error& error,
                 std::string_view who_name, std::string_view who, std::string_view reference) {
  unsigned suppressed = 0;
  if (!worker()->may_log_refusal(ngx_time(), &suppressed)) return;
  if (suppressed > 0) {
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "saml: %ui refusals were not logged",
                  static_cast<ngx_uint_t>(suppressed));
  }
  const std::string line = std::string(what) + " reason=" + std::string(reason_word(error.reason)) +
                           " " + std::string(who_name) + "=" + log_escape(who) +
                           " ref=" + std::string(reference) +
                           (error.detail.empty() ? "" : " detail: " + log_escape(error.detail, 800));
  ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "saml: %s", line.c_str());
}

// Notes the refusal in the request's state and returns its reference number.
std::string note_refusal(ngx_http_request_t* r, Reason reason) {
  std::string reference = make_reference();
  if (RequestState* state = require_state(r)) {
    state->error = reason;
    state->reference = copy(r->main->pool, reference);
  }
  return reference;
}

ngx_int_t send_error_page(ngx_http_request_t* r, const login::ErrorPage& page) {
  const login::PageTemplate* own = srv_conf(r)->error_page.get();
  const login::Page html = own == nullptr ? login::error_page(page) : login::error_page(*own, page);
  Reply reply = page_reply(static_cast<ngx_uint_t>(reason_http_status(page.reason)), html);
  if (reply.status == NGX_HTTP_SERVICE_UNAVAILABLE) {
    reply.headers.emplace_back("Retry-After", kRetryAfter);
  }
  if (page.reason == Reason::kMethodNotAllowed) reply.headers.emplace_back("Allow", "POST");
  return send_reply(r, reply);
}

}  // namespace

bool add_header_out(ngx_http_request_t* r, std::string_view name, std::string_view value) {
  auto* element = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
  if (element == nullptr) return false;
  element->hash = 0;  // not sent while incomplete
  element->key = borrow(name);
  element->value = copy(r->pool, value);
#if SALLYPORT_LINKED_HEADERS
  element->next = nullptr;
#endif
  if (element->value.data == nullptr) return false;
  element->hash = 1;
  return true;
}

ngx_int_t send_reply(ngx_http_request_t* r, const Reply& reply) {
  const ngx_int_t discarded = ngx_http_discard_request_body(r);
  if (discarded != NGX_OK) return discarded;

  forget_earlier_answer(r);
  r->headers_out.status = reply.status;
  r->headers_out.content_length_n = static_cast<off_t>(reply.body.size());
  if (!reply.body.empty()) {
    r->headers_out.content_type = copy(r->pool, reply.content_type);
    if (r->headers_out.content_type.data == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    // The type is complete: nginx must not append a charset.
    r->headers_out.content_type_len = r->headers_out.content_type.len;
  }
  if (!add_headers(r, reply)) return NGX_HTTP_INTERNAL_SERVER_ERROR;

  const ngx_int_t sent = ngx_http_send_header(r);
  if (sent == NGX_ERROR || sent > NGX_OK || r->header_only) return sent;
  if (reply.body.empty()) return ngx_http_send_special(r, NGX_HTTP_LAST);
  return send_body(r, reply.body);
}

Reply page_reply(ngx_uint_t status, const login::Page& page) {
  Reply reply;
  reply.status = status;
  reply.body = page.html;
  reply.headers.emplace_back("Content-Security-Policy", page.content_security_policy);
  reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
  // "no-referrer" would turn the Origin of our own forms into "null".
  reply.headers.emplace_back("Referrer-Policy", "same-origin");
  return reply;
}

std::string make_reference() {
  char bytes[4] = {};
  if (!worker()->random().fill(bytes, sizeof(bytes))) return "00000000";
  return hex_encode({bytes, sizeof(bytes)});
}

ngx_int_t refuse_login(ngx_http_request_t* r, const Error& error, std::string_view idp,
                       std::string_view retry_url) {
  const std::string reference = note_refusal(r, error.reason);
  log_refusal(r, "login refused", error, "idp", idp, reference);
  return send_error_page(r, {error.reason, reference, retry_url, {}});
}

std::string note_access_refusal(ngx_http_request_t* r, const Error& error, std::string_view user) {
  std::string reference = note_refusal(r, error.reason);
  log_refusal(r, "access refused", error, "user", user, reference);
  return reference;
}

ngx_int_t refuse_access(ngx_http_request_t* r, const Error& error, std::string_view user,
                        std::string_view missing_access) {
  const std::string reference = note_access_refusal(r, error, user);
  return send_error_page(r, {error.reason, reference, {}, missing_access});
}

}  // namespace sallyport::ngx
