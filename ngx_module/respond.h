// Answers of our own: pages, redirects, JSON. All carry Cache-Control: no-store.
#pragma once

#include "ngx.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "login/pages.h"

namespace sallyport::ngx {

struct Reply {
  ngx_uint_t status = NGX_HTTP_OK;
  std::string_view content_type = "text/html; charset=utf-8";
  std::string_view body;
  std::string_view location;                    // Location, for redirects
  std::vector<std::string> set_cookies;
  std::vector<std::pair<std::string_view, std::string>> headers;
};

// Sends the reply and discards the request's body. The result is for ngx_http_finalize_request, never
// for the access phase (where NGX_OK would mean "granted").
ngx_int_t send_reply(ngx_http_request_t* r, const Reply& reply);

Reply page_reply(ngx_uint_t status, const login::Page& page);

// Name of the cookies that we set. Their elements hold these very bytes, which tells them from an
// upstream's that is on the way out in the same answer.
extern const std::string_view kSetCookie;

// Seconds, for an answer of 503.
extern const std::string_view kRetryAfter;

// Adds a response header; false when memory is short. `name` must live as long as the request.
bool add_header_out(ngx_http_request_t* r, std::string_view name, std::string_view value);

// A fresh reference number for the page and the log line of one refusal: 8 hexadecimal digits.
std::string make_reference();

// Refuses: one log line with the private detail (at most 10 a second), $saml_error, and a page with the
// reference number. `retry_url` may be empty. The result is for ngx_http_finalize_request.
ngx_int_t refuse_login(ngx_http_request_t* r, const Error& error, std::string_view idp,
                       std::string_view retry_url);

// The same for a request that is not a login: "saml: access refused reason=...".
ngx_int_t refuse_access(ngx_http_request_t* r, const Error& error, std::string_view user,
                        std::string_view missing_access);

// The log line of refuse_access and $saml_error, without a page, for an error_page of the operator's.
// Returns the reference number.
std::string note_access_refusal(ngx_http_request_t* r, const Error& error, std::string_view user);

}  // namespace sallyport::ngx
