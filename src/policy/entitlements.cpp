#include "policy/entitlements.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/encoding.h"
#include "policy/single_value.h"

namespace sallyport::policy {
namespace {

std::string_view or_anything(std::string_view place) {
  return place.empty() ? "no line of that kind in the policy: anything is known" : place;
}

// One call of pair_spaces_with_roles().
class Pairing {
 public:
  Pairing(const std::vector<std::string>& space_items, const std::vector<std::string>& role_items,
          const KnownNames& spaces, const KnownNames& roles, Explanation* explanation)
      : space_items_(space_items), role_items_(role_items), spaces_(spaces), roles_(roles),
        explanation_(explanation) {}

  std::vector<SpaceRole> run() {
    for (std::size_t i = 0; i < space_items_.size(); ++i) add(i);
    explain_left_over();
    return std::move(pairs_);
  }

 private:
  struct Place {
    std::size_t index;  // in pairs_
    bool has_valid_role;
  };

  void add(std::size_t i) {
    const std::string& space = space_items_[i];
    // Rules 7 and 8.
    const bool known = spaces_.knows(space);
    explain(explanation_, Subject::kSpace, space, known, [&] {
      return known ? "sent; " + std::string(or_anything(spaces_.place(space)))
                   : "no `space` line has it; the role at its position is ignored";
    });
    if (!known) return;
    const std::string_view role = role_at(i);
    const bool valid = roles_.knows(role);  // rules 4 and 8
    const auto [place, is_new] = places_.try_emplace(space, Place{pairs_.size(), valid});
    explain_role(space, role, valid, is_new || !place->second.has_valid_role);
    if (is_new) {
      pairs_.push_back({space, valid ? std::string(role) : roles_.fallback()});
    } else if (valid && !place->second.has_valid_role) {
      // Rule 3: the first valid role of a space that comes several times.
      pairs_[place->second.index].role = role;
      place->second.has_valid_role = true;
    }
  }

  // Rules 1, 2, 5 and 6: the role sent for a position; empty where none was.
  std::string_view role_at(std::size_t position) const {
    if (has_one_role_for_all()) return role_items_.front();
    return position < role_items_.size() ? std::string_view(role_items_[position])
                                         : std::string_view();
  }

  bool has_one_role_for_all() const { return role_items_.size() == 1 && space_items_.size() > 1; }

  void explain_role(std::string_view space, std::string_view role, bool valid, bool counts) {
    if (explanation_ == nullptr) return;
    const std::string pair = std::string(space) + ":";
    if (!counts) {
      explain(explanation_, Subject::kRole, pair + std::string(role), false,
              [] { return "the space has a role from an earlier position"; });
      return;
    }
    if (valid) {
      explain(explanation_, Subject::kRole, pair + std::string(role), true, [&] {
        return (has_one_role_for_all() ? "the one role sent, for all spaces; "
                                       : "sent at the space's position; ") +
               std::string(or_anything(roles_.place(role)));
      });
      return;
    }
    explain(explanation_, Subject::kRole, pair + std::string(role), false, [&] {
      return role.empty() ? "no role was sent at the space's position" : "no `role` line has it";
    });
    explain(explanation_, Subject::kRole, pair + roles_.fallback(), true, [&] {
      return roles_.fallback().empty()
                 ? "without a role: the policy has no default"
                 : "the default role; " + std::string(roles_.place(roles_.fallback()));
    });
  }

  // Rule 6.
  void explain_left_over() {
    if (has_one_role_for_all()) return;
    for (std::size_t i = space_items_.size(); i < role_items_.size(); ++i) {
      explain(explanation_, Subject::kRole, ":" + role_items_[i], false,
              [] { return "more roles than spaces were sent"; });
    }
  }

  const std::vector<std::string>& space_items_;
  const std::vector<std::string>& role_items_;
  const KnownNames& spaces_;
  const KnownNames& roles_;
  Explanation* explanation_;
  std::vector<SpaceRole> pairs_;
  // A tree: nobody can choose texts that make it slow, as for a hash without a secret.
  std::map<std::string_view, Place> places_;
};

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
                                              const KnownNames& spaces, const KnownNames& roles,
                                              Explanation* explanation) {
  return Pairing(space_items, role_items, spaces, roles, explanation).run();
}

}  // namespace sallyport::policy
