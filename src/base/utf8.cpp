// The parts of encoding.h that read UTF-8: the check, code points, and JSON strings.
#include <cstring>

#include "base/encoding.h"

namespace sallyport {

namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr std::uint32_t kReplacement = 0xFFFD;

// What stands at one place of a text: a character of `size` bytes, or a malformed sequence whose
// first `size` bytes one replacement character stands for (Unicode 3.9, maximal subparts).
struct Sequence {
  std::size_t size;
  std::uint32_t code_point;
  bool well_formed;
};

// The rows of Unicode table 3-7: what the second byte may be, by the first.
struct Row {
  std::size_t size;
  unsigned char second_low;
  unsigned char second_high;
};

Row row_of(unsigned char first) {
  if (first < 0xC2 || first > 0xF4) return {1, 0, 0};
  if (first < 0xE0) return {2, 0x80, 0xBF};
  if (first == 0xE0) return {3, 0xA0, 0xBF};
  if (first == 0xED) return {3, 0x80, 0x9F};
  if (first < 0xF0) return {3, 0x80, 0xBF};
  if (first == 0xF0) return {4, 0x90, 0xBF};
  if (first == 0xF4) return {4, 0x80, 0x8F};
  return {4, 0x80, 0xBF};
}

// `at` is not the end.
Sequence read_sequence(const unsigned char* at, const unsigned char* end) {
  const unsigned char first = *at;
  if (first < 0x80) return {1, first, true};
  const Row row = row_of(first);
  if (row.size == 1) return {1, kReplacement, false};
  std::uint32_t code_point = first & (0xFFu >> (row.size + 1));
  for (std::size_t i = 1; i < row.size; ++i) {
    const unsigned char low = i == 1 ? row.second_low : 0x80;
    const unsigned char high = i == 1 ? row.second_high : 0xBF;
    if (at + i == end || at[i] < low || at[i] > high) return {i, kReplacement, false};
    code_point = code_point << 6 | (at[i] & 0x3Fu);
  }
  return {row.size, code_point, true};
}

// Skips sixteen bytes at a time while all of them are ASCII.
const unsigned char* skip_ascii(const unsigned char* at, const unsigned char* end) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  while (end - at >= 16) {
    std::uint64_t words[2];
    std::memcpy(words, at, sizeof(words));
    if (((words[0] | words[1]) & kHighBits) != 0) break;
    at += 16;
  }
  while (at < end && *at < 0x80) ++at;
  return at;
}

void append_unit(std::string& out, std::uint32_t unit) {
  const char escape[] = {'\\', 'u', kHexDigits[unit >> 12 & 0xF], kHexDigits[unit >> 8 & 0xF],
                         kHexDigits[unit >> 4 & 0xF], kHexDigits[unit & 0xF]};
  out.append(escape, sizeof(escape));
}

void append_escaped(std::string& out, std::uint32_t code_point) {
  if (code_point < 0x10000) return append_unit(out, code_point);
  const std::uint32_t offset = code_point - 0x10000;
  append_unit(out, 0xD800 | offset >> 10);
  append_unit(out, 0xDC00 | (offset & 0x3FF));
}

bool is_plain_json(std::uint32_t c) {
  return c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

}  // namespace

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  while ((at = skip_ascii(at, end)) < end) {
    const Sequence sequence = read_sequence(at, end);
    if (!sequence.well_formed) return false;
    at += sequence.size;
  }
  return true;
}

char32_t take_code_point(std::string_view& text) {
  const auto* const at = reinterpret_cast<const unsigned char*>(text.data());
  const Sequence sequence = read_sequence(at, at + text.size());
  text.remove_prefix(sequence.size);
  return sequence.code_point;
}

void append_utf8(std::string& out, char32_t code_point) {
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
    return;
  }
  const int continuations = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
  constexpr char32_t kMarks[] = {0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(kMarks[continuations] | code_point >> 6 * continuations);
  for (int i = continuations - 1; i >= 0; --i) {
    out += static_cast<char>(0x80 | (code_point >> 6 * i & 0x3F));
  }
}

std::string json_quote(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  while (at < end) {
    const Sequence sequence = read_sequence(at, end);
    if (is_plain_json(sequence.code_point)) {
      out += static_cast<char>(sequence.code_point);
    } else if (sequence.code_point == '"' || sequence.code_point == '\\') {
      out += '\\';
      out += static_cast<char>(sequence.code_point);
    } else {
      append_escaped(out, sequence.code_point);
    }
    at += sequence.size;
  }
  out += '"';
  return out;
}

}  // namespace sallyport
