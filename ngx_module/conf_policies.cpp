// What policies, lists of users and identity providers ask of each other.
#include "conf_finish.h"

#include <algorithm>
#include <map>
#include <set>

#include "conf_file.h"
#include "conf_message.h"
#include "policy/email.h"
#include "policy/email_domains.h"
#include "policy/timezones.h"

namespace sallyport::ngx {

namespace {

using policy::UserList;

constexpr char kTimezoneFile[] = "/usr/share/zoneinfo/tzdata.zi";
constexpr std::size_t kMaxTimezoneFile = 4 * 1024 * 1024;

Origin in_file(const PolicyConf& policy, unsigned line) { return {policy.users_file, line}; }

std::shared_ptr<const UserList> read_users_file(ngx_conf_t* cf, const PolicyConf& policy) {
  const std::string subject = "saml_policy " + quoted(policy.policy->name) + ": users";
  const auto text = read_conf_file(cf, policy.users_origin, subject, policy.users_file, UserList::kMaxFile,
                                   ", which may be half written; where nobody is meant, write a comment into it");
  if (!text) return nullptr;
  unsigned line = 0;
  Result<UserList> list = UserList::parse(*text, line);
  if (!list) {
    conf_error(cf, in_file(policy, line), subject + ": " + list.error().detail);
    return nullptr;
  }
  return std::make_shared<const UserList>(std::move(list).value());
}

// Each file is read once, however many policies name it and by whatever path: whether a list serves several IdPs
// depends on it.
bool read_users_files(ngx_conf_t* cf, MainConf& conf) {
  std::map<std::string, std::shared_ptr<const UserList>> lists;
  for (PolicyConf& policy : conf.policies) {
    if (policy.users_file.empty()) continue;
    std::shared_ptr<const UserList>& list = lists[identity_of_file(policy.users_file)];
    if (list == nullptr) list = read_users_file(cf, policy);
    if (list == nullptr) return false;
    policy.policy->users = list;
    policy.policy->users_file = policy.users_file;
  }
  return true;
}

bool is_used(const MainConf& conf, const PolicyConf& policy) {
  return std::any_of(conf.idps.begin(), conf.idps.end(), [&](const auto& idp) { return idp->rules->policy == policy.policy; });
}

std::string unused(const PolicyConf& policy) {
  return "saml_policy " + quoted(policy.policy->name) + " is used by no saml_idp: write \"policy " + policy.policy->name +
         ";\" in the saml_idp whose users it is for";
}

// A policy that no saml_idp names: what it would refuse is let in. A file of saml_idp_directory may name it later.
bool check_in_use(ngx_conf_t* cf, const MainConf& conf) {
  if (conf.idp_directory.is_set()) return true;
  for (const PolicyConf& policy : conf.policies) {
    if (!policy.policy->must_be_listed || is_used(conf, policy)) continue;
    conf_error(cf, policy.origin, unused(policy) + ", or everybody of that IdP could enter");
    return false;
  }
  warn_of_unused_policies(cf, conf);
  return true;
}

bool link_policies(ngx_conf_t* cf, const MainConf& conf) {
  return std::all_of(conf.idps.begin(), conf.idps.end(), [&](const auto& idp) { return link_policy(cf, conf, *idp); });
}

// The IdPs whose logins ask the list that this policy asks.
std::vector<const IdpConf*> idps_with_list_of(const MainConf& conf, const policy::Policy& policy) {
  std::vector<const IdpConf*> idps;
  for (const auto& idp : conf.idps) {
    const policy::Policy* other = idp->rules->policy.get();
    if (other == nullptr) continue;
    if (other->users == policy.users && other->users_in_store == policy.users_in_store) idps.push_back(idp.get());
  }
  return idps;
}

// A file of saml_idp_directory may bring the IdP yet.
bool check_listed_idps(ngx_conf_t* cf, const MainConf& conf, const PolicyConf& policy, const std::vector<const IdpConf*>& idps) {
  if (conf.idp_directory.is_set()) return true;
  const policy::NameTable& names = policy.policy->users->idps();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto is_it = [&](const IdpConf* idp) { return idp->name == names.name(i); };
    if (std::any_of(idps.begin(), idps.end(), is_it)) continue;
    conf_error(cf, in_file(policy, names.line(i)),
               "\"idp=" + std::string(names.name(i)) + "\": no saml_idp of that name uses this list of users "
               "(by its \"policy\"): correct the name, or remove the line");
    return false;
  }
  return true;
}

// Of two identity providers, neither may name the other's users.
bool check_ambiguous(ngx_conf_t* cf, const PolicyConf& policy, const std::vector<const IdpConf*>& idps) {
  if (policy.policy->has_one_idp) return true;
  const auto user = policy.policy->users->first_ambiguous();
  if (!user) return true;
  const std::string users = idps.size() < 2 ? "by any file of saml_idp_directory that names the policy"
                                            : "by " + quoted(idps[0]->name) + " and " + quoted(idps[1]->name);
  conf_error(cf, in_file(policy, user->line()),
             "\"user " + std::string(user->key()) + "\" names no IdP, and the list is used " + users +
                 ": each of them could claim this user; write \"idp=NAME\", or \"idp=*\" where all of them may");
  return false;
}

bool is_covered(std::string_view address, const std::vector<const IdpConf*>& idps) {
  const auto parsed = policy::parse_email(address);
  return parsed && std::any_of(idps.begin(), idps.end(), [&](const IdpConf* idp) {
           return idp->rules->email_domains.covers(parsed->domain);
         });
}

// A line for an address that no IdP may name never counts. Somebody is disabled by it in vain: that is refused.
bool check_addresses(ngx_conf_t* cf, const MainConf& conf, const PolicyConf& policy, const std::vector<const IdpConf*>& idps) {
  if (idps.size() < 2 || conf.idp_directory.is_set()) return true;
  unsigned first = 0;
  unsigned first_disabled = 0;
  policy.policy->users->for_each([&](const policy::ListedUser& user) {
    unsigned& line = user.is_disabled() ? first_disabled : first;
    if (line == 0 && user.idp().empty() && !is_covered(user.key(), idps)) line = user.line();
  });
  const std::string what =
      "the line never counts: several saml_idp use the list, and no \"email_domains\" of theirs has this KEY's "
      "domain; write \"email_domains\" in the saml_idp whose user it is, or \"idp=NAME\" here";
  if (first_disabled != 0) {
    conf_error(cf, in_file(policy, first_disabled), what);
    return false;
  }
  if (first != 0) conf_warning(cf, in_file(policy, first), what);
  return true;
}

// One kind of names in a list of users.
struct NameKind {
  const char* what;
  const policy::NameTable& (UserList::*all)() const;
  std::vector<std::string_view> (*of)(const policy::ListedUser& user);
};

constexpr NameKind kGroups = {"group", &UserList::groups, [](const policy::ListedUser& user) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < user.group_count(); ++i) names.push_back(user.group(i));
  return names;
}};
constexpr NameKind kSpaces = {"space", &UserList::spaces, [](const policy::ListedUser& user) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < user.space_count(); ++i) names.push_back(user.space(i).name);
  return names;
}};
constexpr NameKind kRoles = {"role", &UserList::roles, [](const policy::ListedUser& user) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < user.space_count(); ++i) names.push_back(user.space(i).role);
  return names;
}};

struct ListedName {
  std::string_view name;
  unsigned line;
};

// Policies may share a list, where `idp=` tells whose a line is; a file of saml_idp_directory may be of any.
bool may_be_of(const MainConf& conf, const PolicyConf& policy, const policy::ListedUser& user) {
  const IdpConf* idp = conf.idps.find(user.idp());
  return idp == nullptr || idp->rules->policy == policy.policy;
}

// The wrong names in lines about this policy's users, each with its first line. A good list is told by its names alone.
template <class IsWrong>
std::vector<ListedName> wrong_names(const MainConf& conf, const PolicyConf& policy, const NameKind& kind, IsWrong&& is_wrong) {
  const policy::NameTable& names = (policy.policy->users.get()->*kind.all)();
  std::set<std::string_view> sought;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (is_wrong(names.name(i))) sought.insert(names.name(i));
  }
  std::vector<ListedName> wrong;
  if (sought.empty()) return wrong;
  policy.policy->users->for_each([&](const policy::ListedUser& user) {
    if (!may_be_of(conf, policy, user)) return;
    for (const std::string_view name : kind.of(user)) {
      if (sought.erase(name) != 0) wrong.push_back({name, user.line()});
    }
  });
  return wrong;
}

template <class Known>
bool check_listed_names(ngx_conf_t* cf, const MainConf& conf, const PolicyConf& policy, const NameKind& kind, const Known& known) {
  const auto wrong = wrong_names(conf, policy, kind, [&](std::string_view name) { return !known.knows(name); });
  if (wrong.empty()) return true;
  const std::string what = std::string(kind.what) + " " + quoted(wrong.front().name);
  conf_error(cf, in_file(policy, wrong.front().line),
             "saml_policy " + quoted(policy.policy->name) + " has no " + what + ": correct the name, or write " +
                 quoted(what + ";") + " there");
  return false;
}

// With group_sync on such a group comes from the IdP alone: the line adds nothing.
void warn_of_synced_groups(ngx_conf_t* cf, const MainConf& conf, const PolicyConf& policy) {
  if (!policy.policy->group_sync) return;
  const policy::GroupRules& groups = policy.policy->groups;
  const auto is_synced = [&](std::string_view name) {
    const auto group = groups.find_group(name);
    return group && !groups.is_manual(*group);
  };
  for (const ListedName& each : wrong_names(conf, policy, kGroups, is_synced)) {
    conf_warning(cf, in_file(policy, each.line),
                 "\"group=" + std::string(each.name) + "\" adds nothing: with \"group_sync on\" a group that has "
                 "identifiers or rules comes from the IdP alone");
  }
}

void warn_of_lost_profiles(ngx_conf_t* cf, const PolicyConf& policy) {
  conf_warning(cf, policy.profile_origin,
               "saml_policy " + quoted(policy.policy->name) +
                   ": \"profile first_login\": what a first login set up is kept in saml_session_zone while there is "
                   "room, and lost by a restart of nginx; the next login then counts as the first");
}

// What stands in Redis is seen at logins; here only whether it can be asked.
bool check_list_in_redis(ngx_conf_t* cf, const MainConf& conf, const PolicyConf& policy) {
  if (conf.redis != nullptr) return true;
  conf_error(cf, policy.users_origin,
             "saml_policy " + quoted(policy.policy->name) +
                 ": \"users redis\" needs \"saml_session_store redis=NAME;\" in http: write it, or \"users FILE;\"");
  return false;
}

bool check_list(ngx_conf_t* cf, const MainConf& conf, const PolicyConf& policy) {
  const policy::Policy& rules = *policy.policy;
  if (rules.users == nullptr && !rules.users_in_store) return true;
  const std::vector<const IdpConf*> idps = idps_with_list_of(conf, rules);
  // A file of saml_idp_directory may be the second one tomorrow.
  policy.policy->has_one_idp = idps.size() <= 1 && !conf.idp_directory.is_set();
  if (rules.users_in_store) return check_list_in_redis(cf, conf, policy);
  warn_of_synced_groups(cf, conf, policy);
  return check_listed_idps(cf, conf, policy, idps) && check_ambiguous(cf, policy, idps) &&
         check_addresses(cf, conf, policy, idps) && check_listed_names(cf, conf, policy, kGroups, rules.groups) &&
         check_listed_names(cf, conf, policy, kSpaces, rules.spaces) && check_listed_names(cf, conf, policy, kRoles, rules.roles);
}

std::shared_ptr<const policy::Timezones> read_timezones(ngx_conf_t* cf) {
  const auto text = read_system_file(kTimezoneFile, kMaxTimezoneFile);
  auto timezones = std::make_shared<const policy::Timezones>(text ? policy::Timezones(*text) : policy::Timezones());
  if (timezones->empty()) {
    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "saml: no time zones in %s: names of time zones are judged by their letters alone; install the "
                  "package tzdata",
                  kTimezoneFile);
  }
  return timezones;
}

}  // namespace

bool resolve_policies(ngx_conf_t* cf, MainConf& conf) {
  const auto claims = [&](const auto& idp) { return claim(cf, conf, *idp); };
  if (!read_users_files(cf, conf) || !link_policies(cf, conf) || !check_in_use(cf, conf) ||
      !std::all_of(conf.idps.begin(), conf.idps.end(), claims)) {
    return false;
  }
  for (PolicyConf& policy : conf.policies) {
    if (policy.policy->keeps_first_profile && conf.redis == nullptr) warn_of_lost_profiles(cf, policy);
    if (!check_list(cf, conf, policy)) return false;
    policy.policy->digest = policy::digest_of(*policy.policy);
  }
  if (!conf.active) return true;
  conf.timezones = read_timezones(cf);
  for (const auto& idp : conf.idps) idp->rules->timezones = conf.timezones;
  return true;
}

bool link_policy(ngx_conf_t* cf, const MainConf& conf, IdpConf& idp) {
  if (!idp.policy_name.is_set()) return true;
  const std::string& name = *idp.policy_name.value;
  if (const PolicyConf* policy = conf.find_policy(name)) {
    idp.rules->policy = policy->policy;
    return true;
  }
  conf_error(cf, idp.policy_name.origin,
             "saml_idp " + quoted(idp.name) + ": there is no saml_policy " + quoted(name) + "; write \"saml_policy " + name +
                 " { ... }\" in http, or correct the name");
  return false;
}

void warn_of_unused_policies(ngx_conf_t* cf, const MainConf& conf) {
  for (const PolicyConf& policy : conf.policies) {
    if (!is_used(conf, policy)) conf_warning(cf, policy.origin, unused(policy));
  }
}

}  // namespace sallyport::ngx
