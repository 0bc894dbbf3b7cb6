// Randomness that a test decides.
#pragma once

#include <cstring>
#include <string>
#include <utility>

#include "base/random.h"

namespace sallyport::testing {

// Hands out the given bytes in order, and refuses when they are used up.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::string bytes) : bytes_(std::move(bytes)) {}

  bool fill(void* out, std::size_t size) override {
    if (size > bytes_.size() - used_) return false;
    std::memcpy(out, bytes_.data() + used_, size);
    used_ += size;
    return true;
  }

 private:
  std::string bytes_;
  std::size_t used_ = 0;
};

// Counts upwards, so that nothing that it makes comes twice, and runs are alike.
class CountingRandom final : public Random {
 public:
  bool fill(void* out, std::size_t size) override {
    auto* bytes = static_cast<unsigned char*>(out);
    ++calls_;
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<unsigned char>(calls_ >> (8 * (i % 4)) ^ i * 37);
    }
    return true;
  }

 private:
  unsigned calls_ = 0;
};

}  // namespace sallyport::testing
