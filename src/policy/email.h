// E-mail addresses, as far as they decide on access.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::policy {

struct EmailAddress {
  std::string local;   // as it stands
  std::string domain;  // canonical (policy/domain_name.h)
};

// One plain addr-spec and nothing around it: no display name, angle brackets, comments, quotes, blanks
// or second address. The local part is a dot-atom of RFC 5322, or of RFC 6531 where it holds letters
// beyond ASCII; characters that are not seen, and forms of ASCII characters that some reader takes for
// them (U+FF20 for '@'), are refused there. nullopt too for a bad domain, malformed UTF-8, and over 254
// bytes.
std::optional<EmailAddress> parse_email(std::string_view text);

}  // namespace sallyport::policy
