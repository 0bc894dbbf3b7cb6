// Text encodings: base64, hex, percent, HTML, XML, JSON, form bodies, UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// Base64 with padding, no line breaks (RFC 4648 section 4).
std::string base64_encode(std::string_view bytes);
// As base64_encode, appended to `out` (no temporary).
void base64_append(std::string& out, std::string_view bytes);

// Strict RFC 4648 base64 that also takes the line breaks of RFC 2045 (CR, LF) and blanks or tabs
// around lines. Wrong alphabet, missing or extra padding, non-zero trailing bits: nullopt. The empty
// text decodes to the empty string.
std::optional<std::string> base64_decode(std::string_view text);

// Base64url without padding (RFC 4648 section 5); decoding is exact (no blanks, no padding,
// trailing bits zero), so that every value has one spelling.
std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);
// The same without an allocation, for a known length: false when the text is not of `size` bytes.
bool base64url_decode_exactly(std::string_view text, char* out, std::size_t size);

// Lower-case hexadecimal.
std::string hex_encode(std::string_view bytes);
void hex_append(std::string& out, std::string_view bytes);

// Percent-encodes everything but the unreserved characters of RFC 3986 (for a query value).
std::string url_encode(std::string_view text);
void url_append(std::string& out, std::string_view text);

// Decodes application/x-www-form-urlencoded text ('+' is a blank); a bad escape: nullopt.
std::optional<std::string> form_decode(std::string_view text);

// Escapes & < > " ' for HTML text and attribute values.
std::string html_escape(std::string_view text);

// Escapes & < > " and CR, LF, tab (as character references) for XML text and attribute values.
std::string xml_escape(std::string_view text);

// A JSON string literal with its quotes, ASCII only: everything else as \u escapes (surrogate pairs
// above U+FFFF), so that it is safe in a header and in HTML (`<`, `>`, `&` are escaped too).
// Malformed UTF-8 becomes U+FFFD.
std::string json_quote(std::string_view text);

// Well-formed UTF-8 of Unicode table 3-7: no overlong form, no surrogate, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// Takes the first code point off a text that is not empty; U+FFFD stands for a malformed sequence.
char32_t take_code_point(std::string_view& text);

// `code_point` is a Unicode scalar value.
void append_utf8(std::string& out, char32_t code_point);

// ASCII-only lower case.
std::string ascii_lower(std::string_view text);

// Blank characters of XML (space, tab, CR, LF) removed at both ends.
std::string_view trim_blanks(std::string_view text);

// For a log line: control characters, quotes, backslash and bytes above 0x7E as \xHH, cut at `max`
// bytes of input with "..." behind.
std::string log_escape(std::string_view text, std::size_t max = 256);
// The same of a clause of ours that quotes foreign text: its quotes stay as they are.
std::string log_escape_clause(std::string_view text, std::size_t max = 256);

}  // namespace sallyport
