// Bytes of a fuzzer taken apart into numbers and texts, alike with every compiler.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sallyport::fuzz {

// What is asked for when nothing is left is zero, or empty.
class FuzzInput {
 public:
  explicit FuzzInput(std::string_view bytes) : bytes_(bytes) {}

  std::size_t left() const { return bytes_.size(); }

  // Between the two, both included.
  std::uint64_t number(std::uint64_t low, std::uint64_t high) {
    std::uint64_t value = 0;
    for (std::uint64_t range = high - low; range > 0; range >>= 8) value = value << 8 | byte();
    const std::uint64_t span = high - low + 1;
    return low + (span == 0 ? value : value % span);
  }

  bool flag() { return (byte() & 1) != 0; }

  template <class T, std::size_t N>
  const T& pick(const T (&all)[N]) {
    return all[number(0, N - 1)];
  }

  // A length and so many bytes.
  std::string text(std::size_t max) {
    const std::size_t wanted = number(0, max);  // takes bytes
    const std::size_t size = std::min(wanted, bytes_.size());
    std::string taken(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string rest() { return std::string(std::exchange(bytes_, {})); }

 private:
  unsigned char byte() {
    if (bytes_.empty()) return 0;
    const char first = bytes_.front();
    bytes_.remove_prefix(1);
    return static_cast<unsigned char>(first);
  }

  std::string_view bytes_;
};

}  // namespace sallyport::fuzz
