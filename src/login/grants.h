// What a user was granted, and how it differs from before.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::login {

// Encoded lists as in the headers.
struct Grants {
  std::string_view groups;
  std::string_view spaces;
};

// "+Engineering -Platform "+Trial=Space Member"": groups first, then spaces with their roles, escaped for the log
// and in quotes where an item holds a blank, cut at 2 KB. A changed role is a revoked and a granted space.
std::string describe_changes(const Grants& before, const Grants& after);

// `text` in quotes where a blank would make the line ambiguous, escaped, cut at 2 KB of input.
std::string logged(std::string_view text);

}  // namespace sallyport::login
