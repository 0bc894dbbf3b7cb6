// An identity as the texts that headers, variables and the session's record hold.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/result.h"
#include "login/standard_headers.h"
#include "policy/identity.h"
#include "session/record.h"

namespace sallyport::login {

// Beside kStandardHeaders.
using EncodedIdentity = std::array<std::string, kStandardHeaders.size()>;

EncodedIdentity encode_identity(const policy::Identity& identity, std::string_view idp_name);

// The suffixes of the lists that the limits will cut (see fit_headers). Reason: identity_too_large.
Result<std::string> check_limits(const EncodedIdentity& encoded, const HeaderLimits& limits);

void set_identity(const EncodedIdentity& encoded, session::RecordBuilder& record);

// What a record keeps of the IdP's words, for a later resolution by other rules. The whole record is wanted.
policy::Claims claims_of(const session::RecordView& record);

}  // namespace sallyport::login
