#include "base/instant.h"

#include <cstdio>
#include <gtest/gtest.h>

#include <ctime>
#include <limits>

namespace sallyport {
namespace {

using namespace std::string_view_literals;

struct InstantCase {
  const char* name;
  std::string_view text;
  std::optional<Millis> instant;
};

constexpr InstantCase kInstantCases[] = {
    {"epoch", "1970-01-01T00:00:00Z", 0},
    {"before_epoch", "1969-12-31T23:59:59Z", -1000},
    {"before_epoch_millis", "1969-12-31T23:59:59.999Z", -1},
    {"usual", "2026-11-21T21:31:00Z", 1795296660000},
    {"one_digit", "2026-11-21T21:31:00.1Z", 1795296660100},
    {"two_digits", "2026-11-21T21:31:00.12Z", 1795296660120},
    {"three_digits", "2026-11-21T21:31:00.123Z", 1795296660123},
    {"six_digits", "2026-11-21T21:31:00.123999Z", 1795296660123},
    {"thirty_digits", "2026-11-21T21:31:00.999999999999999999999999999999Z", 1795296660999},
    {"zero_fraction", "2026-11-21T21:31:00.0Z", 1795296660000},
    {"leap_day", "2024-02-29T00:00:00Z", 1709164800000},
    {"leap_century", "2000-02-29T12:00:00Z", 951825600000},
    {"after_2038", "2040-01-01T00:00:00Z", 2208988800000},
    {"last_second", "2026-12-31T23:59:59Z", 1798761599000},
    {"first", "0001-01-01T00:00:00Z", -62135596800000},
    {"last", "9999-12-31T23:59:59.999Z", 253402300799999},

    {"empty", "", {}},
    {"only_z", "Z", {}},
    {"date_only", "2026-11-21", {}},
    {"date_with_z", "2026-11-21Z", {}},
    {"no_zone", "2026-11-21T21:31:00", {}},
    {"no_zone_fraction", "2026-11-21T21:31:00.5", {}},
    {"lower_z", "2026-11-21T21:31:00z", {}},
    {"lower_t", "2026-11-21t21:31:00Z", {}},
    {"blank_for_t", "2026-11-21 21:31:00Z", {}},
    {"offset_zero", "2026-11-21T21:31:00+00:00", {}},
    {"offset", "2026-11-21T21:31:00+14:00", {}},
    {"offset_and_z", "2026-11-21T21:31:00+14:00Z", {}},
    {"blank_in_front", " 2026-11-21T21:31:00Z", {}},
    {"blank_behind", "2026-11-21T21:31:00Z ", {}},
    {"newline_behind", "2026-11-21T21:31:00Z\n", {}},
    {"nul_behind", "2026-11-21T21:31:00Z\0"sv, {}},
    {"two_z", "2026-11-21T21:31:00ZZ", {}},
    {"hour_24", "2026-11-21T24:00:00Z", {}},
    {"leap_second", "2016-12-31T23:59:60Z", {}},
    {"second_61", "2026-11-21T21:31:61Z", {}},
    {"minute_60", "2026-11-21T21:60:00Z", {}},
    {"month_0", "2026-00-21T21:31:00Z", {}},
    {"month_13", "2026-13-21T21:31:00Z", {}},
    {"day_0", "2026-11-00T21:31:00Z", {}},
    {"november_31", "2026-11-31T21:31:00Z", {}},
    {"february_30", "2024-02-30T21:31:00Z", {}},
    {"february_29_common", "2026-02-29T21:31:00Z", {}},
    {"february_29_century", "1900-02-29T21:31:00Z", {}},
    {"year_0", "0000-01-01T00:00:00Z", {}},
    {"negative_year", "-2026-11-21T21:31:00Z", {}},
    {"plus_year", "+2026-11-21T21:31:00Z", {}},
    {"long_year", "12026-11-21T21:31:00Z", {}},
    {"overflowing_year", "292277026597-01-01T00:00:00Z", {}},
    {"short_year", "226-11-21T21:31:00Z", {}},
    {"short_hour", "2026-11-21T1:31:00Z", {}},
    {"sign_in_number", "2026-+1-21T21:31:00Z", {}},
    {"blank_in_number", "2026-11- 1T21:31:00Z", {}},
    {"letter_in_number", "2026-11-2xT21:31:00Z", {}},
    {"no_seconds", "2026-11-21T21:31Z", {}},
    {"bare_point", "2026-11-21T21:31:00.Z", {}},
    {"comma", "2026-11-21T21:31:00,5Z", {}},
    {"two_points", "2026-11-21T21:31:00.5.5Z", {}},
    {"letter_in_fraction", "2026-11-21T21:31:00.5eZ", {}},
    {"late_letter_in_fraction", "2026-11-21T21:31:00.12345xZ", {}},
    {"digits_without_point", "2026-11-21T21:31:0012Z", {}},
    {"slashes", "2026/11/21T21:31:00Z", {}},
    {"basic_form", "20261121T213100Z", {}},
    {"wide_digits", "２026-11-21T21:31:00Z", {}},
};

TEST(Instant, Parses) {
  for (const auto& test : kInstantCases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(parse_instant(test.text), test.instant);
  }
}

// Each day of four centuries, against the C library's calendar.
TEST(Instant, AgreesWithTheCalendar) {
  for (std::time_t day = -135140; day < 146097; ++day) {
    const std::time_t at = day * 86400 + (day * 7919 % 86400 + 86400) % 86400;
    std::tm parts{};
    ASSERT_NE(gmtime_r(&at, &parts), nullptr);
    char text[64];
    ASSERT_EQ(std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts), 20u);
    ASSERT_EQ(format_instant(at * kSecond), text);
    ASSERT_EQ(parse_instant(text), at * kSecond);
    ASSERT_EQ(std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts), 29u);
    ASSERT_EQ(format_http_date(at * kSecond), text);
  }
}

TEST(Instant, FormatsTheFirstAndTheLastDayOfEveryMonth) {
  const Millis day = 24 * kHour;
  Millis first = *parse_instant("0001-01-01T00:00:00Z");
  for (int month = 0; month < 9999 * 12 - 1; ++month) {
    char text[32];
    std::snprintf(text, sizeof(text), "%04d-%02d-01T00:00:00Z", month / 12 + 1, month % 12 + 1);
    ASSERT_EQ(format_instant(first), text);
    if (month > 0) {
      ASSERT_NE(format_instant(first - 1).substr(0, 7), std::string(text, 7));
    }
    std::snprintf(text, sizeof(text), "%04d-%02d-01T00:00:00Z", (month + 1) / 12 + 1, (month + 1) % 12 + 1);
    first = *parse_instant(text);
    ASSERT_EQ(parse_instant(format_instant(first - day)), first - day);
  }
}

TEST(Instant, FormatCutsMillisecondsDownwards) {
  EXPECT_EQ(format_instant(999), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_instant(-1), "1969-12-31T23:59:59Z");
}

TEST(Instant, FormatClampsToFourDigitYears) {
  EXPECT_EQ(format_instant(std::numeric_limits<Millis>::max()), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_instant(std::numeric_limits<Millis>::min()), "0001-01-01T00:00:00Z");
  EXPECT_EQ(format_instant(253402300800000), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_http_date(std::numeric_limits<Millis>::max()), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(format_http_date(std::numeric_limits<Millis>::min()), "Mon, 01 Jan 0001 00:00:00 GMT");
}

constexpr InstantCase kDurationCases[] = {
    {"seconds", "PT90S", 90 * kSecond},
    {"zero", "PT0S", 0},
    {"minutes", "PT5M", 5 * kMinute},
    {"hours", "PT6H", 6 * kHour},
    {"days", "P7D", 7 * 24 * kHour},
    {"all", "P1DT2H3M4S", 93784000},
    {"fraction", "PT1.5S", 1500},
    {"fine_fraction", "PT0.1239999S", 123},
    {"zero_years_and_months", "P0Y0M0DT6H0M0.000S", 6 * kHour},
    {"zero_month", "P0MT1S", kSecond},
    {"large", "PT9223372036854775S", 9223372036854775000},

    {"empty", "", {}},
    {"p", "P", {}},
    {"pt", "PT", {}},
    {"no_time_behind_t", "P1DT", {}},
    {"no_p", "T1S", {}},
    {"lower", "pt1s", {}},
    {"years", "P1Y", {}},
    {"months", "P1M", {}},
    {"weeks", "P1W", {}},
    {"negative", "-PT1S", {}},
    {"negative_number", "PT-1S", {}},
    {"no_number", "PTS", {}},
    {"no_letter", "PT1", {}},
    {"wrong_order", "PT1S1M", {}},
    {"twice", "PT1S1S", {}},
    {"hours_without_t", "P1H", {}},
    {"days_behind_t", "PT1D", {}},
    {"two_t", "PT1HT1M", {}},
    {"fraction_of_minute", "PT1.5M", {}},
    {"fraction_of_day", "P1.5D", {}},
    {"bare_point", "PT1.S", {}},
    {"leading_point", "PT.5S", {}},
    {"blank", "PT1S ", {}},
    {"nul", "PT1S\0"sv, {}},
    {"overflow_of_unit", "PT9223372036854776S", {}},
    {"overflow_of_sum", "P106751991167DT24H", {}},
    {"overflow_of_number", "PT99999999999999999999S", {}},
};

TEST(Instant, ParsesDurations) {
  for (const auto& test : kDurationCases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(parse_duration(test.text), test.instant);
  }
}

}  // namespace
}  // namespace sallyport
