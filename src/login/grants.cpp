#include "login/grants.h"

#include <set>
#include <vector>

#include "base/encoding.h"

namespace sallyport::login {
namespace {

// Items of an encoded list, still encoded.
std::vector<std::string_view> items_of(std::string_view list) {
  std::vector<std::string_view> items;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    items.push_back(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return items;
}

// The items that are in `list` and not in `other`, each behind `sign`. False: the line is full.
bool append_difference(std::string& out, std::size_t max, char sign, std::string_view list,
                       std::string_view other) {
  const std::vector<std::string_view> others = items_of(other);
  const std::set<std::string_view> known(others.begin(), others.end());
  for (const std::string_view item : items_of(list)) {
    if (known.count(item) != 0) continue;
    const std::string text = logged(sign + std::string(item));
    if (out.size() + text.size() > max) {
      out += " ...";
      return false;
    }
    if (!out.empty()) out += ' ';
    out += text;
  }
  return true;
}

}  // namespace

std::string logged(std::string_view text, std::size_t max) {
  const std::string escaped = log_escape(text, max);
  return text.find(' ') == std::string_view::npos ? escaped : '"' + escaped + '"';
}

std::string describe_changes(const Grants& before, const Grants& after, std::size_t max) {
  std::string out;
  if (append_difference(out, max, '+', after.groups, before.groups) &&
      append_difference(out, max, '-', before.groups, after.groups) &&
      append_difference(out, max, '+', after.spaces, before.spaces)) {
    append_difference(out, max, '-', before.spaces, after.spaces);
  }
  return out;
}

}  // namespace sallyport::login
