// The site that a request's browser is at: saml_base_url, or one of the hosts whose logins are carried out over there
// (DESIGN 5.2).
#pragma once

#include "ngx.h"

#include <string>
#include <string_view>

#include "conf.h"

namespace sallyport::ngx {

// Whether the operator gave the server that name. A Host header that only the default server takes names nobody: what a
// browser keeps for such a name could be read by whoever has it resolve elsewhere later.
bool is_named_host(const SrvConf& server, std::string_view host);

// Whether the host is of a server whose logins this one carries out.
bool carries_for(const SrvConf& server, std::string_view host);

enum class Site {
  kBase,     // the ACS is here
  kOther,    // logins are handed over to saml_base_url
  kUnknown,  // so they would be, but the host is none of the server's names
};
Site site_kind(ngx_http_request_t* r);
// For the log, of that last kind.
std::string unknown_host(ngx_http_request_t* r);

// Whether a session counts here that was made for `host` (session::Field::kHost): at another one of our hosts only where
// cookies are shared (`domain=` of saml_cookie).
bool is_for_site(ngx_http_request_t* r, Site kind, std::string_view host);

// scheme://host[:port][/path] of that site, without a slash at the end: the scheme, port and path of saml_base_url, and the
// host where it is one of the operator's.
std::string site_of(ngx_http_request_t* r);
std::string site_of(const SrvConf& server, std::string_view host);

}  // namespace sallyport::ngx
