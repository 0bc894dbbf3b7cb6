// What is wrong in a file of the operator's, and where.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::policy {

struct LineError {
  unsigned line;        // counted from 1
  std::string message;  // what is wrong and what to write instead; may hold bytes of the file
};

// nullopt: nothing is wrong.
using Problem = std::optional<LineError>;

// Text of the file for a message: in quotes, cut at 256 bytes.
inline std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 256;
  std::string out = "\"";
  out += text.substr(0, kMost);
  return out += text.size() > kMost ? "...\"" : "\"";
}

}  // namespace sallyport::policy
