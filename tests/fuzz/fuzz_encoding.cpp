// Every decoder of the base layer on any bytes: no crash, and what it accepts keeps its promises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/instant.h"
#include "base/url.h"

namespace {

using namespace sallyport;

void require(bool promise) {
  if (!promise) std::abort();
}

void check_base64(std::string_view text) {
  const auto plain = base64_decode(text);
  if (plain) require(base64_decode(base64_encode(*plain)) == plain);
  const auto exact = base64url_decode(text);
  if (exact) require(base64url_encode(*exact) == text);
  require(base64_decode(base64_encode(text)) == text);
  require(base64url_decode(base64url_encode(text)) == text);
}

void check_form(std::string_view text) {
  const auto plain = form_decode(text);
  require(!plain || plain->size() <= text.size());
  require(form_decode(url_encode(text)) == text);
}

void check_utf8(std::string_view text) {
  const bool good = is_utf8(text);
  for (std::size_t shift = 1; shift <= 17; ++shift) {
    require(is_utf8(std::string(shift, 'x').append(text)) == good);
  }
  // Two readers agree: only malformed text, or one that holds it, yields the replacement character.
  const std::string json = json_quote(text);
  const bool replaced = json.find("\\ufffd") != std::string::npos;
  require(good || replaced);
  // An escaped backslash in front of "ufffd" is text of the input.
  const bool may_be_input = text.find("\xef\xbf\xbd") != std::string_view::npos ||
                            text.find("\\ufffd") != std::string_view::npos;
  require(!good || !replaced || may_be_input);
  for (const char c : json) require(c >= 0x20 && c < 0x7F && c != '<' && c != '>' && c != '&');
}

void check_escapes(std::string_view text) {
  for (const char c : log_escape(text)) require(c >= 0x20 && c <= 0x7E && c != '"' && c != '\'');
  require(html_escape(text).find_first_of("<>\"'") == std::string::npos);
  require(xml_escape(text).find_first_of("<>\"\t\r\n") == std::string::npos);
}

void check_times(std::string_view text) {
  if (const auto instant = parse_instant(text)) {
    require(text.substr(0, 19) == format_instant(*instant).substr(0, 19));
    require(format_http_date(*instant).size() == 29);
  }
  if (const auto duration = parse_duration(text)) require(*duration >= 0);
}

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
    require(again && again->origin() == url->origin() && again->path == url->path);
    require(url->path.empty() || url->path.front() == '/');
  }
  if (is_local_path(text)) {
    require(browser_stays(text));
    // Also when something on the way decodes it once.
    require(text.find('+') != std::string_view::npos || !form_decode(text) ||
            browser_stays(*form_decode(text)));
  }
  for (const std::size_t max : {std::size_t{20}, std::size_t{1500}}) {
    const std::string path = return_path(text, max);
    require(path == "/" || path.size() <= max);
    require(is_local_path(path) && return_path(path, 1500) == path);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_base64(text);
  check_form(text);
  check_utf8(text);
  check_escapes(text);
  check_times(text);
  check_urls(text);
  return 0;
}
