#include "redis/events.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"

namespace sallyport::redis {

namespace {

constexpr std::string_view kKnown = "1 end ";
constexpr std::string_view kUnknown = "1 end-unknown ";
constexpr std::size_t kHex = 64;
constexpr std::size_t kTagBytes = 16;

std::string tag_of(std::string_view text, const Digest& secret) {
  const Digest key = derive_key(as_view(secret), "events");
  return hex_encode(as_view(hmac_sha256(as_view(key), text)).substr(0, kTagBytes));
}

std::string text_of(const SessionEnded& event) {
  const std::string_view kind = event.is_known ? kKnown : kUnknown;
  return std::string(kind) + hex_encode(as_view(event.session)) + " " + std::to_string(event.until) + " ";
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<Digest> decode_hex(std::string_view text) {
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = digit_of(text[2 * i]);
    const int low = digit_of(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

}  // namespace

std::string encode_event(const SessionEnded& event, const Digest& secret) {
  const std::string text = text_of(event);
  return text + tag_of(text, secret);
}

std::optional<SessionEnded> decode_event(std::string_view message, const Digest& secret) {
  const bool is_known = message.substr(0, kKnown.size()) == kKnown;
  const std::size_t kind_bytes = is_known ? kKnown.size() : kUnknown.size();
  if (message.size() > 256 || message.size() < kind_bytes + kHex + 2 * kTagBytes) return std::nullopt;
  const std::string_view text = message.substr(0, message.size() - 2 * kTagBytes);
  if (!equal_constant_time(message.substr(text.size()), tag_of(text, secret))) return std::nullopt;
  const auto session = decode_hex(text.substr(kind_bytes, kHex));
  if (!session) return std::nullopt;
  SessionEnded event{*session, 0, is_known};
  const std::string_view rest = text.substr(kind_bytes + kHex);
  (void) std::from_chars(rest.data() + std::min<std::size_t>(1, rest.size()), rest.data() + rest.size(), event.until);
  // Only what was written like this is taken.
  if (text_of(event) != text) return std::nullopt;
  return event;
}

}  // namespace sallyport::redis
