#include "session/index_keys.h"

#include "base/flat.h"

namespace sallyport::session {

IndexKeys::IndexKeys(const Digest& secret) : secret_(derive_key(as_view(secret), "session indexes")) {}

Digest IndexKeys::of_user(std::string_view idp_name, std::string_view user) const {
  std::string bytes = "user";
  append_text(bytes, idp_name);
  append_text(bytes, user);
  return hmac_sha256(as_view(secret_), bytes);
}

Digest IndexKeys::of_idp_session(std::string_view issuer, const saml::NameId& name_id,
                                 std::string_view session_index) const {
  std::string bytes = "idp session";
  append_text(bytes, issuer);
  append_text(bytes, name_id.name_qualifier);
  append_text(bytes, name_id.sp_name_qualifier);
  append_text(bytes, name_id.value);
  append_text(bytes, session_index);
  return hmac_sha256(as_view(secret_), bytes);
}

}  // namespace sallyport::session
