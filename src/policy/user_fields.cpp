#include "policy/user_fields.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "policy/identity_headers.h"
#include "policy/statements.h"

namespace sallyport::policy {
namespace {

bool says_no(std::string_view text) {
  const std::string word = ascii_lower(trim_blanks(text));
  return word == "0" || word == "no" || word == "off" || word == "false";
}

bool is_name(std::string_view text) {
  return !text.empty() && is_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

std::vector<std::string> names_of(std::string_view list) {
  std::vector<std::string> names;
  std::set<std::string> seen;  // a tree: nobody can choose names that make it slow
  for (const std::string& item : decode_list(list)) {
    const std::string_view name = trim_blanks(item);
    if (is_name(name) && seen.emplace(name).second) names.emplace_back(name);
  }
  return names;
}

// The last colon separates the role, as in a file. Of two with one space the first counts.
std::vector<ListedSpace> spaces_of(const std::vector<std::string>& items) {
  std::vector<ListedSpace> spaces;
  std::set<std::string_view> seen;
  for (const std::string_view item : items) {
    const std::size_t colon = item.rfind(':');
    const std::string_view name = trim_blanks(item.substr(0, colon));
    const std::string_view role = colon == std::string_view::npos ? std::string_view() : trim_blanks(item.substr(colon + 1));
    if (!name.empty() && seen.insert(name).second) spaces.push_back({name, role});
  }
  return spaces;
}

// A list has one line for a KEY and an idp.
void add_line(UserLine line, std::vector<UserLine>& lines) {
  const std::string key = UserList::comparable_key(line.key);
  const auto same = std::find_if(lines.begin(), lines.end(), [&](const UserLine& other) {
    return other.idp == line.idp && UserList::comparable_key(other.key) == key;
  });
  if (same == lines.end()) {
    lines.push_back(std::move(line));
  } else {
    same->is_disabled = same->is_disabled || line.is_disabled;
  }
}

}  // namespace

std::vector<std::string> listed_keys(std::string_view user, std::string_view email) {
  std::vector<std::string> keys;
  const auto add = [&](std::string key) {
    if (key.empty() || key.size() >= StatementReader::kMaxStatement) return;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
  };
  add(std::string(user));
  add(UserList::comparable_key(user));
  if (email.find('@') != std::string_view::npos) add(UserList::comparable_key(email));
  return keys;
}

UserList list_of(const std::vector<UserFields>& users) {
  std::vector<std::vector<std::string>> names;  // what the lines point into
  std::vector<UserLine> lines;
  names.reserve(2 * users.size());
  for (const UserFields& user : users) {
    if (!user.is_listed()) continue;
    UserLine line;
    line.line = static_cast<unsigned>(lines.size() + 1);
    line.key = user.key;
    line.idp = trim_blanks(user.idp.value_or(""));
    line.is_disabled = user.disabled && !says_no(*user.disabled);
    // Nothing checks the store's list beforehand: who is disabled is so at every IdP, where none is named.
    if (line.is_disabled && line.idp.empty()) line.idp = "*";
    names.push_back(names_of(user.groups.value_or("")));
    line.groups.assign(names.back().begin(), names.back().end());
    names.push_back(names_of(user.spaces.value_or("")));
    line.spaces = spaces_of(names.back());
    add_line(std::move(line), lines);
  }
  return UserList::of(lines);
}

}  // namespace sallyport::policy
