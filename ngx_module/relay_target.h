// Where a RelayState that is none of ours leads: IdPs send what their administrator wrote (Bindings 3.5.3).
#pragma once

#include "ngx.h"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::ngx {

// Where a login leads that was asked for with this `return`: a local path, also where the whole address of a page of this site was
// given; the address of a page at another host of the cookie's domain (same scheme and port), which the session counts for too;
// "/" for anything else.
std::string return_target(ngx_http_request_t* r, const std::optional<std::string>& value);

// A page of the request's site, named by its path or its whole address; "/" for anything else.
std::string path_here(ngx_http_request_t* r, std::string_view relay_state);

// The login that leads there. On a host that only carries out the logins of others: the login of the host whose page it
// names, or empty.
std::string login_url_for(ngx_http_request_t* r, std::string_view relay_state);

}  // namespace sallyport::ngx
