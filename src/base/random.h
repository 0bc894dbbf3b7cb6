// Unpredictable bytes; an argument of everything that draws identifiers, so that tests can fix them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sallyport {

class Random {
 public:
  virtual ~Random() = default;
  // Fills `size` bytes; false when the system has none to give (the caller refuses).
  virtual bool fill(void* out, std::size_t size) = 0;
};

// OpenSSL's CSPRNG, drawn 4 KB at a time (one call costs 0.65 us, whatever its size). Used bytes are
// wiped. One object per process: bytes drawn before a fork must not be shared by both sides, so
// each worker makes its own.
class SystemRandom final : public Random {
 public:
  ~SystemRandom() override;
  bool fill(void* out, std::size_t size) override;

 private:
  std::array<unsigned char, 4096> buffer_;
  std::size_t left_ = 0;
};

}  // namespace sallyport
