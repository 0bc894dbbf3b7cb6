#include "policy/known_names.h"

#include "base/flat.h"

namespace sallyport::policy {

bool KnownNames::add(std::string_view name, std::string_view place) {
  return places_.emplace(name, place).second;
}

bool KnownNames::knows(std::string_view name) const {
  if (name.empty()) return false;
  return knows_all() || places_.find(name) != places_.end();
}

std::string_view KnownNames::place(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? std::string_view() : found->second;
}

void KnownNames::append_digest_input(std::string& out) const {
  append_number(out, static_cast<std::uint32_t>(places_.size()));
  for (const auto& each : places_) append_text(out, each.first);
  append_text(out, fallback_);
}

}  // namespace sallyport::policy
