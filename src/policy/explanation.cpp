#include "policy/explanation.h"

#include "base/encoding.h"

namespace sallyport::policy {
namespace {

const char* word(Subject subject) {
  switch (subject) {
    case Subject::kUser:
      return "user";
    case Subject::kSpace:
      return "space";
    case Subject::kRole:
      return "role";
    case Subject::kAccountRole:
      return "account role";
    case Subject::kGroup:
      return "group";
    case Subject::kTimezone:
      return "time zone";
    case Subject::kProfile:
      return "profile";
  }
  return "";
}

}  // namespace

std::string describe(const Decision& decision) {
  std::string line = word(decision.subject);
  line += " \"" + log_escape(decision.name) + "\" " + (decision.given ? "given: " : "not given: ");
  return line + log_escape_clause(decision.why, 800);
}

}  // namespace sallyport::policy
