// Spaces and roles from the IdP's lists (the eight pairing rules of the design).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/explanation.h"
#include "policy/known_names.h"

namespace sallyport::policy {

struct SpaceRole {
  std::string space;
  std::string role;  // may be empty
};

// Comma-separated and multi-valued input to items in order: trimmed, positions kept, empty items
// counted; an attribute of blank values alone has none.
std::vector<std::string> split_items(const std::vector<std::string>& values);

// Pairs spaces with roles by position; each space once, in order of first appearance. `explanation` (may be
// null) gets a decision for each item.
std::vector<SpaceRole> pair_spaces_with_roles(const std::vector<std::string>& space_items,
                                              const std::vector<std::string>& role_items,
                                              const KnownNames& spaces, const KnownNames& roles,
                                              Explanation* explanation = nullptr);

}  // namespace sallyport::policy
