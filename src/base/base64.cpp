// Base64 and base64url: the part of encoding.h that every message passes through.
#include <array>

#include "base/encoding.h"

namespace sallyport {

namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// One table per position in a group of four, each value already at its place: a group is three
// ORs, and a foreign character sets the bit that no group uses.
constexpr std::uint32_t kForeign = 0x80000000;
using Positions = std::array<std::array<std::uint32_t, 256>, 4>;

constexpr Positions make_positions(std::string_view alphabet) {
  Positions tables{};
  for (std::size_t position = 0; position < 4; ++position) {
    for (auto& value : tables[position]) value = kForeign;
    for (std::uint32_t sextet = 0; sextet < 64; ++sextet) {
      tables[position][static_cast<unsigned char>(alphabet[sextet])] = sextet
                                                                       << (18 - 6 * position);
    }
  }
  return tables;
}

constexpr Positions kStandardPositions = make_positions(kStandard);
constexpr Positions kUrlSafePositions = make_positions(kUrlSafe);

void put_group(char*& out, std::uint32_t group) {
  out[0] = static_cast<char>(group >> 16 & 0xFF);
  out[1] = static_cast<char>(group >> 8 & 0xFF);
  out[2] = static_cast<char>(group & 0xFF);
  out += 3;
}

// Decodes whole groups until the text has fewer than four characters or a foreign one is met.
void take_groups(const char*& at, const char* end, char*& out, const Positions& tables) {
  while (end - at >= 4) {
    const std::uint32_t group = tables[0][static_cast<unsigned char>(at[0])] |
                                tables[1][static_cast<unsigned char>(at[1])] |
                                tables[2][static_cast<unsigned char>(at[2])] |
                                tables[3][static_cast<unsigned char>(at[3])];
    if ((group & kForeign) != 0) return;
    put_group(out, group);
    at += 4;
  }
}

// The characters of a group that is not whole: behind them come padding, the end, or (across a line
// break) the rest of the group.
struct PartialGroup {
  std::uint32_t bits = 0;
  int count = 0;

  bool take(char c, const Positions& tables) {
    const std::uint32_t sextet = tables[3][static_cast<unsigned char>(c)];
    if ((sextet & kForeign) != 0) return false;
    bits = bits << 6 | sextet;
    ++count;
    return true;
  }

  // The one or two bytes of a last group; false when the bits behind them are not zero.
  bool finish(char*& out) const {
    if (count == 2) {
      *out++ = static_cast<char>(bits >> 4 & 0xFF);
      return (bits & 0xF) == 0;
    }
    *out++ = static_cast<char>(bits >> 10 & 0xFF);
    *out++ = static_cast<char>(bits >> 2 & 0xFF);
    return (bits & 0x3) == 0;
  }
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Skips blanks. A run inside a line is refused: it is what a form makes of an unescaped '+', and
// dropping it would decode to something that was never sent.
bool skip_blanks(const char* begin, const char*& at, const char* end) {
  const char* start = at;
  bool breaks_line = false;
  while (at < end && is_blank(*at)) {
    breaks_line = breaks_line || *at == '\r' || *at == '\n';
    ++at;
  }
  return breaks_line || at == start || start == begin || at == end;
}

// What is left from the first '=' on: the padding that `partial` calls for, and blanks.
bool take_padding(const char* begin, const char* at, const char* end, const PartialGroup& partial) {
  if (partial.count < 2) return false;
  ++at;
  if (partial.count == 2) {
    if (!skip_blanks(begin, at, end)) return false;
    if (at == end || *at != '=') return false;
    ++at;
  }
  while (at < end && is_blank(*at)) ++at;
  return at == end;
}

bool decode_lines(std::string_view text, char*& out) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* at = begin;
  PartialGroup partial;
  while (at < end) {
    if (partial.count == 0) {
      take_groups(at, end, out, kStandardPositions);
      if (at == end) break;
    }
    if (is_blank(*at)) {
      if (!skip_blanks(begin, at, end)) return false;
      continue;
    }
    if (*at == '=') return take_padding(begin, at, end, partial) && partial.finish(out);
    if (!partial.take(*at++, kStandardPositions)) return false;
    if (partial.count == 4) {
      put_group(out, partial.bits);
      partial = PartialGroup{};
    }
  }
  return partial.count == 0;
}

// Encodes into `out`, which has room; returns the end of what was written.
char* encode_groups(std::string_view bytes, char* out, std::string_view alphabet) {
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= 3; left -= 3, in += 3) {
    const std::uint32_t group = std::uint32_t{in[0]} << 16 | std::uint32_t{in[1]} << 8 | in[2];
    out[0] = alphabet[group >> 18];
    out[1] = alphabet[group >> 12 & 0x3F];
    out[2] = alphabet[group >> 6 & 0x3F];
    out[3] = alphabet[group & 0x3F];
    out += 4;
  }
  if (left == 0) return out;
  const std::uint32_t group = std::uint32_t{in[0]} << 16 | (left == 2 ? in[1] : 0u) << 8;
  *out++ = alphabet[group >> 18];
  *out++ = alphabet[group >> 12 & 0x3F];
  if (left == 2) *out++ = alphabet[group >> 6 & 0x3F];
  return out;
}

}  // namespace

void base64_append(std::string& out, std::string_view bytes) {
  const std::size_t before = out.size();
  // The fill character is the padding, so a short last group needs no further step.
  out.resize(before + (bytes.size() + 2) / 3 * 4, '=');
  encode_groups(bytes, out.data() + before, kStandard);
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  base64_append(out, bytes);
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string out(text.size() / 4 * 3 + 3, '\0');
  char* end = out.data();
  if (!decode_lines(text, end)) return std::nullopt;
  out.resize(static_cast<std::size_t>(end - out.data()));
  return out;
}

std::string base64url_encode(std::string_view bytes) {
  std::string out((bytes.size() * 4 + 2) / 3, '\0');
  encode_groups(bytes, out.data(), kUrlSafe);
  return out;
}

bool base64url_decode_exactly(std::string_view text, char* out, std::size_t size) {
  if (text.size() != (size * 4 + 2) / 3) return false;
  char* written = out;
  const char* at = text.data();
  const char* const end = at + text.size();
  take_groups(at, end, written, kUrlSafePositions);
  if (at == end) return true;
  // Fewer than four characters, or a foreign one among the first four.
  PartialGroup partial;
  while (at < end) {
    if (partial.count == 3 || !partial.take(*at++, kUrlSafePositions)) return false;
  }
  return partial.finish(written);
}

std::optional<std::string> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out(text.size() * 3 / 4, '\0');
  if (!base64url_decode_exactly(text, out.data(), out.size())) return std::nullopt;
  return out;
}

}  // namespace sallyport
