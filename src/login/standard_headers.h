// The standard identity headers (design, section 3) and how their sizes are kept in bounds.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/result.h"
#include "login/trust.h"
#include "session/record.h"

namespace sallyport::login {

struct StandardHeader {
  session::Field field;
  std::string_view suffix;    // behind the prefix: "First-Name"
  std::string_view variable;  // "saml_first_name"
  bool is_list;               // may be cut at an item; single values are never cut
};

// Those whose values are in every session's record, in the order of the design's table.
inline constexpr std::array<StandardHeader, 12> kStandardHeaders = {{
    {session::Field::kUser, "User", "saml_user", false},
    {session::Field::kEmail, "Email", "saml_email", false},
    {session::Field::kFirstName, "First-Name", "saml_first_name", false},
    {session::Field::kLastName, "Last-Name", "saml_last_name", false},
    {session::Field::kDisplayName, "Display-Name", "saml_display_name", false},
    {session::Field::kPicture, "Picture", "saml_picture", false},
    {session::Field::kTimezone, "Timezone", "saml_timezone", false},
    {session::Field::kSpaces, "Spaces", "saml_spaces", true},
    {session::Field::kRoles, "Roles", "saml_roles", true},
    {session::Field::kGroups, "Groups", "saml_groups", true},
    {session::Field::kAccountRole, "Account-Role", "saml_account_role", false},
    {session::Field::kIdp, "Idp", "saml_idp", false},
}};

// The encoded values beside kStandardHeaders; empty where the user has none.
using HeaderValues = std::array<std::string_view, kStandardHeaders.size()>;

// Holds the values to the limits: with `cut_lists` the lists are cut in place, each to `one` bytes
// and in the table's order to what the single values leave of `total`. Returns the suffixes of the
// lists that were cut, comma-separated (the value of the header Overflow). Reason:
// identity_too_large.
Result<std::string> fit_headers(HeaderValues& values, const HeaderLimits& limits);

}  // namespace sallyport::login
