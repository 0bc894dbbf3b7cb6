// The module's own endpoints under saml_endpoint, one handler each. The results are for
// ngx_http_finalize_request, or NGX_DONE while a body is read.
#pragma once

#include "ngx.h"

#include <optional>
#include <string>
#include <string_view>

#include "conf.h"

namespace sallyport::ngx {

enum class Endpoint { kNone, kLogin, kAcs, kFinish, kMetadata, kLogout, kSession };

// Which endpoint a request is for: the listed paths, exactly.
Endpoint endpoint_of(const SrvConf& server, std::string_view uri);

ngx_int_t answer_login(ngx_http_request_t* r);     // login_handler.cpp
ngx_int_t answer_acs(ngx_http_request_t* r);       // acs_handler.cpp
ngx_int_t answer_finish(ngx_http_request_t* r);    // finish_handler.cpp
ngx_int_t answer_logout(ngx_http_request_t* r);    // logout_handler.cpp
ngx_int_t answer_metadata(ngx_http_request_t* r);  // metadata_handler.cpp
ngx_int_t answer_session(ngx_http_request_t* r);   // session_handler.cpp

// An argument of the query, decoded; nullopt: there is none, or its escapes are broken.
std::optional<std::string> argument(ngx_http_request_t* r, std::string_view name);

// A return address that a client names: a local path of at most session::kMaxReturnUrl bytes, else `fallback`.
std::string local_or(const std::optional<std::string>& value, std::string_view fallback);

// The local path in an argument of the query; `fallback` when it is missing or leads elsewhere.
std::string return_argument(ngx_http_request_t* r, std::string_view fallback);

// 405 with Allow.
ngx_int_t method_not_allowed(ngx_http_request_t* r, std::string_view allowed);

}  // namespace sallyport::ngx
