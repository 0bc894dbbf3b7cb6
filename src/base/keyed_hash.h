// A fast hash under a key, for tables whose keys other people choose: who does not know the hash key
// cannot make them collide.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/digest.h"

namespace sallyport {

struct HashKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

// From the first 16 bytes of a digest.
HashKey hash_key_from(const Digest& digest);

// SipHash-2-4: the same number on every machine. 20 to 30 ns for a short text; not for digests.
std::uint64_t keyed_hash(const HashKey& key, std::string_view text);

}  // namespace sallyport
