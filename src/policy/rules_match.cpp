// GroupRules::match: what one user's attributes give, and why.
#include <string>

#include "policy/guid.h"
#include "policy/rules.h"

namespace sallyport::policy {
namespace {

// Of a value in an explanation: a sender's 1 MB must not be repeated for each of 10,000 groups.
constexpr std::size_t kMaxQuoted = 128;

std::string quoted(std::string_view value) {
  const bool is_cut = value.size() > kMaxQuoted;
  return '"' + std::string(value.substr(0, kMaxQuoted)) + (is_cut ? "...\"" : "\"");
}

}  // namespace

class GroupRules::Matching {
 public:
  Matching(const GroupRules& rules, const AttributeMap& map,
           const std::vector<saml::Attribute>& attributes, std::string_view groups_from)
      : rules_(rules),
        groups_from_(groups_from),
        found_(rules.sought_.size()),
        is_given_(rules.groups_.size(), false) {
    look_for_ids(map.find(attributes, groups_from));
    for (std::uint32_t i = 0; i < rules.attributes_.size(); ++i) {
      const saml::Attribute* attribute = map.find(attributes, rules.attributes_.text(i));
      look_for_exact(exact_of(i), attribute);
      look_for_contained(contains_of(i), attribute);
    }
  }

  std::vector<std::uint32_t> groups() const {
    std::vector<std::uint32_t> groups;
    for (std::uint32_t group = 0; group < is_given_.size(); ++group) {
      if (is_given_[group]) groups.push_back(group);
    }
    return groups;
  }

  void explain_groups(Explanation& explanation) const {
    std::vector<const Ground*> first(rules_.groups_.size(), nullptr);
    for (const Ground& ground : rules_.grounds_) {
      if (first[ground.group] == nullptr && value_of(ground) != nullptr) first[ground.group] = &ground;
    }
    for (std::uint32_t group = 0; group < first.size(); ++group) {
      explain(&explanation, Subject::kGroup, rules_.name(group), first[group] != nullptr,
              [&] { return why(group, first[group]); });
    }
  }

 private:
  // What was found of one Sought.
  struct Found {
    const saml::Attribute* attribute = nullptr;
    std::vector<std::uint32_t> first_values;  // by text: the first value that has it, or kNone
  };

  // Whether there is anything to do; makes room for what will be found.
  bool begin(std::uint32_t sought, const saml::Attribute* attribute) {
    const std::size_t texts = rules_.sought_[sought].grounds.size();
    if (attribute == nullptr || texts == 0) return false;
    found_[sought] = {attribute, std::vector<std::uint32_t>(texts, kNone)};
    return true;
  }

  // Notes that a value has the text; false when an earlier one had it. Each text gives its groups once,
  // however many values have it.
  bool note(std::uint32_t sought, std::uint32_t text, std::size_t value) {
    std::uint32_t& first = found_[sought].first_values[text];
    if (first != kNone) return false;
    first = static_cast<std::uint32_t>(value);
    for (std::uint32_t i = rules_.sought_[sought].grounds[text]; i != kNone; i = rules_.grounds_[i].next) {
      is_given_[rules_.grounds_[i].group] = true;
    }
    return true;
  }

  void look_for_ids(const saml::Attribute* attribute) {
    if (!begin(kIds, attribute)) return;
    for (std::size_t i = 0; i < attribute->values.size(); ++i) {
      look_up(kIds, GuidFolded(attribute->values[i]).text(), i);
    }
  }

  void look_for_exact(std::uint32_t sought, const saml::Attribute* attribute) {
    if (!begin(sought, attribute)) return;
    for (std::size_t i = 0; i < attribute->values.size(); ++i) look_up(sought, attribute->values[i], i);
  }

  void look_up(std::uint32_t sought, std::string_view value, std::size_t index) {
    if (value.empty()) return;
    if (const auto text = rules_.sought_[sought].texts.find(value)) note(sought, *text, index);
  }

  void look_for_contained(std::uint32_t sought, const saml::Attribute* attribute) {
    if (!begin(sought, attribute)) return;
    for (std::size_t i = 0; i < attribute->values.size(); ++i) {
      rules_.sought_[sought].matcher.search(attribute->values[i],
                                            [&](std::uint32_t text) { return note(sought, text, i); });
    }
  }

  // The first value that the ground matches; null when none does.
  const std::string* value_of(const Ground& ground) const {
    const Found& found = found_[ground.sought];
    if (found.first_values.empty() || found.first_values[ground.text] == kNone) return nullptr;
    return &found.attribute->values[found.first_values[ground.text]];
  }

  std::string why(std::uint32_t group, const Ground* ground) const {
    if (ground != nullptr) return why_given(*ground, *value_of(*ground));
    return rules_.is_manual(group) ? "it has neither an idp_id nor a map_group line"
                                   : "no idp_id and no map_group line of it matches";
  }

  std::string why_given(const Ground& ground, const std::string& value) const {
    const std::string place(rules_.places_.text(ground.place));
    if (ground.sought == kIds) {
      return "the idp_id at " + place + " is a value of " + std::string(groups_from_) + ": " + quoted(value);
    }
    const std::uint32_t attribute = attribute_of(ground.sought);
    const std::string rule = "map_group at " + place + ": " + std::string(rules_.attributes_.text(attribute));
    if (ground.sought == exact_of(attribute)) return rule + " is " + quoted(value);
    const std::string_view text = rules_.sought_[ground.sought].texts.text(ground.text);
    return rule + " contains " + quoted(text) + ", in " + quoted(value);
  }

  const GroupRules& rules_;
  std::string_view groups_from_;
  std::vector<Found> found_;  // as sought_
  std::vector<bool> is_given_;
};

std::vector<std::uint32_t> GroupRules::match(const AttributeMap& map,
                                             const std::vector<saml::Attribute>& attributes,
                                             std::string_view groups_from, Explanation* explanation) const {
  const Matching matching(*this, map, attributes, groups_from);
  if (explanation != nullptr) matching.explain_groups(*explanation);
  return matching.groups();
}

}  // namespace sallyport::policy
