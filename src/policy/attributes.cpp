#include "policy/attributes.h"

#include <algorithm>
#include <utility>

#include "base/flat.h"
#include "policy/builtin_attributes.h"

namespace sallyport::policy {
namespace {

const saml::Attribute* find_name(const std::vector<saml::Attribute>& attributes,
                                 std::string_view name) {
  for (const saml::Attribute& attribute : attributes) {
    if (attribute.name == name) return &attribute;
  }
  return nullptr;
}

}  // namespace

AttributeMap::AttributeMap() {
  for (const BuiltInSource& source : kBuiltInSources) {
    // The table's rows of one alias stand together.
    if (entries_.empty() || entries_.back().alias != source.alias) {
      entries_.push_back({std::string(source.alias), {}, true});
    }
    entries_.back().sources.emplace_back(source.name);
  }
}

void AttributeMap::set(std::string_view alias, std::vector<std::string> sources) {
  if (std::find(configured_.begin(), configured_.end(), alias) == configured_.end()) {
    configured_.emplace_back(alias);
  }
  for (Entry& entry : entries_) {
    if (entry.alias != alias) continue;
    entry.sources = std::move(sources);
    entry.is_built_in = false;
    return;
  }
  entries_.push_back({std::string(alias), std::move(sources), false});
}

const AttributeMap::Entry* AttributeMap::entry(std::string_view alias) const {
  for (const Entry& candidate : entries_) {
    if (candidate.alias == alias) return &candidate;
  }
  return nullptr;
}

const std::vector<std::string>* AttributeMap::sources(std::string_view alias) const {
  const Entry* found = entry(alias);
  return found == nullptr ? nullptr : &found->sources;
}

void AttributeMap::append_digest_input(std::string& out) const {
  append_number(out, static_cast<std::uint32_t>(configured_.size()));
  for (const std::string& alias : configured_) {
    append_text(out, alias);
    const std::vector<std::string>& found = *sources(alias);
    append_number(out, static_cast<std::uint32_t>(found.size()));
    for (const std::string& source : found) append_text(out, source);
  }
}

const saml::Attribute* AttributeMap::find(const std::vector<saml::Attribute>& attributes,
                                          std::string_view alias_or_name) const {
  if (entry(alias_or_name) == nullptr) return find_name(attributes, alias_or_name);
  const std::string* source = find_source(
      alias_or_name, [&](std::string_view name) { return find_name(attributes, name) != nullptr; });
  return source == nullptr ? nullptr : find_name(attributes, *source);
}

const std::string* AttributeMap::find_source(std::string_view alias,
                                             const std::function<bool(std::string_view name)>& is_sent) const {
  const Entry* found = entry(alias);
  if (found == nullptr) return nullptr;
  // `claims/name` is the first name beside a family name and without a given name. Only one of the two built-in aliases
  // takes it; an operator's line means what it says.
  const auto is_for_other_alias = [&](std::string_view source) {
    if (!found->is_built_in || source != kNameClaim) return false;
    return (is_sent(kFamilyNameClaim) && !is_sent(kGivenNameClaim)) != (found->alias == "first_name");
  };
  for (const std::string& source : found->sources) {
    if (is_sent(source) && !is_for_other_alias(source)) return &source;
  }
  return nullptr;
}

}  // namespace sallyport::policy
