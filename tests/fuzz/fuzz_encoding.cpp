// Every decoder of the base layer on any bytes: no crash, and what it accepts keeps its promises.
#include <cstddef>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/instant.h"
#include "support/fuzz_target.h"

namespace {

using namespace sallyport;

void check_base64(std::string_view text) {
  const auto plain = base64_decode(text);
  if (plain) REQUIRE(base64_decode(base64_encode(*plain)) == plain);
  const auto exact = base64url_decode(text);
  if (exact) REQUIRE(base64url_encode(*exact) == text);
  REQUIRE(base64_decode(base64_encode(text)) == text);
  REQUIRE(base64url_decode(base64url_encode(text)) == text);
}

void check_form(std::string_view text) {
  const auto plain = form_decode(text);
  REQUIRE(!plain || plain->size() <= text.size());
  REQUIRE(form_decode(url_encode(text)) == text);
}

void check_utf8(std::string_view text) {
  const bool good = is_utf8(text);
  for (std::size_t shift = 1; shift <= 17; ++shift) {
    REQUIRE(is_utf8(std::string(shift, 'x').append(text)) == good);
  }
  // Two readers agree: only malformed text, or one that holds it, yields the replacement character.
  const std::string json = json_quote(text);
  const bool replaced = json.find("\\ufffd") != std::string::npos;
  REQUIRE(good || replaced);
  // An escaped backslash in front of "ufffd" is text of the input.
  const bool may_be_input = text.find("\xef\xbf\xbd") != std::string_view::npos ||
                            text.find("\\ufffd") != std::string_view::npos;
  REQUIRE(!good || !replaced || may_be_input);
  for (const char c : json) REQUIRE(c >= 0x20 && c < 0x7F && c != '<' && c != '>' && c != '&');
}

void check_escapes(std::string_view text) {
  for (const char c : log_escape(text)) REQUIRE(c >= 0x20 && c <= 0x7E && c != '"' && c != '\'');
  REQUIRE(html_escape(text).find_first_of("<>\"'") == std::string::npos);
  REQUIRE(xml_escape(text).find_first_of("<>\"\t\r\n") == std::string::npos);
}

void check_times(std::string_view text) {
  if (const auto instant = parse_instant(text)) {
    REQUIRE(text.substr(0, 19) == format_instant(*instant).substr(0, 19));
    REQUIRE(format_http_date(*instant).size() == 29);
  }
  if (const auto duration = parse_duration(text)) REQUIRE(*duration >= 0);
}

}  // namespace

FUZZ_TARGET(encoding) {
  check_base64(input);
  check_form(input);
  check_utf8(input);
  check_escapes(input);
  check_times(input);
}
