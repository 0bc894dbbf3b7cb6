#include "session/cookie.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "base/encoding.h"
#include "session/login_state.h"

namespace sallyport::session {

namespace {

constexpr std::size_t kIdBytes = 32;
constexpr std::size_t kIdCharacters = 43;
constexpr std::string_view kHostPrefix = "__Host-";

std::string_view same_site_attribute(SameSite same_site) {
  switch (same_site) {
    case SameSite::kLax:
      return "; SameSite=Lax";
    case SameSite::kStrict:
      return "; SameSite=Strict";
    case SameSite::kNone:
      return "; SameSite=None";
    case SameSite::kUnset:
      break;
  }
  return {};
}

// Whether two identifiers are the same, in time that does not depend on where they differ. Word by
// word, the last one overlapping the one before: this runs on every request.
bool same_identifier(const char* a, const char* b) {
  constexpr std::size_t kLast = kIdCharacters - sizeof(std::uint64_t);
  std::uint64_t difference = 0;
  for (std::size_t at = 0; at < kIdCharacters; at += sizeof(std::uint64_t)) {
    const std::size_t from = at < kLast ? at : kLast;
    std::uint64_t left;
    std::uint64_t right;
    std::memcpy(&left, a + from, sizeof(left));
    std::memcpy(&right, b + from, sizeof(right));
    difference |= left ^ right;
  }
  return difference == 0;
}

}  // namespace

std::optional<SessionId> make_session_id(Random& random) {
  std::array<char, kIdBytes> bytes;
  if (!random.fill(bytes.data(), bytes.size())) return std::nullopt;
  const std::string_view id(bytes.data(), bytes.size());
  return SessionId{base64url_encode(id), sha256(id)};
}

std::optional<SessionKey> key_of_cookie(std::string_view value) {
  if (value.size() != kIdCharacters) return std::nullopt;
  std::array<char, kIdBytes> id;
  if (!base64url_decode_exactly(value, id.data(), id.size())) return std::nullopt;
  return sha256({id.data(), id.size()});
}

std::optional<SessionKey> RecentKeys::key_of(std::string_view value) {
  if (value.size() != kCharacters) return std::nullopt;
  // Identifiers are random, so any of their characters spread well.
  const auto place = static_cast<unsigned char>(value[0]) * 5u + static_cast<unsigned char>(value[1]);
  Entry& entry = entries_[place % entries_.size()];
  static_assert(kCharacters == kIdCharacters);
  if (entry.used && same_identifier(entry.text.data(), value.data())) return entry.key;
  const auto key = key_of_cookie(value);
  if (!key) return std::nullopt;
  entry.used = true;
  value.copy(entry.text.data(), entry.text.size());
  entry.key = *key;
  return key;
}

std::string full_cookie_name(std::string_view name, bool secure, std::string_view domain) {
  const bool prefixed = name.substr(0, kHostPrefix.size()) == kHostPrefix;
  std::string out;
  if (secure && domain.empty() && !prefixed) out += kHostPrefix;
  out += name;
  return out;
}

std::string set_cookie(const CookieSettings& settings, std::string_view name,
                       std::string_view value, long max_age) {
  std::string out;
  out.reserve(name.size() + value.size() + settings.domain.size() + 96);
  out += name;
  out += '=';
  out += value;
  out += "; Path=/";
  if (!settings.domain.empty()) {
    out += "; Domain=";
    out += settings.domain;
  }
  if (max_age >= 0) {
    out += "; Max-Age=";
    out += std::to_string(max_age);
  }
  if (settings.secure) out += "; Secure";
  out += "; HttpOnly";
  out += same_site_attribute(settings.same_site);
  return out;
}

std::string expire_cookie(const CookieSettings& settings, std::string_view name) {
  return set_cookie(settings, name, "", 0);
}

void find_cookie(std::string_view header, std::string_view name, CookieMatch& match) {
  for_each_cookie(header, [&](std::string_view cookie_name, std::string_view value) {
    if (cookie_name == name && match.count++ == 0) match.value = value;
  });
}

bool is_own_cookie(std::string_view cookie_name, std::string_view session_name) {
  if (cookie_name.substr(0, session_name.size()) != session_name) return false;
  cookie_name.remove_prefix(session_name.size());
  return cookie_name.empty() || cookie_name == kLastIdpSuffix ||
         (cookie_name.front() == '.' && is_handle(cookie_name.substr(1)));
}

}  // namespace sallyport::session
