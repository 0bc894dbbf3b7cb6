// The lines of a `saml_policy` block.
#include "policy_block.h"

#include <algorithm>

#include "base/encoding.h"
#include "conf_file.h"
#include "conf_value.h"

namespace sallyport::ngx {

namespace {

using policy::KnownNames;

constexpr Word<bool> kProvisioning[] = {{"optional", false}, {"required", true}};
constexpr Word<bool> kProfiles[] = {{"every_login", false}, {"first_login", true}};
constexpr Word<bool> kOverages[] = {{"without", false}, {"refuse", true}};
constexpr Word<bool> kOnChange[] = {{"login", false}, {"resolve", true}};
constexpr Word<policy::Condition> kConditions[] = {{"exact", policy::Condition::kExact},
                                                   {"contains", policy::Condition::kContains}};

bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// What an application will read as a name: UTF-8 that can come over the wire as it is.
bool check_text(ngx_conf_t* cf, const PolicyBlock& block, std::string_view line, std::string_view name) {
  if (!name.empty() && name.size() <= 1024 && is_utf8(name) && !has_controls(name)) return true;
  return refuse(cf, block, quoted(line) + " wants a name of 1 to 1024 bytes of UTF-8 without control characters");
}

// A name that is looked for in lists which are split at commas and trimmed.
bool check_item(ngx_conf_t* cf, const PolicyBlock& block, std::string_view line, std::string_view name) {
  if (!check_text(cf, block, line, name)) return false;
  if (name.find(',') == std::string_view::npos && trim_blanks(name) == name) return true;
  return refuse(cf, block, quoted(line) + ": " + quoted(name) +
                               " would never match: what the IdP sends is split at commas and its blanks at both "
                               "ends are cut off");
}

// The account role is one value, which may hold commas.
bool check_name(ngx_conf_t* cf, const PolicyBlock& block, const Values& values) {
  if (values[0] != "account_role") return check_item(cf, block, values[0], values[1]);
  if (!check_text(cf, block, values[0], values[1])) return false;
  if (trim_blanks(values[1]) == values[1]) return true;
  return refuse(cf, block, "\"account_role\": " + quoted(values[1]) +
                               " would never match: blanks at both ends of what the IdP sends are cut off");
}

// Where a space and its role are written together, the last colon separates them.
void warn_of_colon(ngx_conf_t* cf, const PolicyBlock& block, std::string_view role) {
  if (role.find(':') == role.npos) return;
  conf_warning(cf, here(cf),
               block.subject() + "\"role\": " + quoted(role) + " has a colon, so no \"space=NAME:ROLE\" of \"saml_require\" "
               "or of a list of users can name it: require it with \"saml_space\" and " +
                   quoted("saml_require role=" + std::string(role)));
}

bool add_name(ngx_conf_t* cf, PolicyBlock& block, const Values& values, KnownNames& names) {
  const std::string_view line = values[0];
  if (!check_name(cf, block, values)) return false;
  if (const std::string_view other = names.place(values[1]); !other.empty()) {
    return refuse(cf, block, quoted(line) + ": " + quoted(values[1]) + " stands already at " +
                                 std::string(other) + ": remove one of them");
  }
  names.add(values[1], place(here(cf)));
  if (line == "role") warn_of_colon(cf, block, values[1]);
  if (values.size() == 2) return true;
  if (!is_word(values[2], "default")) {
    return refuse(cf, block, quoted(line) + ": behind the name may only stand \"default\", not " +
                                 quoted(values[2]) + "; put a name with blanks in quotes");
  }
  if (!names.fallback().empty()) {
    return refuse(cf, block, quoted(line) + ": " + quoted(names.fallback()) + " of " +
                                 std::string(names.place(names.fallback())) +
                                 " is the default already: only one can be");
  }
  names.set_fallback(values[1]);
  return true;
}

template <KnownNames policy::Policy::*Names>
bool read_name(ngx_conf_t* cf, PolicyBlock& block, const Values& values) {
  return add_name(cf, block, values, (*block.policy).*Names);
}

// What an answer can hold.
bool check_sent(ngx_conf_t* cf, const PolicyBlock& block, std::string_view line, std::string_view text) {
  if (is_utf8(text)) return true;
  return refuse(cf, block, quoted(line) + ": " + quoted(text) +
                               " would never match: it is not UTF-8, as all that the IdP sends is; save the file as UTF-8");
}

bool read_group(ngx_conf_t* cf, PolicyBlock& block, const Values& values) {
  constexpr std::string_view kIdpId = "idp_id=";
  if (!check_text(cf, block, "group", values[1])) return false;
  policy::GroupRules& groups = block.policy->groups;
  const std::string at = place(here(cf));
  const auto group = groups.add_group(values[1], at);
  if (!group) {
    return refuse(cf, block, "\"group\": " + quoted(values[1]) + " stands already at " +
                                 std::string(groups.place(*groups.find_group(values[1]))) +
                                 ": write all its identifiers behind one");
  }
  block.group_origins.push_back(here(cf));
  block.has_idp_ids = block.has_idp_ids || values.size() > 2;
  for (std::size_t i = 2; i < values.size(); ++i) {
    const std::string_view id = values[i].substr(std::min(values[i].size(), kIdpId.size()));
    if (values[i].substr(0, kIdpId.size()) != kIdpId || id.empty()) {
      return refuse(cf, block, "\"group\" takes its name and then \"idp_id=ID\" parameters, not " +
                                   quoted(values[i]) + "; put a name with blanks in quotes");
    }
    if (id.front() == '"' || id.front() == '\'') {
      return refuse(cf, block, "\"group\": the quotes of " + quoted(values[i]) +
                                   " would be part of the identifier: put them around the whole parameter, "
                                   "\"idp_id=...\"");
    }
    if (!check_sent(cf, block, "group", id)) return false;
    if (!groups.add_idp_id(*group, id, at)) {
      return refuse(cf, block, "\"group\": " + quoted(values[i]) + " stands twice: remove one");
    }
  }
  return true;
}

bool read_map_group(ngx_conf_t* cf, PolicyBlock& block, const Values& values) {
  const auto condition = find_word(cf, kConditions, values[2]);
  if (!condition) return false;
  if (values[1].empty() || values[3].empty()) {
    return refuse(cf, block, "\"map_group\" wants an attribute, a condition, a text that is not empty, and a group: "
                             "\"map_group department exact \\\"R&D\\\" Engineering;\"");
  }
  if (!check_sent(cf, block, "map_group", values[1]) || !check_sent(cf, block, "map_group", values[3])) return false;
  block.rules.push_back({std::string(values[1]), *condition, std::string(values[3]), std::string(values[4]),
                         here(cf)});
  return true;
}

template <std::string policy::Policy::*Source>
bool read_source(ngx_conf_t* cf, PolicyBlock& block, const Values& values) {
  if (values[1].empty() || values[1].find('$') != std::string_view::npos) {
    return refuse(cf, block, quoted(values[0]) + " takes the alias or the Name of an attribute, not " +
                                 quoted(values[1]));
  }
  (*block.policy).*Source = values[1];
  return true;
}

template <bool policy::Policy::*Flag, const auto& Choices>
bool read_choice(ngx_conf_t* cf, PolicyBlock& block, const Values& values) {
  const auto value = find_word(cf, Choices, values[1]);
  if (value) (*block.policy).*Flag = *value;
  return value.has_value();
}

bool read_users(ngx_conf_t* cf, PolicyBlock& block, const Values& values) {
  if (values[1] == "redis") {
    block.policy->users_in_store = true;
    return true;
  }
  const std::optional<std::string> path = full_path(cf, values[1]);
  if (path) block.users_file = *path;
  return path.has_value();
}

}  // namespace

const std::vector<BlockLine<PolicyBlock>>& PolicyBlock::lines() {
  using policy::Policy;
  static const std::vector<BlockLine<PolicyBlock>> kLines = {
      {"space", 1, 1, true, read_name<&Policy::spaces>},
      {"role", 1, 2, true, read_name<&Policy::roles>},
      {"account_role", 1, 2, true, read_name<&Policy::account_roles>},
      {"group", 1, kAnyNumber, true, read_group},
      {"map_group", 4, 4, true, read_map_group},
      {"spaces_from", 1, 1, false, read_source<&Policy::spaces_from>},
      {"roles_from", 1, 1, false, read_source<&Policy::roles_from>},
      {"groups_from", 1, 1, false, read_source<&Policy::groups_from>},
      {"timezone_from", 1, 1, false, read_source<&Policy::timezone_from>},
      {"group_sync", 1, 1, false, read_choice<&Policy::group_sync, kFlag>},
      {"users", 1, 1, false, read_users},
      {"provisioning", 1, 1, false, read_choice<&Policy::must_be_listed, kProvisioning>},
      {"profile", 1, 1, false, read_choice<&Policy::keeps_first_profile, kProfiles>},
      {"group_overage", 1, 1, false, read_choice<&Policy::refuses_overage, kOverages>},
      {"on_change", 1, 1, false, read_choice<&Policy::resolves_on_change, kOnChange>},
  };
  return kLines;
}

}  // namespace sallyport::ngx
