#include "login/identity_record.h"

#include <algorithm>

#include "policy/identity_headers.h"

namespace sallyport::login {

EncodedIdentity encode_identity(const policy::Identity& identity, std::string_view idp_name) {
  return {policy::encode_value(identity.user), policy::encode_value(identity.email),
          policy::encode_value(identity.first_name), policy::encode_value(identity.last_name),
          policy::encode_value(identity.display_name), policy::encode_value(identity.picture),
          policy::encode_value(identity.timezone), policy::encode_spaces(identity.spaces),
          policy::encode_roles(identity.spaces), policy::encode_list(identity.groups),
          policy::encode_value(identity.account_role), policy::encode_value(idp_name)};
}

Result<std::string> check_limits(const EncodedIdentity& encoded, const HeaderLimits& limits) {
  HeaderValues values;
  std::copy(encoded.begin(), encoded.end(), values.begin());
  return fit_headers(values, limits);
}

void set_identity(const EncodedIdentity& encoded, session::RecordBuilder& record) {
  for (std::size_t i = 0; i < kStandardHeaders.size(); ++i) {
    record.set(kStandardHeaders[i].field, encoded[i]);
  }
}

policy::Claims claims_of(const session::RecordView& record) {
  using session::Field;
  policy::Claims claims;
  const auto text = [&](Field field) { return policy::decode_value(record.field(field)); };
  if (!record.field(Field::kNameId).empty()) {
    claims.name_id = saml::NameId{text(Field::kNameId), text(Field::kNameIdFormat),
                                  text(Field::kNameQualifier), text(Field::kSpNameQualifier)};
  }
  for (std::size_t i = 0; i < record.attribute_count(); ++i) {
    const auto [name, list] = record.attribute(i);
    claims.attributes.push_back({std::string(name), "", policy::decode_list(list)});
  }
  return claims;
}

}  // namespace sallyport::login
