// Distinct texts under numbers, found by hash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::policy {

// Numbers texts 0, 1, ... in the order of their addition; each once, any bytes. A look-up costs one hash
// and, nearly always, one cache line more; how long it takes depends on the texts added, which are the
// operator's, and not on who chose the text looked for.
class TextTable {
 public:
  // The number of `text`, and whether it is new.
  std::pair<std::uint32_t, bool> add(std::string_view text);

  std::optional<std::uint32_t> find(std::string_view text) const;

  // Valid until the next addition.
  std::string_view text(std::uint32_t number) const;

  std::uint32_t size() const { return static_cast<std::uint32_t>(ends_.size()); }

  // Gives back what was reserved for further additions.
  void shrink();

 private:
  struct Slot {
    std::uint32_t tag;     // the upper half of the hash
    std::uint32_t number;  // kEmpty: nothing here
  };
  static constexpr std::uint32_t kEmpty = UINT32_MAX;

  // The slot that holds the text, else the empty one where it belongs.
  std::size_t slot_of(std::string_view text, std::uint64_t hash) const;
  void grow();

  std::string bytes_;              // the texts, one behind the other
  std::vector<std::size_t> ends_;  // where each ends in bytes_
  std::vector<Slot> slots_;        // a power of two, a quarter of them free at least
};

}  // namespace sallyport::policy
