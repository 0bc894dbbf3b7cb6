// What travels through the browser and comes back: sealed, and written in the characters of cookies and URLs.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/seal.h"

namespace sallyport::session {

// Of all such texts under one secret. `context` says what a text is for, and is authenticated: it opens with the same one only.
class SealedText {
 public:
  static constexpr std::size_t kMaxBytes = 4096;  // a longer one is not ours

  explicit SealedText(const Secret& secret) : sealer_(secret, "sallyport login state") {}

  // Base64url; nullopt when randomness or memory fails.
  std::optional<std::string> seal(std::string_view plaintext, std::initializer_list<std::string_view> context,
                                  Random& random);
  std::optional<std::string> open(std::string_view text, std::initializer_list<std::string_view> context);

 private:
  RotatingSealer sealer_;
};

// Whether it was made within the last `lifetime`. Clocks of two nodes differ, so a time ahead is borne as far.
inline bool is_within(Millis then, Millis now, Millis lifetime) {
  return then >= now - lifetime && then <= now + lifetime;
}

}  // namespace sallyport::session
