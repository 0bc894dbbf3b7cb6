// The IdPs that may log somebody in at the site of a request, whatever page is asked for.
#pragma once

#include "ngx.h"

#include <vector>

#include "conf.h"

namespace sallyport::ngx {

struct IdpChoices {
  std::vector<const login::Trust*> trusts;  // that the server's auth_saml lines name for this request
  // A variable of theirs tells nothing here, as one of the path does: any IdP may be asked for by name. Not at a host whose
  // logins are handed over: there the host has to tell.
  bool is_open = false;

  bool admit(const login::Trust* trust) const;
};

IdpChoices choices_of(ngx_http_request_t* r, const SrvConf& server);

}  // namespace sallyport::ngx
