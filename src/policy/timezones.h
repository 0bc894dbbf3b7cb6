// Which time zones there are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::policy {

// Whether a text can be a name of the tz database: a letter, then letters, digits, '_', '+', '-' and '/',
// at most 64 bytes.
bool looks_like_timezone(std::string_view name);

// The names of a tz database: its zones and links.
class Timezones {
 public:
  // None.
  Timezones() = default;

  // `text` is in the database's input format (zic(8)), as /usr/share/zoneinfo/tzdata.zi holds it. Lines
  // that are not understood are passed over, as are names that do not look like one; so is a last line
  // without its end, which may have been cut.
  explicit Timezones(std::string_view text);

  // Letter for letter. Time: log(names).
  bool has(std::string_view name) const;

  bool empty() const { return names_.empty(); }

 private:
  std::vector<std::string> names_;  // in order
};

}  // namespace sallyport::policy
