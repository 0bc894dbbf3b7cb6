#include "policy/entitlements.h"

#include <algorithm>
#include <unordered_map>

#include "base/encoding.h"

namespace sallyport::policy {
namespace {

// Rules 4, 7 and 8: an empty item is never known.
bool is_known(std::string_view name, const KnownNames& known) {
  if (name.empty()) return false;
  return known.any || std::find(known.names.begin(), known.names.end(), name) != known.names.end();
}

// Rules 1, 2, 5 and 6: the role sent for a position; empty where none was.
std::string_view role_at(std::size_t position, std::size_t space_count,
                         const std::vector<std::string>& role_items) {
  if (role_items.size() == 1 && space_count > 1) return role_items.front();
  return position < role_items.size() ? std::string_view(role_items[position])
                                      : std::string_view();
}

bool is_blank(std::string_view text) { return trim_blanks(text).empty(); }

}  // namespace

std::vector<std::string> split_items(const std::vector<std::string>& values) {
  std::vector<std::string> items;
  if (std::all_of(values.begin(), values.end(), is_blank)) return items;
  for (std::string_view rest : values) {
    for (std::size_t comma = rest.find(','); comma != std::string_view::npos;
         comma = rest.find(',')) {
      items.emplace_back(trim_blanks(rest.substr(0, comma)));
      rest.remove_prefix(comma + 1);
    }
    items.emplace_back(trim_blanks(rest));
  }
  return items;
}

std::vector<SpaceRole> pair_spaces_with_roles(const std::vector<std::string>& space_items,
                                              const std::vector<std::string>& role_items,
                                              const KnownNames& spaces, const KnownNames& roles) {
  struct Place {
    std::size_t index;    // in `pairs`
    bool has_valid_role;
  };
  std::vector<SpaceRole> pairs;
  std::unordered_map<std::string_view, Place> places;  // keeps long lists linear
  for (std::size_t i = 0; i < space_items.size(); ++i) {
    if (!is_known(space_items[i], spaces)) continue;
    const std::string_view role = role_at(i, space_items.size(), role_items);
    const bool valid = is_known(role, roles);
    const auto [place, is_new] = places.try_emplace(space_items[i], Place{pairs.size(), valid});
    if (is_new) {
      pairs.push_back({space_items[i], valid ? std::string(role) : roles.fallback});
    } else if (valid && !place->second.has_valid_role) {
      // Rule 3: the first valid role of a space that comes several times.
      pairs[place->second.index].role = role;
      place->second.has_valid_role = true;
    }
  }
  return pairs;
}

}  // namespace sallyport::policy
