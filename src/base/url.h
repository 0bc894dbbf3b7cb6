// URLs: those of the configuration, and return addresses that must stay on the site.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

struct Url {
  std::string scheme;  // "http" or "https", lower case
  std::string host;    // lower case, IPv6 in brackets
  int port = 0;        // the scheme's own when none is written
  std::string path;    // from the first '/' on, with the query; may be empty

  // scheme://host[:port], the port only where it is not the scheme's own.
  std::string origin() const;
};

// An absolute http or https URL without userinfo and fragment, of printable ASCII without blanks,
// quotes, backslash, angle brackets. Else nullopt.
std::optional<Url> parse_url(std::string_view text);

// Whether a browser that gets this as Location on our site stays on our site: begins with exactly one
// '/', printable ASCII only, no backslash, no control byte or blank, plain or percent-encoded ones
// (%00-%1F, %5C) in front positions that a browser may decode ("/\", "/%5c", "//", "/%2f", "/%09/").
bool is_local_path(std::string_view path);

// The original request target as it may be returned to: itself up to `max` bytes when it is a local
// path; without its query when that fits; else "/". Bytes above 0x7E and double quotes are percent-encoded
// first, so what comes back means the same.
std::string return_path(std::string_view request_uri, std::size_t max);

// `url` with "name=" + already encoded text appended behind '?' or '&'.
void append_query(std::string& url, std::string_view name, std::string_view encoded_value);

}  // namespace sallyport
