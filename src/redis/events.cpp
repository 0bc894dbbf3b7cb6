#include "redis/events.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"

namespace sallyport::redis {

namespace {

constexpr std::string_view kKind = "1 end ";
constexpr std::size_t kHex = 64;
constexpr std::size_t kTagBytes = 16;

std::string tag_of(std::string_view text, const Digest& secret) {
  const Digest key = derive_key(as_view(secret), "events");
  return hex_encode(as_view(hmac_sha256(as_view(key), text)).substr(0, kTagBytes));
}

std::string text_of(const SessionEnded& event) {
  return std::string(kKind) + hex_encode(as_view(event.session)) + " " + std::to_string(event.until) + " ";
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
  if (message.size() > 256 || message.size() < kKind.size() + kHex + 2 * kTagBytes) return std::nullopt;
  const std::string_view text = message.substr(0, message.size() - 2 * kTagBytes);
  if (!equal_constant_time(message.substr(text.size()), tag_of(text, secret))) return std::nullopt;
  if (text.substr(0, kKind.size()) != kKind) return std::nullopt;
  const auto session = decode_hex(text.substr(kKind.size(), kHex));
  if (!session) return std::nullopt;
  SessionEnded event{*session, 0};
  const std::string_view rest = text.substr(kKind.size() + kHex);
  (void) std::from_chars(rest.data() + std::min<std::size_t>(1, rest.size()), rest.data() + rest.size(), event.until);
  // Only what was written like this is taken.
  if (text_of(event) != text) return std::nullopt;
  return event;
}

}  // namespace sallyport::redis
