// Names that many lines repeat, each kept once and known by a number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"

namespace sallyport::policy {

// Numbers count from 0 in the order of first appearance. All names together are below 4 GB. Views live
// until the next intern(), or as long as the table when there is none; they survive a move.
class NameTable {
 public:
  explicit NameTable(const HashKey& key = {}) : key_(key) {}

  // The name's number. A new one gets the next, and remembers the line that it came from.
  std::uint32_t intern(std::string_view name, unsigned line);

  std::optional<std::uint32_t> find(std::string_view name) const;

  std::size_t size() const { return names_.size(); }
  std::string_view name(std::size_t number) const {
    return {text_.data() + names_[number].begin, names_[number].size};
  }
  // The line where the name stood first.
  unsigned line(std::size_t number) const { return names_[number].line; }

  // Gives back what was taken in advance.
  void shrink();
  std::size_t bytes() const;

 private:
  struct Name {
    std::uint32_t begin;
    std::uint32_t size;
    std::uint32_t line;
  };

  // The name's slot, or the empty one where it belongs. There are slots.
  std::size_t slot_of(std::string_view name) const;
  void grow();

  HashKey key_;
  std::vector<char> text_;
  std::vector<Name> names_;
  std::vector<std::uint32_t> slots_;  // a number plus 1, 0: empty; a power of two, at most half of it full
};

}  // namespace sallyport::policy
