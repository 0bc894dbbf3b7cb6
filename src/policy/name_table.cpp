#include "policy/name_table.h"

#include <algorithm>

namespace sallyport::policy {

namespace {

constexpr std::size_t kFirstSlots = 16;

}  // namespace

std::uint32_t NameTable::intern(std::string_view name, unsigned line) {
  if (slots_.size() < 2 * (names_.size() + 1)) grow();
  std::uint32_t& slot = slots_[slot_of(name)];
  if (slot == 0) {
    names_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size()),
                      line});
    text_.insert(text_.end(), name.begin(), name.end());
    slot = static_cast<std::uint32_t>(names_.size());
  }
  return slot - 1;
}

std::optional<std::uint32_t> NameTable::find(std::string_view name) const {
  if (slots_.empty()) return std::nullopt;
  const std::uint32_t slot = slots_[slot_of(name)];
  if (slot == 0) return std::nullopt;
  return slot - 1;
}

void NameTable::shrink() {
  text_.shrink_to_fit();
  names_.shrink_to_fit();
}

std::size_t NameTable::bytes() const {
  return text_.capacity() + names_.capacity() * sizeof(Name) + slots_.capacity() * sizeof(std::uint32_t);
}

std::size_t NameTable::slot_of(std::string_view text) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = keyed_hash(key_, text) & mask;
  while (slots_[at] != 0 && name(slots_[at] - 1) != text) at = (at + 1) & mask;
  return at;
}

void NameTable::grow() {
  slots_.assign(std::max(kFirstSlots, 2 * slots_.size()), 0);
  for (std::size_t i = 0; i < names_.size(); ++i) {
    slots_[slot_of(name(i))] = static_cast<std::uint32_t>(i + 1);
  }
}

}  // namespace sallyport::policy
