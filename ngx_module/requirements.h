// saml_require of a location, evaluated for one request.
#pragma once

#include "ngx.h"

#include <optional>
#include <string>

#include "conf.h"
#include "request_ctx.h"

namespace sallyport::ngx {

// The first line of which no pair holds, in words for the 403 page and the log ("group=admins or
// user=root"); nullopt when every line holds. A variable that cannot be evaluated never matches.
std::optional<std::string> missing_access(ngx_http_request_t* r, const LocConf& location,
                                          const session::RecordView& session);

}  // namespace sallyport::ngx
