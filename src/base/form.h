// A posted form: application/x-www-form-urlencoded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// The decoded value of the first field of that name; nullopt: there is none, or its escapes are broken.
std::optional<std::string> form_field(std::string_view body, std::string_view name);

}  // namespace sallyport
