// `saml_policy NAME { }`.
#include "policy_block.h"

#include "conf_file.h"
#include "directives.h"

namespace sallyport::ngx {

namespace {

bool add_rules(ngx_conf_t* cf, PolicyBlock& block) {
  policy::GroupRules& groups = block.policy->groups;
  for (const PolicyBlock::Rule& rule : block.rules) {
    const auto group = groups.find_group(rule.group);
    if (!group) {
      conf_error(cf, rule.origin, block.subject() + "\"map_group\" names the unknown group " +
                                      quoted(rule.group) + ": write \"group " + quoted(rule.group) +
                                      ";\" too, or correct the name");
      return false;
    }
    if (groups.add_rule(rule.attribute, rule.condition, rule.value, *group, place(rule.origin))) continue;
    conf_error(cf, rule.origin, block.subject() + "the same \"map_group\" stands twice: remove one");
    return false;
  }
  groups.compile();
  return true;
}

// With group_sync off.
void warn_of_unsynced(ngx_conf_t* cf, const PolicyBlock& block) {
  std::vector<std::string> dead;
  if (block.has_idp_ids) dead.emplace_back("idp_id=");
  for (const char* line : {"map_group", "groups_from"}) {
    if (block.has(line)) dead.emplace_back(line);
  }
  if (block.policy->refuses_overage) dead.emplace_back("group_overage refuse");
  if (dead.empty()) return;
  conf_warning(cf, block.origin_of("group_sync"),
               block.subject() + "with \"group_sync off\" no group comes from the IdP, so no " + one_of(dead) +
                   " ever counts: remove them, or write \"group_sync on;\"");
}

// Neither the IdP nor a list of users could give such a group: most often its name was thought to match.
void warn_of_empty_groups(ngx_conf_t* cf, const PolicyBlock& block) {
  const policy::GroupRules& groups = block.policy->groups;
  for (std::uint32_t group = 0; group < groups.group_count(); ++group) {
    if (!groups.is_manual(group)) continue;
    const std::string name(groups.name(group));
    conf_warning(cf, block.group_origins[group],
                 block.subject() + "\"group\": nobody can be in " + quoted(name) + ": write " + quoted("idp_id=" + name) +
                     " behind it where the IdP sends that name, or a \"map_group\" line, or \"users FILE;\"");
  }
}

// What cannot be right, and what is most often a mistake.
bool check_block(ngx_conf_t* cf, const PolicyBlock& block) {
  const policy::Policy& policy = *block.policy;
  const bool has_users = !block.users_file.empty() || policy.users_in_store;
  if (policy.must_be_listed && !has_users) {
    conf_error(cf, block.origin_of("provisioning"),
               block.subject() + "\"provisioning required\" without a list of users would refuse everybody: write "
                                 "\"users FILE;\"");
    return false;
  }
  if (!policy.group_sync && !has_users) {
    conf_error(cf, block.origin_of("group_sync"),
               block.subject() + "with \"group_sync off\" groups come from the list of users alone: write "
                                 "\"users FILE;\", or \"group_sync on;\"");
    return false;
  }
  if (!policy.group_sync) warn_of_unsynced(cf, block);
  if (!has_users) warn_of_empty_groups(cf, block);
  if (block.has("role") && policy.roles.fallback().empty()) {
    conf_warning(cf, block.origin_of("role"),
                 block.subject() + "no role is the default: who comes with an unknown role, or none, has the space "
                                   "without a role; write \"role NAME default;\" for one of them");
  }
  return true;
}

}  // namespace

bool read_policy_block(ngx_conf_t* cf, MainConf& conf) {
  const std::string name(words(cf)[1]);
  const PolicyConf* other = conf.find_policy(name);
  if (!check_block_name(cf, "saml_policy", name, other == nullptr ? nullptr : &other->origin)) return false;
  const Origin origin = here(cf);
  PolicyBlock block;
  block.directive = "saml_policy";
  block.name = name;
  block.policy->name = name;
  if (!read_inside(cf, block) || !add_rules(cf, block) || !check_block(cf, block)) return false;
  PolicyConf policy;
  policy.origin = origin;
  policy.policy = std::move(block.policy);
  policy.users_file = std::move(block.users_file);
  if (block.has("profile")) policy.profile_origin = block.origin_of("profile");
  if (block.has("users")) policy.users_origin = block.origin_of("users");
  conf.policies.push_back(std::move(policy));
  return true;
}

}  // namespace sallyport::ngx
