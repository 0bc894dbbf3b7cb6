#include "base/instant.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sallyport {

namespace {

constexpr Millis kDay = 24 * kHour;
constexpr int kMaxYear = 9999;

// Days before the first of each month in a common year.
constexpr std::array<int, 13> kDaysBefore = {0,   31,  59,  90,  120, 151, 181,
                                             212, 243, 273, 304, 334, 365};

constexpr bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr int days_before_month(int year, int month) {
  return kDaysBefore[static_cast<std::size_t>(month - 1)] + (month > 2 && is_leap(year) ? 1 : 0);
}

constexpr int days_in_month(int year, int month) {
  return kDaysBefore[static_cast<std::size_t>(month)] -
         kDaysBefore[static_cast<std::size_t>(month - 1)] + (month == 2 && is_leap(year) ? 1 : 0);
}

// Days from 0001-01-01 to the first of January, in the Gregorian calendar carried backwards.
constexpr int days_before_year(int year) {
  const int past = year - 1;
  return past * 365 + past / 4 - past / 100 + past / 400;
}

constexpr int kEpochDays = days_before_year(1970);
constexpr Millis kFirstInstant = -kEpochDays * kDay;
constexpr Millis kLastInstant = (days_before_year(kMaxYear + 1) - kEpochDays) * kDay - 1;

struct CivilTime {
  int year, month, day, hour, minute, second;
  int weekday;  // 0 is Sunday
};

CivilTime civil_time(Millis instant) {
  // From the first day on, so that all divisions are of numbers that are not negative.
  const Millis since_first = std::clamp(instant, kFirstInstant, kLastInstant) - kFirstInstant;
  const auto days = static_cast<int>(since_first / kDay);
  const auto seconds = static_cast<int>(since_first % kDay / kSecond);
  // Guesses that are never late: of the calendar's 400 years of 146,097 days, and of months of 31.
  int year = days * 400 / 146'097 + 1;
  while (days_before_year(year + 1) <= days) ++year;
  const int day_of_year = days - days_before_year(year);
  int month = day_of_year / 31 + 1;
  while (month < 12 && days_before_month(year, month + 1) <= day_of_year) ++month;
  return {year,
          month,
          day_of_year - days_before_month(year, month) + 1,
          seconds / 3600,
          seconds / 60 % 60,
          seconds % 60,
          (days + 1) % 7};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Exactly `width` digits at `at`; -1 for anything else. The caller has checked the length.
int fixed_number(std::string_view text, std::size_t at, std::size_t width) {
  int number = 0;
  for (const char c : text.substr(at, width)) {
    if (!is_digit(c)) return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

// The digits behind a decimal point, at least one, as milliseconds; what is finer is cut.
std::optional<Millis> fraction_millis(std::string_view digits) {
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  Millis millis = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    millis = millis * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  }
  return millis;
}

void put_number(std::string& out, std::size_t at, std::size_t width, int number) {
  for (std::size_t i = at + width; i-- > at; number /= 10) out[i] = static_cast<char>('0' + number % 10);
}

void put_clock(std::string& out, std::size_t at, const CivilTime& time) {
  put_number(out, at, 2, time.hour);
  put_number(out, at + 3, 2, time.minute);
  put_number(out, at + 6, 2, time.second);
}

// total += count * unit, or false when that leaves the range.
bool add_units(Millis& total, std::string_view digits, Millis unit) {
  Millis count = 0;
  for (const char c : digits) {
    if (__builtin_mul_overflow(count, Millis{10}, &count) ||
        __builtin_add_overflow(count, Millis{c - '0'}, &count)) {
      return false;
    }
  }
  return !__builtin_mul_overflow(count, unit, &count) &&
         !__builtin_add_overflow(total, count, &total);
}

// Reads the designated numbers of one half of a duration, each at most once and in this order.
// `units` are the letters and what one is worth; 0: only a zero may stand there.
class DurationReader {
 public:
  explicit DurationReader(std::string_view text) : text_(text) {}

  struct Unit {
    char letter;
    Millis worth;
  };

  template <std::size_t N>
  bool read(const Unit (&units)[N], bool fraction_allowed) {
    std::size_t next = 0;
    while (!text_.empty() && text_.front() != 'T') {
      const std::string_view digits = take_digits();
      if (digits.empty()) return false;
      Millis millis = 0;
      bool has_fraction = false;
      if (fraction_allowed && !text_.empty() && text_.front() == '.') {
        text_.remove_prefix(1);
        const auto fraction = fraction_millis(take_digits());
        if (!fraction) return false;
        millis = *fraction;
        has_fraction = true;
      }
      if (text_.empty()) return false;
      while (next < N && units[next].letter != text_.front()) ++next;
      if (next == N || (has_fraction && text_.front() != 'S')) return false;
      text_.remove_prefix(1);
      if (!add(units[next++], digits, millis)) return false;
      any_ = true;
    }
    return true;
  }

  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool at_end() const { return text_.empty(); }
  // Whether a number was read since the last call.
  bool take_any() { return std::exchange(any_, false); }
  Millis total() const { return total_; }

 private:
  std::string_view take_digits() {
    const auto size = static_cast<std::size_t>(
        std::find_if_not(text_.begin(), text_.end(), is_digit) - text_.begin());
    const std::string_view digits = text_.substr(0, size);
    text_.remove_prefix(size);
    return digits;
  }

  bool add(const Unit& unit, std::string_view digits, Millis millis) {
    if (unit.worth == 0) return digits.find_first_not_of('0') == std::string_view::npos;
    return add_units(total_, digits, unit.worth) &&
           !__builtin_add_overflow(total_, millis, &total_);
  }

  std::string_view text_;
  Millis total_ = 0;
  bool any_ = false;
};

}  // namespace

std::optional<Millis> parse_instant(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() <= kShape.size() || text.back() != 'Z') return std::nullopt;
  for (const std::size_t i : {4, 7, 10, 13, 16}) {
    if (text[i] != kShape[i]) return std::nullopt;
  }
  const int year = fixed_number(text, 0, 4);
  const int month = fixed_number(text, 5, 2);
  const int day = fixed_number(text, 8, 2);
  const int hour = fixed_number(text, 11, 2);
  const int minute = fixed_number(text, 14, 2);
  const int second = fixed_number(text, 17, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
      hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return std::nullopt;
  }
  Millis millis = 0;
  const std::string_view rest = text.substr(kShape.size(), text.size() - kShape.size() - 1);
  if (!rest.empty()) {
    const auto fraction = rest.front() == '.' ? fraction_millis(rest.substr(1)) : std::nullopt;
    if (!fraction) return std::nullopt;
    millis = *fraction;
  }
  const int days = days_before_year(year) + days_before_month(year, month) + day - 1 - kEpochDays;
  return days * kDay + hour * kHour + minute * kMinute + second * kSecond + millis;
}

std::string format_instant(Millis instant) {
  const CivilTime time = civil_time(instant);
  std::string out = "0000-00-00T00:00:00Z";
  put_number(out, 0, 4, time.year);
  put_number(out, 5, 2, time.month);
  put_number(out, 8, 2, time.day);
  put_clock(out, 11, time);
  return out;
}

std::string format_http_date(Millis instant) {
  constexpr std::string_view kWeekdays = "SunMonTueWedThuFriSat";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const CivilTime time = civil_time(instant);
  std::string out = "Sun, 00 Jan 0000 00:00:00 GMT";
  out.replace(0, 3, kWeekdays.substr(static_cast<std::size_t>(time.weekday) * 3, 3));
  put_number(out, 5, 2, time.day);
  out.replace(8, 3, kMonths.substr(static_cast<std::size_t>(time.month - 1) * 3, 3));
  put_number(out, 12, 4, time.year);
  put_clock(out, 17, time);
  return out;
}

std::optional<Millis> parse_duration(std::string_view text) {
  // Years and months have no fixed length; some publishers write them as zero.
  static constexpr DurationReader::Unit kDate[] = {{'Y', 0}, {'M', 0}, {'D', kDay}};
  static constexpr DurationReader::Unit kTime[] = {{'H', kHour}, {'M', kMinute}, {'S', kSecond}};
  DurationReader reader(text);
  if (!reader.take('P') || !reader.read(kDate, false)) return std::nullopt;
  const bool has_date = reader.take_any();
  if (reader.take('T')) {
    if (!reader.read(kTime, true) || !reader.take_any()) return std::nullopt;
  } else if (!has_date) {
    return std::nullopt;
  }
  if (!reader.at_end()) return std::nullopt;
  return reader.total();
}

}  // namespace sallyport
