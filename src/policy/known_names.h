// The known spaces, roles or account roles of a policy.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace sallyport::policy {

// No line of that kind in the policy: everything is known.
class KnownNames {
 public:
  // `place` is the line's "FILE:LINE". False: the name is there already.
  bool add(std::string_view name, std::string_view place);
  // What an unknown or missing name becomes; one of the names.
  void set_fallback(std::string_view name) { fallback_ = name; }

  bool knows_all() const { return places_.empty(); }
  // An empty name is never known.
  bool knows(std::string_view name) const;
  // Empty: there is none.
  const std::string& fallback() const { return fallback_; }
  // Where the name stands; empty where any name is known, or this one is not.
  std::string_view place(std::string_view name) const;

  // Appends what the lines mean, without their places. It says itself where it ends.
  void append_digest_input(std::string& out) const;

 private:
  std::map<std::string, std::string, std::less<>> places_;
  std::string fallback_;
};

}  // namespace sallyport::policy
