// Which groups of a policy a user is in: the lines `group NAME [idp_id=ID ...]` and
// `map_group ATTRIBUTE exact|contains VALUE GROUP`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "policy/attributes.h"
#include "policy/explanation.h"
#include "policy/substring_matcher.h"
#include "policy/text_table.h"
#include "saml/assertion.h"

namespace sallyport::policy {

enum class Condition { kExact, kContains };

// Filled while the configuration is read, compiled once, then read-only and usable by any number of threads.
//
// A user is in the union of the groups whose idp_ids and rules match, never in one for its name. Every
// value of an attribute is looked at, as sent: not split at commas, blanks at its ends included. Texts
// compare byte for byte, with one exception: an idp_id of GUID shape (8-4-4-4-12 hexadecimal digits)
// compares without case. Empty ids, rules and sent values match nothing.
//
// Group numbers given to a function are such as add_group and find_group return.
class GroupRules {
 public:
  GroupRules();

  // `place` is the "FILE:LINE" of the line, for explanations.

  // A known group. Numbers are 0, 1, ... in the order of addition; nullopt when there is one of that name.
  std::optional<std::uint32_t> add_group(std::string_view name, std::string_view place);
  // An identifier that the IdP sends for the group; several groups may share one. False: the group has it.
  bool add_idp_id(std::uint32_t group, std::string_view id, std::string_view place);
  // False: the same rule stands already.
  bool add_rule(std::string_view attribute, Condition condition, std::string_view value, std::uint32_t group,
                std::string_view place);
  // Once, after the last addition.
  void compile();

  bool has_groups() const { return !groups_.empty(); }
  std::uint32_t group_count() const { return names_.size(); }
  std::optional<std::uint32_t> find_group(std::string_view name) const { return names_.find(name); }
  // Without any group every name is known.
  bool knows(std::string_view name) const { return !has_groups() || find_group(name).has_value(); }
  // Valid until the next addition.
  std::string_view name(std::uint32_t group) const { return names_.text(group); }
  std::string_view place(std::uint32_t group) const { return places_.text(groups_[group].place); }
  // Whether `is_it(std::string_view)` holds for an attribute of a rule, as its line names it.
  template <class Is>
  bool any_attribute(Is&& is_it) const {
    for (std::uint32_t i = 0; i < attributes_.size(); ++i) {
      if (is_it(attributes_.text(i))) return true;
    }
    return false;
  }
  // Whether the group has neither an idp_id nor a rule, so that it is given by hand only.
  bool is_manual(std::uint32_t group) const { return groups_[group].is_manual; }

  // The groups of a user with these attributes, ascending. The values of the attribute `groups_from` are
  // compared with the ids; it and the rules' attributes are aliases or Names (AttributeMap::find).
  // `explanation` (may be null) gets a decision for each group of the policy: the first id or rule, in the
  // order of addition, that gives it, with the first value that matched there, or that none does.
  // Time is linear in the lengths of the values and the number of lines, whatever was sent; the attributes'
  // names are looked through once for each attribute that rules have.
  std::vector<std::uint32_t> match(const AttributeMap& map, const std::vector<saml::Attribute>& attributes,
                                   std::string_view groups_from, Explanation* explanation) const;

  // Appends what the lines mean, without their places: equal for two policies only if they have the same
  // groups, ids and rules, each in the same order. It says itself where it ends.
  void append_digest_input(std::string& out) const;

 private:
  struct Group {
    std::uint32_t place;
    bool is_manual;
  };

  // An idp_id or a rule: what gives one group.
  struct Ground {
    std::uint32_t group;
    std::uint32_t place;
    std::uint32_t sought;  // where its text is
    std::uint32_t text;
    std::uint32_t next;  // the next ground with the same text; kNone at the end
  };

  // The texts that are looked for in one attribute in one way.
  struct Sought {
    TextTable texts;
    std::vector<std::uint32_t> grounds;       // by text: the first of its grounds
    std::unordered_set<std::uint64_t> known;  // text and group of each ground, until compile()
    SubstringMatcher matcher;                 // for `contains`
  };

  // One call of match().
  class Matching;

  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint32_t kIds = 0;
  static constexpr std::uint32_t exact_of(std::uint32_t attribute) { return 1 + 2 * attribute; }
  static constexpr std::uint32_t contains_of(std::uint32_t attribute) { return 2 + 2 * attribute; }
  static constexpr std::uint32_t attribute_of(std::uint32_t sought) { return (sought - 1) / 2; }

  bool add_ground(std::uint32_t sought, std::string_view text, std::uint32_t group, std::string_view place);

  TextTable names_;
  TextTable places_;
  TextTable attributes_;  // of the rules
  std::vector<Group> groups_;
  std::vector<Ground> grounds_;  // in configuration order
  std::vector<Sought> sought_;   // kIds, then exact_of and contains_of each attribute
};

}  // namespace sallyport::policy
