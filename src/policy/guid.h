// GUIDs, which are the same in either case; everything else compares byte for byte.
#pragma once

#include <array>
#include <string_view>

namespace sallyport::policy {

// Whether the text is 8-4-4-4-12 hexadecimal digits, without braces.
bool is_guid(std::string_view text);

// A text as it is compared: a GUID in lower case, anything else as it stands. Looks at the given text,
// which must outlive it; allocates nothing.
class GuidFolded {
 public:
  explicit GuidFolded(std::string_view text);
  GuidFolded(const GuidFolded&) = delete;
  GuidFolded& operator=(const GuidFolded&) = delete;

  std::string_view text() const { return text_; }

 private:
  std::array<char, 36> folded_;
  std::string_view text_;
};

}  // namespace sallyport::policy
