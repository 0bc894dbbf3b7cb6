// URLs of the configuration and addresses to return to: what is taken for a path of this site leads a
// browser nowhere else.
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/url.h"
#include "support/fuzz_target.h"

namespace {

using namespace sallyport;

// What a browser makes of a Location value, as far as it decides the host (WHATWG URL standard):
// controls and blanks at the ends and tabs and line breaks anywhere are dropped, a backslash is a
// slash, and two slashes in front or a scheme lead away.
bool browser_stays(std::string_view location) {
  std::string seen;
  for (const char c : location) {
    if (c != '\t' && c != '\r' && c != '\n') seen += c == '\\' ? '/' : c;
  }
  const std::size_t first = seen.find_first_not_of(std::string_view(
      "\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"
      "\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f ",
      33));
  if (first == std::string::npos) return false;
  return seen[first] == '/' && seen.compare(first, 2, "//") != 0;
}

void check_urls(std::string_view text) {
  if (const auto url = parse_url(text)) {
    const auto again = parse_url(url->origin() + url->path);
    REQUIRE(again && again->origin() == url->origin() && again->path == url->path);
    REQUIRE(url->path.empty() || url->path.front() == '/');
  }
  if (is_local_path(text)) {
    REQUIRE(browser_stays(text));
    // Also when something on the way decodes it once.
    REQUIRE(text.find('+') != std::string_view::npos || !form_decode(text) ||
            browser_stays(*form_decode(text)));
  }
  for (const std::size_t max : {std::size_t{20}, std::size_t{1500}}) {
    const std::string path = return_path(text, max);
    REQUIRE(path == "/" || path.size() <= max);
    REQUIRE(is_local_path(path) && return_path(path, 1500) == path);
  }
}

// What is added to a URL comes last in its query and changes nothing before.
void check_query(std::string_view text) {
  std::string url(text);
  append_query(url, "name", "value");
  REQUIRE(url.compare(0, text.size(), text) == 0 && url.find('?') != std::string::npos);
  constexpr std::string_view kAdded = "name=value";
  REQUIRE(url.substr(url.size() - kAdded.size()) == kAdded);
}

}  // namespace

FUZZ_TARGET(url) {
  check_urls(input);
  check_query(input);
}
