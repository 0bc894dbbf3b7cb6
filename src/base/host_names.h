// Names of a server as nginx's server_name writes them, without regular expressions.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace sallyport {

// Whether a host, as browsers name it, is of letters, digits, '.', '-' and '_' alone: what may stand in an address
// of our making.
bool is_plain_host(std::string_view host);

// Whether a host is the domain or below it.
bool is_in_domain(std::string_view host, std::string_view domain);

class HostNames {
 public:
  // "www.example.com", "*.example.com", ".example.com" (both of them) or "www.example.*"; lower case. "" and "_" name nobody.
  void add(std::string_view name);

  // Whether the host, in lower case and without a port, is written out; whether any of the names is for it.
  bool has(std::string_view host) const { return exact_.count(std::string(host)) != 0; }
  bool covers(std::string_view host) const;
  // Whether they are for one host at most.
  bool is_single() const { return exact_.size() <= 1 && suffixes_.empty() && prefixes_.empty(); }

 private:
  std::unordered_set<std::string> exact_;
  std::unordered_set<std::string> suffixes_;  // ".example.com"
  std::vector<std::string> prefixes_;         // "www.example."
};

}  // namespace sallyport
