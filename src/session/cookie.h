// Our cookies: the session's identifier and how cookies are found, set and taken out.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/random.h"

namespace sallyport::session {

using SessionKey = Digest;  // SHA-256 of the identifier's 32 bytes: what the store knows

struct SessionId {
  std::string text;  // base64url of 256 random bits, 43 characters: the cookie's value
  SessionKey key;
};

std::optional<SessionId> make_session_id(Random& random);

// The store's key of a cookie value; nullopt for anything that is not 43 base64url characters.
std::optional<SessionKey> key_of_cookie(std::string_view value);

// Keys of the cookies that came last: a page's burst of requests hashes its cookie once. One object per worker.
class RecentKeys {
 public:
  // As key_of_cookie.
  std::optional<SessionKey> key_of(std::string_view value);

 private:
  static constexpr std::size_t kCharacters = 43;
  struct Entry {
    bool used = false;
    std::array<char, kCharacters> text{};
    SessionKey key{};
  };
  std::array<Entry, 128> entries_{};
};

enum class SameSite { kUnset, kLax, kStrict, kNone };

struct CookieSettings {
  std::string name;          // complete, with "__Host-" where it applies
  std::string domain;        // empty: host-only
  SameSite same_site = SameSite::kLax;
  bool secure = false;
};

// `__Host-` goes before the name where the cookie is Secure and has no domain.
std::string full_cookie_name(std::string_view name, bool secure, std::string_view domain);

// A Set-Cookie value: NAME=VALUE; Path=/; [Domain=]; [Max-Age=]; [Secure]; HttpOnly; [SameSite=].
// max_age < 0: until the browser ends.
std::string set_cookie(const CookieSettings& settings, std::string_view name,
                       std::string_view value, long max_age);
// The Set-Cookie that deletes it.
std::string expire_cookie(const CookieSettings& settings, std::string_view name);

// Looks through one Cookie header; call once per header line. A name that comes twice (cookie tossing) is
// treated as not there: `count` tells.
struct CookieMatch {
  std::size_t count = 0;
  std::string_view value;  // of the first
};
void find_cookie(std::string_view header, std::string_view name, CookieMatch& match);

// Visits name and value of each cookie of a header line.
template <class Visit>
void for_each_cookie(std::string_view header, Visit&& visit) {
  while (!header.empty()) {
    const std::size_t end = header.find(';');
    std::string_view pair = header.substr(0, end);
    header = end == std::string_view::npos ? std::string_view() : header.substr(end + 1);
    while (!pair.empty() && (pair.front() == ' ' || pair.front() == '\t')) pair.remove_prefix(1);
    while (!pair.empty() && (pair.back() == ' ' || pair.back() == '\t')) pair.remove_suffix(1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    visit(pair.substr(0, equals), pair.substr(equals + 1));
  }
}

// The IdP that the browser logged in at last is kept under the session cookie's name plus this.
constexpr std::string_view kLastIdpSuffix = ".last";

// Whether a cookie of that name is one of ours: `session_name` itself, an attempt's cookie
// (session_name + "." + handle), or that of the last IdP.
bool is_own_cookie(std::string_view cookie_name, std::string_view session_name);

// Splits one Cookie header line in a single pass: calls own(name, value) for each of our cookies and
// writes the other ones, as they stand, to `rest`, which has room for header.size() bytes. The result
// shows what is left; empty: nothing is, and the header goes.
template <class Own>
std::string_view split_cookies(std::string_view header, std::string_view session_name, char* rest,
                               Own&& own) {
  std::size_t size = 0;
  for (bool more = true; more;) {
    const std::size_t end = header.find(';');
    const std::string_view segment = header.substr(0, end);
    bool is_own = false;
    for_each_cookie(segment, [&](std::string_view name, std::string_view value) {
      if (!is_own_cookie(name, session_name)) return;
      is_own = true;
      own(name, value);
    });
    if (!is_own) {
      if (size > 0) rest[size++] = ';';
      size += segment.copy(rest + size, segment.size());
    }
    more = end != std::string_view::npos;
    if (more) header.remove_prefix(end + 1);
  }
  const std::string_view left(rest, size);
  const std::size_t first = left.find_first_not_of(" \t;");
  return first == std::string_view::npos ? std::string_view() : left.substr(first);
}

}  // namespace sallyport::session
