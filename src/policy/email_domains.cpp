#include "policy/email_domains.h"

#include <algorithm>
#include <utility>

#include "policy/domain_name.h"

namespace sallyport::policy {
namespace {

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// A pattern of `patterns` that covers all of a domain, or all domains of a pattern: itself, or a
// sub-domain pattern that it ends in.
template <class Patterns>
auto find_covering(const Patterns& patterns, std::string_view domain) {
  auto found = patterns.find(domain);
  for (std::size_t dot = domain.find('.'); found == patterns.end() && dot != std::string_view::npos;
       dot = domain.find('.', dot + 1)) {
    found = patterns.find(domain.substr(dot));
  }
  return found;
}

bool is_domain(std::string_view text) { return !text.empty() && text.front() != '.'; }

Error invalid(std::string_view pattern, std::string_view problem) {
  return {Reason::kConfigInvalid, "<" + std::string(pattern) + "> " + std::string(problem)};
}

Error not_a_domain(std::string_view pattern) {
  if (pattern.find('@') != std::string_view::npos) {
    return invalid(pattern, "holds an @: write the domain alone, as in example.com");
  }
  if (starts_with(pattern, "*.")) {
    return invalid(pattern, "holds an asterisk: for all sub-domains write .example.com");
  }
  if (pattern.size() > 1 && pattern.back() == '.') {
    return invalid(pattern, "ends in a dot: write it without");
  }
  return invalid(pattern, "is not a domain: write a name as in example.com, or .example.com for all "
                          "its sub-domains; letters beyond ASCII small, or as xn-- name");
}

}  // namespace

bool FromTheEnd::operator()(std::string_view a, std::string_view b) const {
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

Status EmailDomains::add(std::string_view pattern) {
  const std::string_view dot = pattern.substr(0, starts_with(pattern, ".") ? 1 : 0);
  const auto domain = canonical_domain(pattern.substr(dot.size()));
  if (!domain) return not_a_domain(pattern);
  std::string canonical = std::string(dot) + *domain;
  if (!known_.insert(canonical).second) {
    return invalid(pattern, "is there already, as " + canonical + ": remove one of them");
  }
  patterns_.push_back(std::move(canonical));
  return Done{};
}

bool EmailDomains::covers(std::string_view domain) const {
  return is_domain(domain) && find_covering(known_, domain) != known_.end();
}

std::optional<EmailDomainIndex::Claim> EmailDomainIndex::add(const std::string& pattern,
                                                             std::string_view owner) {
  // Whatever covers the pattern is of one owner: the first says whose.
  auto other = find_covering(owners_, pattern);
  if (other != owners_.end() && other->second != owner) return Claim{other->first, other->second};
  if (!is_domain(pattern)) {
    for (other = owners_.lower_bound(pattern); other != owners_.end(); ++other) {
      if (!ends_with(other->first, pattern)) break;
      if (other->second != owner) return Claim{other->first, other->second};
    }
  }
  owners_.emplace(pattern, owner);
  return std::nullopt;
}

void EmailDomainIndex::remove(const std::string& pattern, std::string_view owner) {
  const auto found = owners_.find(pattern);
  if (found != owners_.end() && found->second == owner) owners_.erase(found);
}

const std::string* EmailDomainIndex::find(std::string_view domain) const {
  if (!is_domain(domain)) return nullptr;
  const auto found = find_covering(owners_, domain);
  return found == owners_.end() ? nullptr : &found->second;
}

}  // namespace sallyport::policy
