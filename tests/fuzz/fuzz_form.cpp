// The form posted to the ACS: any bytes may come, and what is taken means what was sent.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/encoding.h"
#include "login/finish_login.h"

namespace {

using namespace sallyport;

void require(bool promise) {
  if (!promise) std::abort();
}

bool has_control(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto form = login::parse_acs_form(body);
  if (!form.ok()) {
    const Reason reason = form.error().reason;
    require(reason == Reason::kFormInvalid || reason == Reason::kResponseMissing);
    return 0;
  }
  require(!form->saml_response.empty() && form->saml_response.size() <= size);
  require(form->relay_state.size() <= size && !has_control(form->relay_state));
  // Written anew, the two fields are read as the same form, and not a second time.
  const std::string again = "RelayState=" + url_encode(form->relay_state) +
                            "&SAMLResponse=" + url_encode(form->saml_response);
  const auto same = login::parse_acs_form(again);
  require(same.ok() && same->saml_response == form->saml_response &&
          same->relay_state == form->relay_state);
  require(!login::parse_acs_form(again + "&SAMLResponse=x").ok());
  return 0;
}
