#include "login/gate.h"

#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "policy/identity_headers.h"

namespace sallyport::login {
namespace {

using session::Field;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_folded(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) { return lower(x) == lower(y); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

// The text up to `separator`, without blanks around it; `rest` becomes what is behind.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return trim_blanks(part);
}

// "q=0", "q=0.", "q=0.000" (RFC 9110 section 12.4.2): not acceptable.
bool is_zero_weight(std::string_view parameter) {
  if (parameter.size() < 3 || !equal_folded(parameter.substr(0, 2), "q=")) return false;
  const std::string_view weight = parameter.substr(2);
  return weight.front() == '0' && weight.find_first_not_of("0.") == std::string_view::npos;
}

// One media range of an Accept header, with its parameters.
bool range_admits_html(std::string_view range) {
  const std::string_view type = next_part(range, ';');
  constexpr std::string_view kHtml[] = {"text/html", "application/xhtml+xml", "*/*", "text/*",
                                        "application/*"};
  if (std::none_of(std::begin(kHtml), std::end(kHtml),
                   [&](std::string_view html) { return equal_folded(type, html); })) {
    return false;
  }
  while (!range.empty()) {
    if (is_zero_weight(next_part(range, ';'))) return false;
  }
  return true;
}

// No Accept at all means that anything is welcome.
bool accepts_html(std::string_view accept) {
  if (trim_blanks(accept).empty()) return true;
  while (!accept.empty()) {
    if (range_admits_html(next_part(accept, ','))) return true;
  }
  return false;
}

bool upgrades_to_websocket(std::string_view upgrade) {
  while (!upgrade.empty()) {
    std::string_view protocol = next_part(upgrade, ',');
    if (equal_folded(next_part(protocol, '/'), "websocket")) return true;
  }
  return false;
}

bool is_grpc(std::string_view content_type) {
  constexpr std::string_view kPrefix = "application/grpc";
  return equal_folded(content_type.substr(0, kPrefix.size()), kPrefix);
}

bool is_page_destination(std::string_view dest) {
  return dest.empty() || equal_folded(dest, "document") || equal_folded(dest, "iframe") ||
         equal_folded(dest, "frame");
}

bool is_page_view(std::string_view method) { return method == "GET" || method == "HEAD"; }

// What browsers say of themselves (Fetch Metadata); without that, what else is in the request.
bool is_navigation(const RequestTraits& request) {
  if (upgrades_to_websocket(request.upgrade) || is_grpc(request.content_type) ||
      equal_folded(request.x_requested_with, "XMLHttpRequest")) {
    return false;
  }
  if (!is_page_destination(request.sec_fetch_dest)) return false;
  if (!request.sec_fetch_mode.empty()) return equal_folded(request.sec_fetch_mode, "navigate");
  // Browsers navigate with these methods only.
  if (!is_page_view(request.method) && request.method != "POST") return false;
  return accepts_html(request.accept);
}

// NAME or NAME:ROLE; the last colon counts, so that a name given by a variable never turns into
// another space's role. An empty part never matches.
bool meets_space(std::string_view value, std::string_view spaces) {
  const std::size_t colon = value.rfind(':');
  if (colon == std::string_view::npos) return policy::pairs_have(spaces, value, {});
  const std::string_view role = value.substr(colon + 1);
  return !role.empty() && policy::pairs_have(spaces, value.substr(0, colon), role);
}

bool meets_attribute(const Requirement& requirement, const session::RecordView& record) {
  const std::optional<std::string_view> values = record.find_attribute(requirement.attribute);
  return values && policy::list_has(*values, requirement.value);
}

std::string_view key_word(RequireKey key) {
  switch (key) {
    case RequireKey::kUser: return "user";
    case RequireKey::kEmail: return "email";
    case RequireKey::kIdp: return "idp";
    case RequireKey::kSpace: return "space";
    case RequireKey::kRole: return "role";
    case RequireKey::kGroup: return "group";
    case RequireKey::kAttribute: return "attr:";
  }
  return {};
}

std::string in_quotes(std::string_view text) { return '"' + std::string(text) + '"'; }

std::string in_words(const Requirement& requirement) {
  const std::string value = in_quotes(requirement.value);
  switch (requirement.key) {
    case RequireKey::kUser:
      return "to be the user " + value;
    case RequireKey::kEmail:
      return "the e-mail address " + value;
    case RequireKey::kIdp:
      return "a login through " + value;
    case RequireKey::kSpace: {
      const std::size_t colon = requirement.value.rfind(':');
      if (colon == std::string_view::npos) return "the space " + value;
      return "the role " + in_quotes(requirement.value.substr(colon + 1)) + " in the space " +
             in_quotes(requirement.value.substr(0, colon));
    }
    case RequireKey::kRole:
      return "the role " + value +
             (requirement.active_space.empty() ? "" : " in the space " + in_quotes(requirement.active_space));
    case RequireKey::kGroup:
      return "the group " + value;
    case RequireKey::kAttribute:
      return "the value " + value + " of the attribute " + in_quotes(requirement.attribute);
  }
  return value;
}

}  // namespace

ClientKind classify_client(const RequestTraits& request) {
  if (!is_navigation(request)) return ClientKind::kProgram;
  return is_page_view(request.method) ? ClientKind::kNavigation : ClientKind::kFormPost;
}

bool is_fresh(const LoginTime& login, Millis max_age, Millis skew, Millis now) {
  const bool is_then = login.received - login.authn_instant <= skew;
  return max_age == 0 || now - (is_then ? login.received : login.authn_instant) < max_age;
}

bool is_preflight(const RequestTraits& request) {
  return request.method == "OPTIONS" && !request.origin.empty() &&
         !request.access_control_request_method.empty();
}

bool meets(const Requirement& requirement, const session::RecordView& record) {
  if (requirement.value.empty()) return false;
  switch (requirement.key) {
    case RequireKey::kUser:
      return policy::value_is(record.field(Field::kUser), requirement.value);
    case RequireKey::kEmail:
      return equal_folded(policy::decode_value(record.field(Field::kEmail)), requirement.value);
    case RequireKey::kIdp:
      return policy::value_is(record.field(Field::kIdp), requirement.value);
    case RequireKey::kSpace:
      return meets_space(requirement.value, record.field(Field::kSpaces));
    case RequireKey::kRole:
      if (!requirement.active_space.empty()) {
        return policy::pairs_have(record.field(Field::kSpaces), requirement.active_space,
                                  requirement.value);
      }
      return policy::list_has(record.field(Field::kRoles), requirement.value);
    case RequireKey::kGroup:
      return policy::list_has(record.field(Field::kGroups), requirement.value);
    case RequireKey::kAttribute:
      return meets_attribute(requirement, record);
  }
  return false;
}

std::string describe(const std::vector<Requirement>& line) {
  std::string text;
  for (const Requirement& requirement : line) {
    if (!text.empty()) text += " or ";
    text += key_word(requirement.key);
    if (requirement.key == RequireKey::kAttribute) text += requirement.attribute;
    text += '=';
    text += requirement.value;
  }
  return text;
}

std::string describe_in_words(const std::vector<Requirement>& line) {
  std::string text;
  for (const Requirement& requirement : line) {
    // What can never match helps nobody.
    const bool names_no_space = requirement.key == RequireKey::kSpace && requirement.value.rfind(':') == 0;
    if (requirement.value.empty() || names_no_space) continue;
    if (!text.empty()) text += ", or ";
    text += in_words(requirement);
  }
  return text;
}

}  // namespace sallyport::login
