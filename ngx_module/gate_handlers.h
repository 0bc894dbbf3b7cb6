// The module's phase handlers in the order nginx runs them.
#pragma once

#include "ngx.h"

namespace sallyport::ngx {

// Post-read: client-sent identity headers and our own cookies leave the request, before anything else
// (rewrite directives included) can look at them.
ngx_int_t post_read_handler(ngx_http_request_t* r);

// Server rewrite, after an internal redirect: the same again, and nothing of an earlier location stays.
ngx_int_t server_rewrite_handler(ngx_http_request_t* r);

// Rewrite, once per location: has the CPU fetch the session's record, which preaccess_handler copies.
ngx_int_t rewrite_handler(ngx_http_request_t* r);

// Preaccess, once per location and subrequest: who is this, does the session count here, and the
// headers that the upstream gets. Refuses subrequests that the main request's session would not pass,
// since nginx skips the access phase for them.
ngx_int_t preaccess_handler(ngx_http_request_t* r);

// Access: lets a session pass, sends everybody else to a login.
ngx_int_t access_handler(ngx_http_request_t* r);

// Precontent: the request was let in, by us or by another module.
ngx_int_t precontent_handler(ngx_http_request_t* r);

// Server rewrite: our own endpoints.
ngx_int_t endpoint_handler(ngx_http_request_t* r);

// Content of a location with `saml_endpoints`.
ngx_int_t endpoints_content_handler(ngx_http_request_t* r);

// Puts our header filter on top of nginx's chain (postconfiguration).
void install_response_filter();

// $saml_... (preconfiguration).
ngx_int_t add_variables(ngx_conf_t* cf);

}  // namespace sallyport::ngx
