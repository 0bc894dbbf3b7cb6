#include "base/host_names.h"

#include <algorithm>

namespace sallyport {

bool is_plain_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}

bool is_in_domain(std::string_view host, std::string_view domain) {
  if (host.size() <= domain.size()) return host == domain;
  host.remove_prefix(host.size() - domain.size() - 1);
  return host.front() == '.' && host.substr(1) == domain;
}

void HostNames::add(std::string_view name) {
  if (name.empty() || name == "_") return;
  if (name.front() == '.') {
    exact_.emplace(name.substr(1));
    suffixes_.emplace(name);
  } else if (name.front() == '*') {
    suffixes_.emplace(name.substr(1));
  } else if (name.back() == '*') {
    prefixes_.emplace_back(name.substr(0, name.size() - 1));
  } else {
    exact_.emplace(name);
  }
}

bool HostNames::covers(std::string_view host) const {
  if (has(host)) return true;
  for (std::size_t dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
    if (dot > 0 && suffixes_.count(std::string(host.substr(dot))) != 0) return true;
  }
  return std::any_of(prefixes_.begin(), prefixes_.end(), [&](const std::string& prefix) {
    return host.size() > prefix.size() && host.substr(0, prefix.size()) == prefix;
  });
}

}  // namespace sallyport
