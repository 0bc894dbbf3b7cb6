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

// Whether `claims/name` is the first name here: beside a family name and without a given name.
bool name_claim_is_first_name(const std::vector<saml::Attribute>& attributes) {
  return find_name(attributes, kFamilyNameClaim) != nullptr &&
         find_name(attributes, kGivenNameClaim) == nullptr;
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
  const Entry* found = entry(alias_or_name);
  if (found == nullptr) return find_name(attributes, alias_or_name);
  for (const std::string& source : found->sources) {
    const saml::Attribute* attribute = find_name(attributes, source);
    if (attribute == nullptr) continue;
    // Only one of the two built-in aliases takes this claim; an operator's line means what it says.
    if (found->is_built_in && source == kNameClaim &&
        name_claim_is_first_name(attributes) != (found->alias == "first_name")) {
      continue;
    }
    return attribute;
  }
  return nullptr;
}

}  // namespace sallyport::policy
