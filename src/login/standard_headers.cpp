#include "login/standard_headers.h"

#include <algorithm>

#include "policy/identity_headers.h"

namespace sallyport::login {
namespace {

Error too_large(std::string_view what, std::size_t size, std::size_t limit) {
  std::string detail(what);
  detail += " has " + std::to_string(size) + " bytes, saml_header_limit allows " +
            std::to_string(limit);
  return {Reason::kIdentityTooLarge, std::move(detail)};
}

// What may not be cut must fit; returns the size of it all.
Result<std::size_t> check_uncuttable(const HeaderValues& values, const HeaderLimits& limits) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (kStandardHeaders[i].is_list && limits.cut_lists) continue;
    if (values[i].size() > limits.one) {
      return too_large(kStandardHeaders[i].suffix, values[i].size(), limits.one);
    }
    sum += values[i].size();
  }
  if (sum > limits.total) return too_large("the identity in all", sum, limits.total);
  return sum;
}

}  // namespace

Result<std::string> fit_headers(HeaderValues& values, const HeaderLimits& limits) {
  const Result<std::size_t> uncuttable = check_uncuttable(values, limits);
  if (!uncuttable) return uncuttable.error();
  std::string overflow;
  if (!limits.cut_lists) return overflow;
  std::size_t left = limits.total - *uncuttable;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!kStandardHeaders[i].is_list) continue;
    const std::string_view kept = policy::cut_list(values[i], std::min(limits.one, left));
    if (kept.size() != values[i].size()) {
      if (!overflow.empty()) overflow += ',';
      overflow += kStandardHeaders[i].suffix;
    }
    values[i] = kept;
    left -= kept.size();
  }
  return overflow;
}

}  // namespace sallyport::login
