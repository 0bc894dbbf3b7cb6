#include "policy/domain_name.h"

#include <idn2.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/c_ptr.h"
#include "base/encoding.h"

namespace sallyport::policy {
namespace {

constexpr std::size_t kMaxDomain = 253;
constexpr std::size_t kMaxLabel = 63;
// An A-label has at least a byte for each code point of its label, of up to four bytes.
constexpr std::size_t kMaxText = 4 * kMaxDomain;
constexpr std::string_view kAcePrefix = "xn--";

// Capital letters that follow each other, or every other code point of a row (step 2), and how far from
// each its small letter is.
struct Capitals {
  char32_t first;
  char32_t last;
  char32_t step;
  std::int32_t to_small;
};

// In order. Left out are those that UTS 46 makes more than one small letter of.
constexpr Capitals kCapitals[] = {
    {0x41, 0x5A, 1, 32},      {0xC0, 0xD6, 1, 32},      {0xD8, 0xDE, 1, 32},
    {0x100, 0x12E, 2, 1},     {0x134, 0x136, 2, 1},     {0x139, 0x13D, 2, 1},
    {0x141, 0x147, 2, 1},     {0x14A, 0x176, 2, 1},     {0x178, 0x178, 1, -121},
    {0x179, 0x17D, 2, 1},     {0x18F, 0x18F, 1, 202},   {0x1A0, 0x1A0, 1, 1},
    {0x1AF, 0x1AF, 1, 1},     {0x1CD, 0x1DB, 2, 1},     {0x1F8, 0x21E, 2, 1},
    {0x386, 0x386, 1, 38},    {0x388, 0x38A, 1, 37},    {0x38C, 0x38C, 1, 64},
    {0x38E, 0x38F, 1, 63},    {0x391, 0x3A1, 1, 32},    {0x3A3, 0x3AB, 1, 32},
    {0x400, 0x40F, 1, 80},    {0x410, 0x42F, 1, 32},    {0x48A, 0x4BE, 2, 1},
    {0x4C1, 0x4CD, 2, 1},     {0x4D0, 0x52E, 2, 1},     {0x531, 0x556, 1, 48},
    {0x1E00, 0x1E94, 2, 1},   {0x1EA0, 0x1EFE, 2, 1},
};

char32_t small_letter(char32_t c) {
  for (const Capitals& row : kCapitals) {
    if (c < row.first) break;
    if (c <= row.last) return (c - row.first) % row.step == 0 ? c + row.to_small : c;
  }
  return c;
}

std::string small_letters(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) append_utf8(out, small_letter(take_code_point(text)));
  return out;
}

bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

bool has_beyond_ascii(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_beyond_ascii);
}

bool is_letter_digit_hyphen(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// What holds for labels of every kind; keeps NUL bytes and dots from libidn2.
bool is_host_label(std::string_view label) {
  return !label.empty() && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return is_letter_digit_hyphen(c) || is_beyond_ascii(c); });
}

// The A-label of a small-letter label beyond ASCII; empty when IDNA 2008 does not take it.
std::string a_label(const std::string& label) {
  std::uint8_t* out = nullptr;
  // Without UTS 46: nothing is mapped.
  const int rc = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(label.c_str()), &out,
                                IDN2_NFC_INPUT | IDN2_NO_TR46);
  const CPtr<std::uint8_t, idn2_free> owner(out);
  if (rc != IDN2_OK || out == nullptr) return {};
  std::string ascii = reinterpret_cast<const char*>(out);
  // Normalization makes a plain letter of some signs (U+212A, the kelvin).
  return starts_with(ascii, kAcePrefix) ? ascii : std::string();
}

// Whether the label behind an "xn--" label has just this A-label.
bool comes_back(const std::string& label) {
  char* out = nullptr;
  const int rc = idn2_to_unicode_8z8z(label.c_str(), &out, 0);
  const CPtr<char, idn2_free> owner(out);
  if (rc != IDN2_OK || out == nullptr) return false;
  const std::string unicode = out;
  return has_beyond_ascii(unicode) && is_host_label(unicode) && a_label(unicode) == label;
}

// Empty when it is none.
std::string canonical_label(std::string_view text) {
  if (!is_host_label(text)) return {};
  std::string label;
  if (has_beyond_ascii(text)) {
    label = a_label(small_letters(text));
  } else {
    label = ascii_lower(text);
    if (starts_with(label, kAcePrefix) && !comes_back(label)) return {};
  }
  return label.size() <= kMaxLabel ? label : std::string();
}

// As browsers see it: a name with such a last label would be an IPv4 address.
bool is_number(std::string_view label) {
  return starts_with(label, "0x") ||
         std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<std::string> canonical_domain(std::string_view text) {
  if (text.size() > kMaxText || !is_utf8(text)) return std::nullopt;
  std::string domain;
  for (;;) {
    const std::size_t dot = text.find('.');
    const std::string label = canonical_label(text.substr(0, dot));
    if (label.empty()) return std::nullopt;
    domain += label;
    if (domain.size() > kMaxDomain) return std::nullopt;
    if (dot == std::string_view::npos) {
      return is_number(label) ? std::nullopt : std::optional(std::move(domain));
    }
    domain += '.';
    text.remove_prefix(dot + 1);
  }
}

}  // namespace sallyport::policy
