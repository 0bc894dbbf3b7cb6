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
constexpr std::size_t kMaxMarkerTarget = 300;
constexpr std::size_t kMostExpired = 32;

// What a cookie holds is part of what is authenticated: a marker never opens as an attempt. The
// digits are the version of the layout.
constexpr std::string_view kAttemptKind = "attempt2";
constexpr std::string_view kMarkerKind = "marker1";

std::string context_of(std::string_view kind, std::string_view sp_entity_id,
                       std::string_view handle) {
  std::string out;
  out.reserve(3 * kFlatLengthBytes + kind.size() + sp_entity_id.size() + handle.size());
  append_text(out, kind);
  append_text(out, sp_entity_id);
  append_text(out, handle);
  return out;
}

std::optional<std::string> seal_text(RotatingSealer& sealer, std::string_view plaintext,
                                     std::string_view context, Random& random) {
  const auto sealed = sealer.seal(plaintext, context, random);
  if (!sealed) return std::nullopt;
  return base64url_encode(*sealed);
}

std::optional<std::string> open_text(RotatingSealer& sealer, std::string_view cookie,
                                     std::string_view context) {
  // We never make a longer one: nothing is decoded only to be refused.
  if (cookie.size() > kMaxAttemptBytes) return std::nullopt;
  const auto sealed = base64url_decode(cookie);
  if (!sealed) return std::nullopt;
  return sealer.open(*sealed, context);
}

// Clocks of two nodes differ, so a time ahead is borne as far as one that has passed.
bool is_within(Millis then, Millis now, Millis lifetime) {
  return then >= now - lifetime && then <= now + lifetime;
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

LoginStateCodec::LoginStateCodec(const Secret& secret) : sealer_(secret, "sallyport login state") {}

std::optional<std::string> LoginStateCodec::seal_attempt(const LoginAttempt& attempt,
                                                         std::string_view sp_entity_id,
                                                         std::string_view handle, Random& random) {
  if (attempt.return_url.size() > kMaxReturnUrl) return std::nullopt;
  std::string plaintext;
  plaintext.reserve(sizeof(attempt.started) + sizeof(attempt.max_authn_age) + 3 * kFlatLengthBytes + attempt.request_id.size() +
                    attempt.idp.size() + attempt.return_url.size());
  append_number(plaintext, attempt.started);
  append_number(plaintext, attempt.max_authn_age);
  append_text(plaintext, attempt.request_id);
  append_text(plaintext, attempt.idp);
  append_text(plaintext, attempt.return_url);
  return seal_text(sealer_, plaintext, context_of(kAttemptKind, sp_entity_id, handle), random);
}

std::optional<LoginAttempt> LoginStateCodec::open_attempt(std::string_view cookie,
                                                          std::string_view sp_entity_id,
                                                          std::string_view handle, Millis now) {
  const auto plaintext =
      open_text(sealer_, cookie, context_of(kAttemptKind, sp_entity_id, handle));
  if (!plaintext) return std::nullopt;
  FlatReader reader(*plaintext);
  LoginAttempt attempt;
  attempt.started = reader.number<Millis>();
  attempt.max_authn_age = reader.number<Millis>();
  attempt.request_id = reader.text();
  attempt.idp = reader.text();
  attempt.return_url = reader.text();
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
  return seal_text(sealer_, plaintext, context_of(kMarkerKind, sp_entity_id, handle), random);
}

std::optional<LoginMarker> LoginStateCodec::open_marker(std::string_view cookie,
                                                        std::string_view sp_entity_id,
                                                        std::string_view handle, Millis now) {
  const auto plaintext = open_text(sealer_, cookie, context_of(kMarkerKind, sp_entity_id, handle));
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
