// The form that is posted to the ACS (SAML Bindings 3.5.4).
#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "login/finish_login.h"

namespace sallyport::login {
namespace {

// The binding has two; a login page's own buttons may add some.
constexpr std::size_t kMaxFields = 16;
constexpr std::size_t kMaxFieldName = 128;  // as sent

Error form_error(std::string_view what, std::string_view name) {
  return {Reason::kFormInvalid, std::string(what) + " \"" + std::string(name.substr(0, 64)) + '"'};
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

// A field of one of the other bindings: an artifact, a query signature, a request.
bool is_foreign(std::string_view name) {
  return name == "SAMLart" || name == "Signature" || name == "SigAlg" || name == "SAMLRequest" ||
         name == "SAMLEncoding";
}

Status set_once(std::optional<std::string>& slot, std::string_view name, std::string_view raw) {
  if (slot) return form_error("the form has twice the field", name);
  slot = form_decode(raw);
  if (!slot) return form_error("a bad percent escape in the field", name);
  return Done{};
}

struct Fields {
  std::optional<std::string> saml_response;
  std::optional<std::string> relay_state;
};

Status read_field(std::string_view pair, Fields& fields) {
  const std::size_t equals = pair.find('=');
  const std::string_view raw_name = pair.substr(0, equals);
  const std::string_view raw_value =
      equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
  if (raw_name.size() > kMaxFieldName) return form_error("a field's name is too long:", raw_name);
  // Compared decoded: another spelling of a name is the same field.
  const std::optional<std::string> name = form_decode(raw_name);
  if (!name) return form_error("a bad percent escape in the field's name", raw_name);
  if (has_control(*name)) return form_error("a control byte in the field's name", raw_name);
  if (*name == "SAMLResponse") return set_once(fields.saml_response, *name, raw_value);
  if (*name == "RelayState") return set_once(fields.relay_state, *name, raw_value);
  if (is_foreign(*name)) return form_error("a field that HTTP-POST does not have:", *name);
  return Done{};
}

}  // namespace

Result<AcsForm> parse_acs_form(std::string_view body) {
  Fields fields;
  std::size_t count = 0;
  while (!body.empty()) {
    const std::size_t end = body.find('&');
    const std::string_view pair = body.substr(0, end);
    body = end == std::string_view::npos ? std::string_view() : body.substr(end + 1);
    if (++count > kMaxFields) return Error{Reason::kFormInvalid, "the form has too many fields"};
    if (!pair.empty()) SALLYPORT_TRY(read_field(pair, fields));
  }
  if (!fields.saml_response || fields.saml_response->empty()) {
    return Error{Reason::kResponseMissing, "the form has no SAMLResponse"};
  }
  AcsForm form;
  form.saml_response = std::move(*fields.saml_response);
  form.relay_state = std::move(fields.relay_state).value_or(std::string());
  if (has_control(form.relay_state)) {
    return form_error("a control byte in the field", "RelayState");
  }
  return form;
}

}  // namespace sallyport::login
