// Decisions at the gate that need nothing but the request's words and the session's record.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "session/record.h"

namespace sallyport::login {

// Header values of a request, empty where not sent. Views of the request.
struct RequestTraits {
  std::string_view method;
  std::string_view sec_fetch_mode;
  std::string_view sec_fetch_dest;
  std::string_view x_requested_with;
  std::string_view accept;
  std::string_view upgrade;
  std::string_view content_type;
  std::string_view origin;
  std::string_view access_control_request_method;
};

enum class ClientKind {
  kNavigation,  // a page view (GET, HEAD): can follow a redirect to a login
  kFormPost,    // a page navigation with a body or another method: must not be redirected blindly
  kProgram,     // XHR, fetch, WebSocket, gRPC, an Accept that admits no HTML: gets 401
};
// Fetch Metadata decides where a browser sends it: Sec-Fetch-Mode navigate into a document or frame
// is a navigation, anything else a program. Without it: an Accept that admits HTML (`*/*` and
// none at all do) with GET, HEAD or POST is a navigation.
ClientKind classify_client(const RequestTraits& request);

// A CORS preflight: OPTIONS with Origin and Access-Control-Request-Method.
bool is_preflight(const RequestTraits& request);

// When somebody logged in, by the clock of the IdP and by ours.
struct LoginTime {
  Millis authn_instant;
  Millis received;
};

// Whether a login is younger than `max_age`; 0: however old. The clock skew is granted once: what the IdP dates less than it
// before the answer came, or later, was then. So nobody whom the ACS accepts is sent to log in again at once, however the
// clocks differ, and no age is lengthened.
bool is_fresh(const LoginTime& login, Millis max_age, Millis skew, Millis now);

// One key=value of a `saml_require` line, its value's variables filled in.
enum class RequireKey { kUser, kEmail, kIdp, kSpace, kRole, kGroup, kAttribute };
struct Requirement {
  RequireKey key;
  std::string_view attribute;  // the Name, for kAttribute
  std::string_view value;      // plain text (kSpace: "NAME" or "NAME:ROLE"); empty never matches
  // For kRole: when not empty, only the role in that space counts.
  std::string_view active_space = {};
};

// Whether the session's user meets it. Of a kSpace with colons the last one separates the role;
// with an empty name or role it matches nothing. Texts are compared byte for byte, e-mail
// without case.
bool meets(const Requirement& requirement, const session::RecordView& record);

// The pairs "key=value" of a line, joined by " or ", for an Error's detail: not escaped.
std::string describe(const std::vector<Requirement>& line);

// The same in words for the 403 page, which a user can send to an administrator: "the role "Space Admin" in the
// space "Trial", or the group "Engineering"". Not escaped; UTF-8 where the values are.
std::string describe_in_words(const std::vector<Requirement>& line);

}  // namespace sallyport::login
