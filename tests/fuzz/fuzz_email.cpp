// Addresses and domain patterns of any bytes: what is accepted is one address of one domain, in one spelling,
// and nothing but a domain or its sub-domains is in a pattern. The first line is an address, each further line
// a pattern.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <idn2.h>

#include "base/c_ptr.h"
#include "policy/domain_name.h"
#include "policy/email.h"
#include "policy/email_domains.h"
#include "support/fuzz_target.h"

namespace {

using namespace sallyport;
using namespace sallyport::policy;

std::string unicode_of(const std::string& domain) {
  char* out = nullptr;
  REQUIRE(idn2_to_unicode_8z8z(domain.c_str(), &out, 0) == IDN2_OK);
  const CPtr<char, idn2_free> owner(out);
  return out;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

void check_domain(std::string_view text) {
  const auto domain = canonical_domain(text);
  if (!domain) return;
  REQUIRE(!domain->empty() && domain->size() <= 253);
  REQUIRE(std::all_of(domain->begin(), domain->end(), is_host_character));
  REQUIRE(domain->front() != '.' && domain->back() != '.');
  REQUIRE(domain->find("..") == std::string::npos);
  REQUIRE(canonical_domain(*domain) == domain);
  REQUIRE(canonical_domain(unicode_of(*domain)) == domain);
}

void check_address(std::string_view text) {
  const auto address = parse_email(text);
  if (!address) return;
  REQUIRE(std::count(text.begin(), text.end(), '@') == 1);
  REQUIRE(text.substr(0, address->local.size() + 1) == address->local + "@");
  REQUIRE(address->local.find_first_of(" \t\r\n\"\\()<>[]:;,\x7f") == std::string::npos);
  REQUIRE(canonical_domain(text.substr(address->local.size() + 1)) == address->domain);
  const std::string plain = address->local + "@" + address->domain;
  const auto again = parse_email(plain);
  REQUIRE(plain.size() > 254 || (again && again->domain == address->domain));
}

bool is_in(std::string_view domain, std::string_view pattern) {
  if (pattern.front() != '.') return domain == pattern;
  return domain.size() > pattern.size() &&
         domain.substr(domain.size() - pattern.size()) == pattern;
}

// Two owners take turns.
void check_patterns(std::string_view domain, const std::vector<std::string_view>& patterns) {
  EmailDomains all;
  EmailDomainIndex index;
  std::optional<std::string> owner;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (!all.add(patterns[i]).ok()) continue;
    const std::string& added = all.patterns().back();
    const std::string name = i % 2 == 0 ? "even" : "odd";
    if (index.add(added, name) || !is_in(domain, added)) continue;
    REQUIRE(!owner || owner == name);
    owner = name;
  }
  const auto is_one_of_them = [&](const std::string& each) { return is_in(domain, each); };
  REQUIRE(all.covers(domain) ==
          std::any_of(all.patterns().begin(), all.patterns().end(), is_one_of_them));
  const std::string* found = index.find(domain);
  REQUIRE(owner ? found != nullptr && *found == *owner : found == nullptr);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  lines.push_back(text);
  return lines;
}

}  // namespace

FUZZ_TARGET(email) {
  check_domain(input);
  check_address(input);
  std::vector<std::string_view> lines = lines_of(input);
  check_address(lines.front());
  for (const std::string_view line : lines) check_domain(line);
  const auto address = parse_email(lines.front());
  lines.erase(lines.begin());
  if (address) check_patterns(address->domain, lines);
}
