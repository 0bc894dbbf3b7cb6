// The form posted to the ACS: any bytes may come, and what is taken means what was sent.
#include <string>

#include "base/encoding.h"
#include "login/finish_login.h"
#include "support/fuzz_target.h"

namespace {

using namespace sallyport;

bool has_control(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

}  // namespace

FUZZ_TARGET(form) {
  const auto form = login::parse_acs_form(input);
  if (!form.ok()) {
    const Reason reason = form.error().reason;
    REQUIRE(reason == Reason::kFormInvalid || reason == Reason::kResponseMissing);
    return;
  }
  REQUIRE(!form->saml_response.empty() && form->saml_response.size() <= input.size());
  REQUIRE(form->relay_state.size() <= input.size() && !has_control(form->relay_state));
  // Written anew, the two fields are read as the same form, and not a second time.
  const std::string again = "RelayState=" + url_encode(form->relay_state) +
                            "&SAMLResponse=" + url_encode(form->saml_response);
  const auto same = login::parse_acs_form(again);
  REQUIRE(same.ok() && same->saml_response == form->saml_response &&
          same->relay_state == form->relay_state);
  REQUIRE(!login::parse_acs_form(again + "&SAMLResponse=x").ok());
}
