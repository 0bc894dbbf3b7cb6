// Why somebody has, or has not, a space, a role or a group: for the debug log and the operators' console.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::policy {

enum class Subject { kUser, kSpace, kRole, kAccountRole, kGroup, kTimezone, kProfile };

// One decision. Names and reasons may hold bytes of the sender; the logger escapes and cuts them.
struct Decision {
  Subject subject;
  std::string name;  // of the space, role or group; a role's is "SPACE:ROLE"
  bool given;
  std::string why;   // one clause, with the configuration's place ("FILE:LINE") where a line decided
};

// Decisions in the order in which they were made.
using Explanation = std::vector<Decision>;

// Notes a decision where somebody wants to know; `why` is called then only.
template <class Why>
void explain(Explanation* explanation, Subject subject, std::string_view name, bool given, Why&& why) {
  if (explanation == nullptr) return;
  explanation->push_back({subject, std::string(name), given, std::forward<Why>(why)()});
}

// One line for the log, escaped: `group "Engineering" given: ...`.
std::string describe(const Decision& decision);

}  // namespace sallyport::policy
