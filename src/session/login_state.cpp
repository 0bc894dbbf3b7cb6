#include "session/login_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"
#include "base/flat.h"

namespace sallyport::session {

namespace {

constexpr std::size_t kHandleTimeBytes = 4;
constexpr std::size_t kHandleBytes = 12;
constexpr std::size_t kHandleCharacters = 16;
constexpr std::size_t kMostExpired = 32;

// What a cookie holds is part of what is authenticated: a marker never opens as an attempt. The
// digits are the version of the layout.
constexpr std::string_view kAttemptKind = "attempt4";
constexpr std::string_view kHandedOverKind = "handedover2";
constexpr std::string_view kMarkerKind = "marker1";

std::string_view name_of(AttemptKind kind) {
  return kind == AttemptKind::kOwn ? kAttemptKind : kHandedOverKind;
}

void append_origin(std::string& out, const OriginAttempt& origin) {
  append_text(out, origin.host);
  append_text(out, origin.handle);
  append_text(out, origin.nonce);
}

}  // namespace

std::optional<std::string> make_handle(Millis now, Random& random) {
  std::array<char, kHandleBytes - kHandleTimeBytes> unique;
  if (!random.fill(unique.data(), unique.size())) return std::nullopt;
  std::string bytes;
  append_number(bytes, static_cast<std::uint32_t>(now / kSecond));
  bytes.append(unique.data(), unique.size());
  return base64url_encode(bytes);
}

bool is_handle(std::string_view text) {
  return text.size() == kHandleCharacters && base64url_decode(text).has_value();
}

Millis handle_time(std::string_view handle) {
  const auto bytes = base64url_decode(handle);
  if (!bytes || bytes->size() != kHandleBytes) return 0;
  return FlatReader(*bytes).number<std::uint32_t>() * kSecond;
}

LoginStateCodec::LoginStateCodec(const Secret& secret) : sealer_(secret) {}

std::optional<std::string> LoginStateCodec::seal_attempt(const LoginAttempt& attempt,
                                                         std::string_view sp_entity_id,
                                                         std::string_view handle, Random& random, AttemptKind kind) {
  if (attempt.return_url.size() > kMaxReturnUrl) return std::nullopt;
  std::string plaintext;
  plaintext.reserve(sizeof(attempt.started) + sizeof(attempt.max_authn_age) + 4 * kFlatLengthBytes + attempt.request_id.size() +
                    attempt.idp.size() + attempt.return_url.size() + sizeof(Digest));
  append_number(plaintext, attempt.started);
  append_number(plaintext, attempt.max_authn_age);
  append_text(plaintext, attempt.request_id);
  append_text(plaintext, attempt.idp);
  append_text(plaintext, attempt.return_url);
  append_text(plaintext, attempt.earlier_session ? as_view(*attempt.earlier_session) : std::string_view());
  if (attempt.origin) append_origin(plaintext, *attempt.origin);
  return sealer_.seal(plaintext, {name_of(kind), sp_entity_id, handle}, random);
}

std::optional<LoginAttempt> LoginStateCodec::open_attempt(std::string_view cookie,
                                                          std::string_view sp_entity_id,
                                                          std::string_view handle, Millis now, AttemptKind kind) {
  const auto plaintext = sealer_.open(cookie, {name_of(kind), sp_entity_id, handle});
  if (!plaintext) return std::nullopt;
  FlatReader reader(*plaintext);
  LoginAttempt attempt;
  attempt.started = reader.number<Millis>();
  attempt.max_authn_age = reader.number<Millis>();
  attempt.request_id = reader.text();
  attempt.idp = reader.text();
  attempt.return_url = reader.text();
  if (const std::string key = reader.text(); key.size() == sizeof(Digest)) {
    std::copy(key.begin(), key.end(), attempt.earlier_session.emplace().begin());
  }
  if (!reader.complete()) {
    attempt.origin.emplace();
    attempt.origin->host = reader.text();
    attempt.origin->handle = reader.text();
    attempt.origin->nonce = reader.text();
  }
  if (!reader.complete() || !is_within(attempt.started, now, kAttemptLifetime)) {
    return std::nullopt;
  }
  return attempt;
}

std::optional<std::string> LoginStateCodec::seal_marker(const LoginMarker& marker,
                                                        std::string_view sp_entity_id,
                                                        std::string_view handle, Random& random) {
  std::string plaintext;
  append_number(plaintext, marker.finished);
  append_digest(plaintext, marker.answer);
  append_digest(plaintext, marker.session);
  append_text(plaintext, marker.target.size() > kMaxMarkerTarget ? "/" : marker.target);
  return sealer_.seal(plaintext, {kMarkerKind, sp_entity_id, handle}, random);
}

std::optional<LoginMarker> LoginStateCodec::open_marker(std::string_view cookie,
                                                        std::string_view sp_entity_id,
                                                        std::string_view handle, Millis now) {
  const auto plaintext = sealer_.open(cookie, {kMarkerKind, sp_entity_id, handle});
  if (!plaintext) return std::nullopt;
  FlatReader reader(*plaintext);
  LoginMarker marker;
  marker.finished = reader.number<Millis>();
  marker.answer = reader.digest();
  marker.session = reader.digest();
  marker.target = reader.text();
  if (!reader.complete() || !is_within(marker.finished, now, kMarkerLifetime)) return std::nullopt;
  return marker;
}

std::vector<std::string> attempts_to_expire(std::vector<AttemptCookie> present,
                                            std::size_t new_bytes) {
  std::size_t total = new_bytes;
  // Times are read once: a client may send a great many cookies.
  std::vector<std::pair<Millis, std::size_t>> by_age;
  by_age.reserve(present.size());
  for (std::size_t i = 0; i < present.size(); ++i) {
    total += present[i].bytes;
    by_age.emplace_back(handle_time(present[i].handle), i);
  }
  std::sort(by_age.begin(), by_age.end());
  std::vector<std::string> expired;
  for (const auto& [time, index] : by_age) {
    if (total <= kMaxAttemptBytes || expired.size() == kMostExpired) break;
    total -= present[index].bytes;
    expired.push_back(std::move(present[index].handle));
  }
  return expired;
}

}  // namespace sallyport::session
