// Points in time as SAML writes them, in milliseconds since 1970-01-01T00:00:00Z.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// A point in time or a distance between two, in milliseconds. Signed 64 bits hold every four-digit
// year, so that adding a skew never overflows.
using Millis = std::int64_t;

constexpr Millis kSecond = 1000;
constexpr Millis kMinute = 60 * kSecond;
constexpr Millis kHour = 60 * kMinute;

// xs:dateTime as SAML Core 1.3.3 demands it, UTC with 'Z': YYYY-MM-DDThh:mm:ss[.fraction]Z, real
// calendar dates of years 0001 to 9999, hours 0 to 23, seconds 0 to 59. Digits of the fraction
// beyond milliseconds are cut. Anything else: nullopt.
std::optional<Millis> parse_instant(std::string_view text);

// "2026-11-21T21:31:00Z", milliseconds cut; only for years 0001 to 9999 (others are clamped).
std::string format_instant(Millis instant);

// "Sat, 21 Nov 2026 21:31:00 GMT", the date form of HTTP (RFC 9110 section 5.6.7).
std::string format_http_date(Millis instant);

// xs:duration whose years and months are absent or zero (PnDTnHnMnS); metadata's cacheDuration.
// Never negative. Else nullopt.
std::optional<Millis> parse_duration(std::string_view text);

}  // namespace sallyport
