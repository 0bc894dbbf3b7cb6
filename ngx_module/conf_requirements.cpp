// Spaces, roles and groups that saml_require asks for, and that nobody there can have.
#include "conf_finish.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "bridge.h"
#include "conf_message.h"
#include "conf_value.h"

namespace sallyport::ngx {

namespace {

// Of the IdPs whose users may come. Null: one of them has no policy, or a file of saml_idp_directory may bring it with any;
// then every name is known.
using Policies = std::set<const policy::Policy*>;

// Where it stands, its key and its value: a line that many locations inherit counts once.
using Pair = std::tuple<std::string_view, ngx_uint_t, std::string_view, std::string_view>;

struct Name {
  std::string_view kind;  // the line of a saml_policy
  std::string_view text;
};

Policies policies_of_all(const MainConf& conf) {
  Policies policies;
  if (conf.idp_directory.is_set()) policies.insert(nullptr);
  for (const auto& idp : conf.idps) policies.insert(idp->rules->policy.get());
  return policies;
}

void add_policies(const MainConf& conf, const Policies& all, const LocConf::AuthSaml& auth, Policies& policies) {
  // Nothing more comes in where there are as many.
  if (auth.is_variable && policies.size() < all.size()) policies.insert(all.begin(), all.end());
  for (const std::string& name : auth.names) {
    const IdpConf* idp = conf.idps.find(name);
    policies.insert(idp == nullptr ? nullptr : idp->rules->policy.get());
  }
}

std::map<Pair, Policies> pairs_in_use(const MainConf& conf) {
  const Policies all = policies_of_all(conf);
  std::map<Pair, Policies> pairs;
  for (const LocConf* location : conf.locations) {
    if (!location->on) continue;
    for (const RequireLine& line : location->require_lines) {
      for (const RequireConf& pair : line.pairs) {
        if (!is_constant(pair.value)) continue;
        const Pair key(line.origin.file, line.origin.line, pair.key_text, view(pair.value.value));
        add_policies(conf, all, *location->auth_saml.value, pairs[key]);
      }
    }
  }
  return pairs;
}

std::vector<Name> names_of(std::string_view key, std::string_view value) {
  if (key == "group" || key == "role") return {{key, value}};
  if (key != "space") return {};
  const std::size_t colon = value.rfind(':');
  if (colon == value.npos) return {{key, value}};
  return {{key, value.substr(0, colon)}, {"role", value.substr(colon + 1)}};
}

bool knows(const policy::Policy* policy, const Name& name) {
  if (policy == nullptr) return true;
  if (name.kind == "group") return policy->groups.knows(name.text);
  return (name.kind == "space" ? policy->spaces : policy->roles).knows(name.text);
}

}  // namespace

void warn_of_unknown_names(ngx_conf_t* cf, const MainConf& conf) {
  for (const auto& [pair, policies] : pairs_in_use(conf)) {
    const auto& [file, line, key, value] = pair;
    for (const Name& name : names_of(key, value)) {
      const auto knows_it = [&](const policy::Policy* policy) { return knows(policy, name); };
      if (std::any_of(policies.begin(), policies.end(), knows_it)) continue;
      const std::string what = std::string(name.kind) + " " + quoted(name.text);
      conf_warning(cf, {std::string(file), line},
                   quoted("saml_require " + std::string(key) + "=" + std::string(value)) +
                       ": no saml_policy of the IdPs there knows the " + what +
                       ", so nobody meets it: correct the name, or write " + quoted(what + ";") + " there");
    }
  }
}

}  // namespace sallyport::ngx
