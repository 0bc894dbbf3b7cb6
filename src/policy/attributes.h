// Which attribute of an assertion means what: the built-in aliases and the operator's `attribute`
// lines.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "saml/assertion.h"

namespace sallyport::policy {

// Alias -> attribute Names in the order they are tried; the first that is present wins. Names are
// matched exactly, never by FriendlyName (IIP-SP11).
class AttributeMap {
 public:
  // The built-in table: email, first_name, last_name, display_name, picture, groups, space_name,
  // space_role, timezone, department, account_role.
  AttributeMap();

  // An `attribute NAME source ...` line: replaces the sources of a built-in alias or adds one.
  void set(std::string_view alias, std::vector<std::string> sources);

  // The sources of an alias; null for an unknown one.
  const std::vector<std::string>* sources(std::string_view alias) const;

  // The attribute that an alias or, if there is no such alias, an exact Name means; null when not
  // sent.
  // Present is what the assertion holds, even without a value. For the built-in sources,
  // `claims/name` counts as first_name where `claims/familyname` is sent and `claims/givenname` is
  // not, else as display_name.
  const saml::Attribute* find(const std::vector<saml::Attribute>& attributes,
                              std::string_view alias_or_name) const;

  // The same of attributes that are kept otherwise: the Name that an alias means. Null when none of its sources was
  // sent, and for what is no alias.
  const std::string* find_source(std::string_view alias, const std::function<bool(std::string_view name)>& is_sent) const;

  // The aliases of the operator's `attribute` lines, in order: metadata lists their sources as
  // RequestedAttribute.
  const std::vector<std::string>& configured_aliases() const { return configured_; }

  // Calls visit(const std::string& name) for every Name that some alias means.
  template <class Visit>
  void for_each_source(Visit&& visit) const {
    for (const Entry& entry : entries_) {
      for (const std::string& source : entry.sources) visit(source);
    }
  }

  // Appends what the operator's lines mean. It says itself where it ends.
  void append_digest_input(std::string& out) const;

 private:
  struct Entry {
    std::string alias;
    std::vector<std::string> sources;
    bool is_built_in;
  };
  const Entry* entry(std::string_view alias) const;

  std::vector<Entry> entries_;
  std::vector<std::string> configured_;
};

}  // namespace sallyport::policy
