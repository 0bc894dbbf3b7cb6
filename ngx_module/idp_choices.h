// The IdPs that may log somebody in at the site of a request, whatever page is asked for.
#pragma once

#include "ngx.h"

#include <vector>

#include "conf.h"

namespace sallyport::ngx {

struct IdpChoices {
  std::vector<const login::Trust*> trusts;  // that the server's auth_saml lines name for this request
  bool is_open = false;  // a variable of theirs tells nothing here, as one of the path does: any IdP may be asked for by name

  bool admit(const login::Trust* trust) const;
};

IdpChoices choices_of(ngx_http_request_t* r, const SrvConf& server);

}  // namespace sallyport::ngx
