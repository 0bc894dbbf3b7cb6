#include "policy/policy.h"

#include "base/flat.h"

namespace sallyport::policy {

Digest digest_of(const Policy& policy) {
  std::string out;
  append_text(out, policy.name);
  policy.spaces.append_digest_input(out);
  policy.roles.append_digest_input(out);
  policy.account_roles.append_digest_input(out);
  policy.groups.append_digest_input(out);
  for (const std::string* from :
       {&policy.spaces_from, &policy.roles_from, &policy.groups_from, &policy.timezone_from}) {
    append_text(out, *from);
  }
  for (const bool flag : {policy.group_sync, policy.has_one_idp, policy.must_be_listed,
                          policy.keeps_first_profile, policy.refuses_overage, policy.users != nullptr, policy.users_in_store}) {
    out += flag ? '1' : '0';
  }
  if (policy.users != nullptr) append_digest(out, policy.users->digest());
  return sha256(out);
}

}  // namespace sallyport::policy
