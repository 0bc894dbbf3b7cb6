#include "base/form.h"

#include "base/encoding.h"

namespace sallyport {

std::optional<std::string> form_field(std::string_view body, std::string_view name) {
  while (!body.empty()) {
    const std::string_view pair = body.substr(0, body.find('&'));
    body.remove_prefix(pair.size() == body.size() ? pair.size() : pair.size() + 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || form_decode(pair.substr(0, equals)) != name) continue;
    return form_decode(pair.substr(equals + 1));
  }
  return std::nullopt;
}

}  // namespace sallyport
