// Under which keys a store that is not trusted indexes sessions: nobody without the secret finds a user by them.
#pragma once

#include <string_view>

#include "base/digest.h"
#include "saml/assertion.h"

namespace sallyport::session {

class IndexKeys {
 public:
  explicit IndexKeys(const Digest& secret);

  // The sessions of a user of an IdP.
  Digest of_user(std::string_view idp_name, std::string_view user) const;
  // Those of one session at the IdP (SAML Core 2.7.2, SessionIndex). With an empty index: all of that subject there, which a
  // LogoutRequest without SessionIndex means (SAML Core 3.7.1).
  Digest of_idp_session(std::string_view issuer, const saml::NameId& name_id, std::string_view session_index) const;

 private:
  Digest secret_;
};

}  // namespace sallyport::session
