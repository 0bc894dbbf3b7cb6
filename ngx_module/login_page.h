// The page where the user chooses the IdP.
#pragma once

#include "ngx.h"

#include <string>
#include <string_view>
#include <vector>

#include "login/trust.h"
#include "login_flow.h"

namespace sallyport::ngx {

// Sends it; for ngx_http_finalize_request. With more IdPs than it has buttons for, users write their e-mail addresses.
// `unknown_email`: one that led nowhere.
ngx_int_t send_login_page(ngx_http_request_t* r, std::vector<const login::Trust*> trusts, const LoginStart& start,
                          std::string_view unknown_email = {});

constexpr std::size_t kMostButtons = 8;

}  // namespace sallyport::ngx
