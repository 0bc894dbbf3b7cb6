#include "policy/timezones.h"

#include <algorithm>

#include "base/encoding.h"

namespace sallyport::policy {
namespace {

constexpr std::size_t kMaxName = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_name_character(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' || c == '/';
}

// The next field of a line, taken off it; empty at the end.
std::string_view take_field(std::string_view& line) {
  constexpr std::string_view kBlanks = " \t\r\f\v";
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view field = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(field.size());
  return field;
}

// zic takes any beginning of a keyword, in any case.
bool is_keyword(std::string_view field, std::string_view keyword) {
  return !field.empty() && field.size() <= keyword.size() &&
         ascii_lower(field) == keyword.substr(0, field.size());
}

// "Zone NAME OFFSET RULES FORMAT ..." or "Link TARGET NAME"; empty for every other line.
std::string_view name_in(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const std::string_view keyword = take_field(line);
  const std::string_view second = take_field(line);
  const std::string_view third = take_field(line);
  const std::string_view fourth = take_field(line);
  if (is_keyword(keyword, "zone")) return take_field(line).empty() ? std::string_view() : second;
  return is_keyword(keyword, "link") && fourth.empty() ? third : std::string_view();
}

}  // namespace

bool looks_like_timezone(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

Timezones::Timezones(std::string_view text) {
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const std::string_view name = name_in(text.substr(0, end));
    if (looks_like_timezone(name)) names_.emplace_back(name);
    text.remove_prefix(end + 1);
  }
  std::sort(names_.begin(), names_.end());
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
}

bool Timezones::has(std::string_view name) const {
  return std::binary_search(names_.begin(), names_.end(), name);
}

}  // namespace sallyport::policy
