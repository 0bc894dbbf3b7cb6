#include "login/resolve_again.h"

#include <algorithm>
#include <utility>

#include "login/grants.h"
#include "login/identity_record.h"
#include "policy/identity_headers.h"

namespace sallyport::login {
namespace {

using session::Field;

void copy_the_rest(const session::RecordView& from, session::RecordBuilder& record) {
  for (std::size_t i = static_cast<std::size_t>(Field::kIdp) + 1; i < session::kFieldCount; ++i) {
    record.set(static_cast<Field>(i), from.field(static_cast<Field>(i)));
  }
  for (std::size_t i = 0; i < from.attribute_count(); ++i) {
    const auto [name, list] = from.attribute(i);
    record.add_attribute(name, list);
  }
}

}  // namespace

policy::Profile profile_of(const session::RecordView& session) {
  const auto text = [&](Field field) { return policy::decode_value(session.field(field)); };
  policy::Profile profile;
  profile.first_name = text(Field::kFirstName);
  profile.last_name = text(Field::kLastName);
  profile.display_name = text(Field::kDisplayName);
  profile.timezone = text(Field::kTimezone);
  profile.account_role = text(Field::kAccountRole);
  for (std::string_view pairs = session.field(Field::kSpaces); !pairs.empty();) {
    const std::size_t comma = pairs.find(',');
    const std::string_view pair = pairs.substr(0, comma);
    pairs = comma == std::string_view::npos ? std::string_view() : pairs.substr(comma + 1);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    profile.spaces.push_back({policy::decode_value(pair.substr(0, equals)),
                              policy::decode_value(pair.substr(std::min(equals + 1, pair.size())))});
  }
  profile.spaces.resize(profile.spaces.size() - std::min(session.listed_spaces(), profile.spaces.size()));
  return profile;
}

std::string user_of(const session::RecordView& session) {
  return policy::decode_value(session.field(Field::kUser));
}

Result<ResolvedAgain> resolve_again(const session::RecordView& session, const Trust& trust,
                                    const policy::Known& known, std::uint32_t generation) {
  const Result<policy::Identity> identity =
      policy::resolve_identity(claims_of(session), *trust.rules, known);
  if (!identity) return identity.error();
  if (identity->user != user_of(session)) {
    return Error{Reason::kNoUser, expected_received("user", user_of(session), identity->user)};
  }
  const EncodedIdentity encoded = encode_identity(*identity, trust.idp_name);
  session::RecordBuilder record;
  record.set_binding(trust.binding);
  record.set_times(session.created(), session.authn_instant(), session.expires());
  record.set_resolution({rules_digest_of(trust, known.listed), generation});
  record.set_listed_spaces(identity->listed_spaces);
  set_identity(encoded, record);
  copy_the_rest(session, record);
  std::optional<std::string> bytes = record.build();
  if (!bytes) return Error{Reason::kIdentityTooLarge, "all attributes together exceed 64 KB"};
  const Grants before{session.field(Field::kGroups), session.field(Field::kSpaces)};
  const auto field = [&](Field each) { return std::string_view(encoded[static_cast<std::size_t>(each)]); };
  return ResolvedAgain{std::move(*bytes),
                       describe_changes(before, {field(Field::kGroups), field(Field::kSpaces)}),
                       identity->warnings};
}

}  // namespace sallyport::login
