// The IdPs that may log somebody in at the site of a request, whatever page is asked for.
#pragma once

#include "ngx.h"

#include <string>
#include <string_view>
#include <vector>

#include "conf.h"

namespace sallyport::ngx {

// What the variable of an auth_saml says for this request.
std::string_view named_idp(ngx_http_request_t* r, const LocConf::AuthSaml& auth);
// For the log: that there is no saml_idp of that name.
std::string unknown_name(ngx_http_request_t* r, const LocConf::AuthSaml& auth);

struct IdpChoices {
  std::vector<const login::Trust*> trusts;  // that the server's auth_saml lines name for this request
  // A variable of theirs tells nothing here, as one of the path does: any IdP may be asked for by name. Not at a host whose
  // logins are handed over: there the host has to tell.
  bool is_open = false;

  bool admit(const login::Trust* trust) const;
};

IdpChoices choices_of(ngx_http_request_t* r, const SrvConf& server);

}  // namespace sallyport::ngx
