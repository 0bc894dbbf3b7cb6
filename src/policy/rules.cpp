#include "policy/rules.h"

#include "base/flat.h"
#include "policy/guid.h"

namespace sallyport::policy {
GroupRules::GroupRules() : sought_(1) {}

std::optional<std::uint32_t> GroupRules::add_group(std::string_view name, std::string_view place) {
  const auto [group, is_new] = names_.add(name);
  if (!is_new) return std::nullopt;
  groups_.push_back({places_.add(place).first, true});
  return group;
}

bool GroupRules::add_idp_id(std::uint32_t group, std::string_view id, std::string_view place) {
  return add_ground(kIds, GuidFolded(id).text(), group, place);
}

bool GroupRules::add_rule(std::string_view attribute, Condition condition, std::string_view value,
                          std::uint32_t group, std::string_view place) {
  const auto [number, is_new] = attributes_.add(attribute);
  if (is_new) sought_.resize(contains_of(number) + 1);
  const bool is_exact = condition == Condition::kExact;
  return add_ground(is_exact ? exact_of(number) : contains_of(number), value, group, place);
}

bool GroupRules::add_ground(std::uint32_t sought, std::string_view text, std::uint32_t group,
                            std::string_view place) {
  Sought& in = sought_[sought];
  const auto [number, is_new] = in.texts.add(text);
  if (is_new) in.grounds.push_back(kNone);
  if (!in.known.insert(std::uint64_t{number} << 32 | group).second) return false;
  const auto ground = static_cast<std::uint32_t>(grounds_.size());
  grounds_.push_back({group, places_.add(place).first, sought, number, in.grounds[number]});
  in.grounds[number] = ground;
  groups_[group].is_manual = false;
  return true;
}

void GroupRules::compile() {
  for (std::uint32_t attribute = 0; attribute < attributes_.size(); ++attribute) {
    Sought& contained = sought_[contains_of(attribute)];
    std::vector<std::string_view> patterns;
    for (std::uint32_t i = 0; i < contained.texts.size(); ++i) patterns.push_back(contained.texts.text(i));
    if (!patterns.empty()) contained.matcher = SubstringMatcher(patterns);
  }
  for (Sought& sought : sought_) {
    sought.texts.shrink();
    sought.grounds.shrink_to_fit();
    sought.known = {};
  }
  for (TextTable* table : {&names_, &places_, &attributes_}) table->shrink();
  groups_.shrink_to_fit();
  grounds_.shrink_to_fit();
  sought_.shrink_to_fit();
}

void GroupRules::append_digest_input(std::string& out) const {
  append_number(out, groups_.size());
  for (std::uint32_t group = 0; group < names_.size(); ++group) append_text(out, names_.text(group));
  // The order between ids and rules has no meaning, so each kind is by itself.
  std::string ids;
  std::string rules;
  for (const Ground& ground : grounds_) {
    std::string& lines = ground.sought == kIds ? ids : rules;
    if (ground.sought != kIds) {
      const std::uint32_t attribute = attribute_of(ground.sought);
      append_text(lines, attributes_.text(attribute));
      lines += ground.sought == exact_of(attribute) ? 'e' : 'c';
    }
    append_text(lines, sought_[ground.sought].texts.text(ground.text));
    append_number(lines, ground.group);
  }
  append_text(out, ids);
  append_text(out, rules);
}

}  // namespace sallyport::policy
