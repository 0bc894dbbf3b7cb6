// What a start tag says by itself, before it is in any tree.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::saml {

struct StartTag {
  std::string_view prefix;      // empty: none
  std::string_view local_name;
  bool is_empty = false;        // "<a/>"
  std::vector<std::pair<std::string_view, std::string>> attributes;  // names as written, values without references

  // Null: not there.
  const std::string* attribute(std::string_view name) const;
  // The namespace that it declares for a prefix (empty: the default one); null: none.
  const std::string* declared(std::string_view wanted_prefix) const;
};

// `text` from '<' to '>', both included; it must outlive the result. nullopt: it is none that XML knows.
std::optional<StartTag> read_start_tag(std::string_view text);

}  // namespace sallyport::saml
