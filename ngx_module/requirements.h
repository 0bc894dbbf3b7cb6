// Whether a session's user may enter a location: `saml_space` and `saml_require`.
#pragma once

#include "ngx.h"

#include <optional>
#include <string>

#include "conf.h"
#include "request_ctx.h"

namespace sallyport::ngx {

// What an administrator must grant.
struct MissingAccess {
  std::string logged;    // "saml_require: group=Engineering"
  std::string in_words;  // for the page
};

// The request's active space and the session's role in it, into the context (saml_space). False when memory is
// short.
bool find_active_space(ngx_http_request_t* r, const LocConf& location, RequestCtx& ctx);

// nullopt: the session's user has the active space, and all lines hold.
std::optional<MissingAccess> missing_access(ngx_http_request_t* r, const LocConf& location, const RequestCtx& ctx);

}  // namespace sallyport::ngx
