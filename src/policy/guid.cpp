#include "policy/guid.h"

#include <cstddef>

namespace sallyport::policy {
namespace {

constexpr std::size_t kSize = 36;

constexpr bool is_hyphen_place(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

constexpr bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

bool is_guid(std::string_view text) {
  if (text.size() != kSize) return false;
  for (std::size_t i = 0; i < kSize; ++i) {
    if (is_hyphen_place(i) ? text[i] != '-' : !is_hex_digit(text[i])) return false;
  }
  return true;
}

GuidFolded::GuidFolded(std::string_view text) : text_(text) {
  if (!is_guid(text)) return;
  for (std::size_t i = 0; i < kSize; ++i) {
    const bool is_upper = text[i] >= 'A' && text[i] <= 'F';
    folded_[i] = is_upper ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
  }
  text_ = {folded_.data(), folded_.size()};
}

}  // namespace sallyport::policy
