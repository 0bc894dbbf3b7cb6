#include "policy/text_table.h"

#include <algorithm>
#include <functional>

namespace sallyport::policy {
namespace {

constexpr std::size_t kFirstSlots = 16;

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

}  // namespace

std::string_view TextTable::text(std::uint32_t number) const {
  const std::size_t begin = number == 0 ? 0 : ends_[number - 1];
  return std::string_view(bytes_).substr(begin, ends_[number] - begin);
}

std::size_t TextTable::slot_of(std::string_view text, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.number == kEmpty) return at;
    if (slot.tag == tag_of(hash) && this->text(slot.number) == text) return at;
  }
}

std::optional<std::uint32_t> TextTable::find(std::string_view text) const {
  if (slots_.empty()) return std::nullopt;
  const std::uint32_t number = slots_[slot_of(text, hash_of(text))].number;
  return number == kEmpty ? std::nullopt : std::optional(number);
}

std::pair<std::uint32_t, bool> TextTable::add(std::string_view text) {
  if (const auto known = find(text)) return {*known, false};
  if ((ends_.size() + 1) * 4 > slots_.size() * 3) grow();
  const std::uint64_t hash = hash_of(text);
  const std::uint32_t number = size();
  slots_[slot_of(text, hash)] = {tag_of(hash), number};
  bytes_ += text;
  ends_.push_back(bytes_.size());
  return {number, true};
}

void TextTable::grow() {
  slots_.assign(std::max(kFirstSlots, slots_.size() * 2), Slot{0, kEmpty});
  for (std::uint32_t number = 0; number < size(); ++number) {
    const std::uint64_t hash = hash_of(text(number));
    slots_[slot_of(text(number), hash)] = {tag_of(hash), number};
  }
}

void TextTable::shrink() {
  bytes_.shrink_to_fit();
  ends_.shrink_to_fit();
}

}  // namespace sallyport::policy
