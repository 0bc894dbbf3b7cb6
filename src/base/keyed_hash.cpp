#include "base/keyed_hash.h"

#include <cstddef>

namespace sallyport {

namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

// Up to eight bytes, the first the lowest.
std::uint64_t load(const unsigned char* at, std::size_t size) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) word |= std::uint64_t{at[i]} << (8 * i);
  return word;
}

std::uint64_t rotated(std::uint64_t word, unsigned bits) { return word << bits | word >> (64 - bits); }

class SipState {
 public:
  explicit SipState(const HashKey& key)
      : a_(key.first ^ 0x736f6d6570736575), b_(key.second ^ 0x646f72616e646f6d),
        c_(key.first ^ 0x6c7967656e657261), d_(key.second ^ 0x7465646279746573) {}

  void absorb(std::uint64_t word) {
    d_ ^= word;
    mix();
    mix();
    a_ ^= word;
  }

  std::uint64_t finish() {
    c_ ^= 0xff;
    for (int i = 0; i < 4; ++i) mix();
    return a_ ^ b_ ^ c_ ^ d_;
  }

 private:
  void mix() {
    a_ += b_;
    b_ = rotated(b_, 13) ^ a_;
    a_ = rotated(a_, 32);
    c_ += d_;
    d_ = rotated(d_, 16) ^ c_;
    a_ += d_;
    d_ = rotated(d_, 21) ^ a_;
    c_ += b_;
    b_ = rotated(b_, 17) ^ c_;
    c_ = rotated(c_, 32);
  }

  std::uint64_t a_;
  std::uint64_t b_;
  std::uint64_t c_;
  std::uint64_t d_;
};

}  // namespace

HashKey hash_key_from(const Digest& digest) {
  return {load(digest.data(), kWord), load(digest.data() + kWord, kWord)};
}

std::uint64_t keyed_hash(const HashKey& key, std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t left = text.size();
  SipState state(key);
  for (; left >= kWord; at += kWord, left -= kWord) state.absorb(load(at, kWord));
  state.absorb(load(at, left) | std::uint64_t{text.size()} << 56);
  return state.finish();
}

}  // namespace sallyport
