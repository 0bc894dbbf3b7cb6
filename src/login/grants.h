// What a user was granted, and how it differs from before.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport::login {

// Encoded lists as in the headers.
struct Grants {
  std::string_view groups;
  std::string_view spaces;
};

// "+Engineering -Platform "+Trial=Space Member"": groups first, then spaces with their roles, escaped for the log
// and in quotes where an item holds a blank; what goes beyond `max` bytes is left out, with "..." in its place. A
// changed role is a revoked and a granted space.
std::string describe_changes(const Grants& before, const Grants& after, std::size_t max = 600);

// `text` in quotes where a blank would make the line ambiguous, escaped, cut at `max` bytes of input.
std::string logged(std::string_view text, std::size_t max = 256);

}  // namespace sallyport::login
