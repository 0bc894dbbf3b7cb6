// Authenticated encryption of what travels through the browser or rests in a store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/random.h"

namespace sallyport {

// XAES-256-GCM (C2SP): AES-256-GCM under a key derived from the first half of a random 192-bit nonce, so that any number
// of nodes may seal under one key: among 2^50 messages two nonces are alike with a chance of 2^-35. One Sealer keeps that
// half, and the derived key, for up to 4,096 messages: the derivation costs as much as sealing a cookie. (What it sealed
// with one key can be told from what it sealed with another, by anybody.)
// Not thread-safe; contexts are kept between calls (one object per worker and key).
class Sealer {
 public:
  static constexpr std::size_t kNonceSize = 24;
  static constexpr std::size_t kTagSize = 16;
  static constexpr std::size_t kOverhead = kNonceSize + kTagSize;

  explicit Sealer(const Digest& key);
  ~Sealer();
  Sealer(Sealer&&) noexcept;
  Sealer& operator=(Sealer&&) noexcept;

  // nonce | ciphertext | tag. `context` is authenticated, not carried: opening needs the same.
  // nullopt when randomness or memory fails.
  std::optional<std::string> seal(std::string_view plaintext, std::string_view context,
                                  Random& random);

  // nullopt for anything not sealed under this key and context; no reason is told.
  std::optional<std::string> open(std::string_view sealed, std::string_view context);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A secret, and the one before it where it was changed: the first seals, both open.
struct Secret {
  Digest current{};
  std::optional<Digest> previous{};
};

// Sealers under keys derived from a secret.
class RotatingSealer {
 public:
  RotatingSealer(const Secret& secret, std::string_view purpose);

  std::optional<std::string> seal(std::string_view plaintext, std::string_view context, Random& random) {
    return current_.seal(plaintext, context, random);
  }
  std::optional<std::string> open(std::string_view sealed, std::string_view context);

 private:
  Sealer current_;
  std::optional<Sealer> previous_;
};

}  // namespace sallyport
