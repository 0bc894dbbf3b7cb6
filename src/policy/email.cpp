#include "policy/email.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/encoding.h"
#include "policy/domain_name.h"

namespace sallyport::policy {
namespace {

constexpr std::size_t kMaxAddress = 254;

struct Range {
  char32_t first;
  char32_t last;
};

// Beyond ASCII: control characters, blanks, direction marks, joiners, fillers, variation selectors, tags,
// private use, and the small and full-width forms of ASCII characters. In order.
constexpr Range kNotInLocalParts[] = {
    {0x80, 0xA0},     {0xAD, 0xAD},     {0x34F, 0x34F},     {0x61C, 0x61C},       {0x115F, 0x1160},
    {0x1680, 0x1680}, {0x17B4, 0x17B5}, {0x180B, 0x180F},   {0x2000, 0x200F},     {0x2024, 0x202F},
    {0x205F, 0x206F}, {0x2800, 0x2800}, {0x3000, 0x3000},   {0x3164, 0x3164},     {0xE000, 0xF8FF},
    {0xFE00, 0xFE0F}, {0xFE50, 0xFE6F}, {0xFEFF, 0xFEFF},   {0xFF01, 0xFF5E},     {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFF}, {0x1D173, 0x1D17A}, {0xE0000, 0x10FFFF},
};

// "atext" of RFC 5322 3.2.3, with RFC 6531's UTF8-non-ascii but for those above.
bool is_atom_character(char32_t c) {
  if (c >= 0x80) {
    return std::none_of(std::begin(kNotInLocalParts), std::end(kNotInLocalParts),
                        [c](const Range& range) { return c >= range.first && c <= range.last; });
  }
  constexpr std::string_view kSigns = "!#$%&'*+-/=?^_`{|}~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kSigns.find(static_cast<char>(c)) != std::string_view::npos;
}

// Atoms with single dots between them.
bool is_dot_atom(std::string_view text) {
  bool in_atom = false;
  while (!text.empty()) {
    const char32_t c = take_code_point(text);
    if (c == '.' ? !in_atom : !is_atom_character(c)) return false;
    in_atom = c != '.';
  }
  return in_atom;
}

}  // namespace

std::optional<EmailAddress> parse_email(std::string_view text) {
  if (text.size() > kMaxAddress || !is_utf8(text)) return std::nullopt;
  const std::size_t at = text.find('@');
  // A second '@' would be in the domain, which takes none.
  if (at == std::string_view::npos || !is_dot_atom(text.substr(0, at))) return std::nullopt;
  auto domain = canonical_domain(text.substr(at + 1));
  if (!domain) return std::nullopt;
  return EmailAddress{std::string(text.substr(0, at)), *std::move(domain)};
}

}  // namespace sallyport::policy
