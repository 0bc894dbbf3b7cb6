// Flat bytes of numbers and texts, for what is sealed or hashed: no two sequences of values of the same kinds
// have one encoding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"

namespace sallyport {

constexpr std::size_t kFlatLengthBytes = 4;  // in front of each text

template <class Number>
void append_number(std::string& out, Number number) {
  char bytes[sizeof(Number)];
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    bytes[i] = static_cast<char>(static_cast<std::uint64_t>(number) >> 8 * (sizeof(Number) - 1 - i) & 0xFF);
  }
  out.append(bytes, sizeof(Number));
}

// At most 4 GB.
inline void append_text(std::string& out, std::string_view text) {
  append_number(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

inline void append_digest(std::string& out, const Digest& digest) { out += as_view(digest); }

// Takes apart what was appended; what is not there reads as zero or empty and spoils the whole.
class FlatReader {
 public:
  explicit FlatReader(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number number() {
    std::uint64_t value = 0;
    for (const char c : take(sizeof(Number))) value = value << 8 | static_cast<unsigned char>(c);
    return static_cast<Number>(value);
  }
  std::string text() { return std::string(take(number<std::uint32_t>())); }
  Digest digest() {
    Digest out{};
    const std::string_view bytes = take(out.size());
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
  }

  // Whether all that was asked for was there.
  bool ok() const { return whole_; }
  // Whether everything was there and nothing is left.
  bool complete() const { return whole_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      whole_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool whole_ = true;
};

}  // namespace sallyport
