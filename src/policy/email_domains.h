// The e-mail domains of an identity provider (`email_domains d ...`), and whose a domain is among many
// providers.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sallyport::policy {

// Orders texts from their ends on: all sub-domains of a domain stand together.
struct FromTheEnd {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};

// "example.com" means just this domain; ".example.com" every sub-domain of it at any depth, and not
// example.com itself. Who means both writes both.
class EmailDomains {
 public:
  // A pattern as the operator writes it, in any spelling of canonical_domain. Error config_invalid, with
  // what to write, for what is not a domain and for one that is there already.
  Status add(std::string_view pattern);

  bool empty() const { return patterns_.empty(); }

  // Whether a domain is in one of them. `domain` comes from canonical_domain or parse_email: other
  // spellings are not recognised. Time: labels x log(patterns).
  bool covers(std::string_view domain) const;

  // Canonical, in the order given.
  const std::vector<std::string>& patterns() const { return patterns_; }

 private:
  std::vector<std::string> patterns_;
  std::set<std::string, FromTheEnd> known_;
};

// Whose a domain is. No domain ever has two owners.
class EmailDomainIndex {
 public:
  struct Claim {
    std::string pattern;
    std::string owner;
  };

  // Gives an owner one of the patterns of EmailDomains. When another owner has a pattern with a domain in
  // common, nothing is added and that claim returned. An owner's own patterns may overlap.
  [[nodiscard]] std::optional<Claim> add(const std::string& pattern, std::string_view owner);

  // Takes an owner's pattern back.
  void remove(const std::string& pattern, std::string_view owner);

  // The owner of a domain (as in EmailDomains::covers), until the next change; null: nobody's. Time: labels
  // x log(patterns).
  const std::string* find(std::string_view domain) const;

 private:
  std::map<std::string, std::string, FromTheEnd> owners_;  // by pattern
};

}  // namespace sallyport::policy
