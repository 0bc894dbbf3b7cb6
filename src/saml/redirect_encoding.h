// The encoding of the HTTP-Redirect binding (SAML Bindings 3.4.4.1: raw DEFLATE, base64, percent),
// in pieces that can be prepared apart and joined later.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sallyport::saml {

// A DEFLATE stream (RFC 1951) of constant text around one stored block that is filled in per
// message. Base64 and percent-encoding of the constant parts are done beforehand too: joining a
// message costs the encoding of its own few bytes and two copies.
class SplicedDeflate {
 public:
  // The longest text that append() takes.
  static constexpr std::size_t kMaxMiddle = 384;

  SplicedDeflate() = default;
  // Throws std::bad_alloc when zlib has no memory, as the strings here would.
  SplicedDeflate(std::string_view before, std::string_view after);

  // An upper bound of what append() adds for `middle` bytes.
  std::size_t encoded_size(std::size_t middle) const;

  // Appends the percent-encoded base64 of DEFLATE(before + middle + after), the middle being the
  // pieces one behind the other. False, with `out` unchanged, when they are too long.
  bool append(std::string& out, std::initializer_list<std::string_view> middle) const;

 private:
  std::string head_;    // encoded; whole groups of three bytes
  std::string carry_;   // the 0 to 2 bytes of the constant part behind the last whole group
  std::string after_;   // raw; its first bytes complete the middle's last group
  std::array<std::string, 3> tails_;  // encoded `after_` without its first 0, 1, 2 bytes
};

// Appends base64 of the bytes with '+', '/' and '=' percent-encoded.
void append_query_base64(std::string& out, std::string_view bytes);

}  // namespace sallyport::saml
