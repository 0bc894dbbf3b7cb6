// Spaces and roles from the IdP's lists (the eight pairing rules of the design).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::policy {

struct SpaceRole {
  std::string space;
  std::string role;  // may be empty
};

// A policy's known names. `any`: no line of that kind in the policy, everything is known.
struct KnownNames {
  bool any = true;
  std::vector<std::string> names;
  std::string fallback;  // the default; empty: none
};

// Comma-separated and multi-valued input to items in order: trimmed, positions kept, empty items
// counted; an attribute of blank values alone has none.
std::vector<std::string> split_items(const std::vector<std::string>& values);

// Pairs spaces with roles by position; each space once, in order of first appearance.
std::vector<SpaceRole> pair_spaces_with_roles(const std::vector<std::string>& space_items,
                                              const std::vector<std::string>& role_items,
                                              const KnownNames& spaces, const KnownNames& roles);

}  // namespace sallyport::policy
