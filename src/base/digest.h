// SHA-256 and what is built on it, over OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

using Digest = std::array<std::uint8_t, 32>;

// SHA-256 of the bytes. Costs some 50 ns for a short text: no provider, no allocation. Throws std::bad_alloc, here and below, when
// OpenSSL fails, for which only memory can be wanting: a digest that could be wrong must never be compared.
Digest sha256(std::string_view bytes);

Digest hmac_sha256(std::string_view key, std::string_view bytes);

// HKDF-SHA256 (RFC 5869) with empty salt: 32 bytes bound to `info`.
Digest derive_key(std::string_view secret, std::string_view info);

// The first 8 bytes of SHA-256 as a number: a compact tag where a collision costs nothing.
std::uint64_t hash_tag(std::string_view bytes);

// Equality in time that depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b);

inline std::string_view as_view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace sallyport
