// Percent, HTML, XML, form and log encodings; base64.cpp and utf8.cpp hold the rest of the header.
#include "base/encoding.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace sallyport {

namespace {

constexpr char kLowerHex[] = "0123456789abcdef";
constexpr char kUpperHex[] = "0123456789ABCDEF";

constexpr bool is_unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// How each byte is written: four bytes are stored blindly and `size` of them count, so that the
// loop has no branch to mispredict.
struct Spelling {
  char text[3];
  unsigned char size;
};

constexpr std::array<Spelling, 256> make_percent_table() {
  std::array<Spelling, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    if (is_unreserved(static_cast<unsigned char>(c))) {
      table[c] = {{static_cast<char>(c), 0, 0}, 1};
    } else {
      table[c] = {{'%', kUpperHex[c >> 4], kUpperHex[c & 0xF]}, 3};
    }
  }
  return table;
}

constexpr std::array<Spelling, 256> kPercent = make_percent_table();

constexpr std::uint8_t kNoDigit = 0xFF;

constexpr std::array<std::uint8_t, 256> make_hex_values() {
  std::array<std::uint8_t, 256> table{};
  for (auto& value : table) value = kNoDigit;
  for (std::uint8_t i = 0; i < 16; ++i) {
    table[static_cast<unsigned char>(kLowerHex[i])] = i;
    table[static_cast<unsigned char>(kUpperHex[i])] = i;
  }
  return table;
}

constexpr std::array<std::uint8_t, 256> kHexValues = make_hex_values();

constexpr std::uint64_t repeat(char c) {
  return 0x0101010101010101 * static_cast<unsigned char>(c);
}

// Whether one of the eight bytes is zero.
bool has_zero_byte(std::uint64_t word) {
  return ((word - repeat(1)) & ~word & 0x8080808080808080) != 0;
}

// Copies eight bytes at a time while none of them is '%' or '+'.
void copy_plain_words(const char*& at, const char* end, char*& out) {
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    if (has_zero_byte(word ^ repeat('%')) || has_zero_byte(word ^ repeat('+'))) return;
    std::memcpy(out, &word, sizeof(word));
    at += 8;
    out += 8;
  }
}

// The entity that stands for a character, or empty when it stands for itself.
std::string_view html_entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

std::string_view xml_entity(char c) {
  switch (c) {
    case '\t':
      return "&#9;";
    case '\n':
      return "&#10;";
    case '\r':
      return "&#13;";
    case '\'':
      return {};
    default:
      return html_entity(c);
  }
}

// Text without special characters, nearly all of it, is one copy.
template <std::string_view (*Entity)(char)>
std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view entity = Entity(text[i]);
    if (entity.empty()) continue;
    out.append(text, copied, i - copied);
    out += entity;
    copied = i + 1;
  }
  out.append(text, copied, std::string_view::npos);
  return out;
}

bool is_plain_in_log(char c) {
  return c >= 0x20 && c <= 0x7E && c != '"' && c != '\'' && c != '\\';
}

bool is_xml_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

void hex_append(std::string& out, std::string_view bytes) {
  const std::size_t before = out.size();
  out.resize(before + bytes.size() * 2);
  char* to = out.data() + before;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *to++ = kLowerHex[byte >> 4];
    *to++ = kLowerHex[byte & 0xF];
  }
}

std::string hex_encode(std::string_view bytes) {
  std::string out;
  hex_append(out, bytes);
  return out;
}

void url_append(std::string& out, std::string_view text) {
  std::size_t size = 0;
  for (const char c : text) size += kPercent[static_cast<unsigned char>(c)].size;
  const std::size_t before = out.size();
  // Room for the bytes that a four-byte store writes beyond the last character.
  out.resize(before + size + sizeof(Spelling) - 1);
  char* to = out.data() + before;
  for (const char c : text) {
    const Spelling& spelling = kPercent[static_cast<unsigned char>(c)];
    std::memcpy(to, &spelling, sizeof(spelling));
    to += spelling.size;
  }
  out.resize(before + size);
}

std::string url_encode(std::string_view text) {
  std::string out;
  url_append(out, text);
  return out;
}

std::optional<std::string> form_decode(std::string_view text) {
  std::string out(text.size(), '\0');
  char* to = out.data();
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    copy_plain_words(at, end, to);
    // One word's worth of single steps, then whole words again.
    for (const char* stop = at + std::min<std::ptrdiff_t>(8, end - at); at < stop; ++at) {
      if (*at != '%') {
        *to++ = *at == '+' ? ' ' : *at;
        continue;
      }
      if (end - at < 3) return std::nullopt;
      const std::uint8_t high = kHexValues[static_cast<unsigned char>(at[1])];
      const std::uint8_t low = kHexValues[static_cast<unsigned char>(at[2])];
      if (high == kNoDigit || low == kNoDigit) return std::nullopt;
      *to++ = static_cast<char>(high << 4 | low);
      at += 2;
    }
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
  return out;
}

std::string html_escape(std::string_view text) { return escape<html_entity>(text); }

std::string xml_escape(std::string_view text) { return escape<xml_entity>(text); }

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_xml_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_xml_blank(text.back())) text.remove_suffix(1);
  return text;
}

namespace {

template <class IsPlain>
std::string escape_for_log(std::string_view text, std::size_t max, IsPlain&& is_plain) {
  std::string out;
  out.reserve(std::min(text.size(), max));
  for (const char c : text.substr(0, max)) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    const char hex[] = {'\\', 'x', kUpperHex[byte >> 4], kUpperHex[byte & 0xF]};
    out.append(hex, sizeof(hex));
  }
  if (text.size() > max) out += "...";
  return out;
}

}  // namespace

std::string log_escape(std::string_view text, std::size_t max) {
  return escape_for_log(text, max, is_plain_in_log);
}

std::string log_escape_clause(std::string_view text, std::size_t max) {
  return escape_for_log(text, max, [](char c) { return is_plain_in_log(c) || c == '"' || c == '\''; });
}

}  // namespace sallyport
