// Spaces, roles and groups that saml_require and saml_space ask for, and that nobody there can have.
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

struct Name {
  std::string_view kind;  // the line of a saml_policy
  std::string_view text;
};

// What one line asks for. A line that many locations inherit counts once.
struct Asked {
  std::vector<Name> names;
  Policies policies;
};
using Place = std::tuple<std::string_view, ngx_uint_t, std::string>;  // file, line, directive as written
using AskedByPlace = std::map<Place, Asked>;

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

std::vector<Name> names_of(std::string_view key, std::string_view value) {
  if (key == "group" || key == "role") return {{key, value}};
  if (key != "space") return {};
  const std::size_t colon = value.rfind(':');
  if (colon == value.npos) return {{key, value}};
  return {{key, value.substr(0, colon)}, {"role", value.substr(colon + 1)}};
}

// The policies of a location's IdPs are added to what its lines ask for.
class Asking {
 public:
  explicit Asking(const MainConf& conf) : conf_(conf), all_(policies_of_all(conf)) {}

  void add(const LocConf& location, const Origin& at, const std::string& written, std::vector<Name> names) {
    if (names.empty()) return;
    Asked& asked = asked_[Place(at.file, at.line, written)];
    asked.names = std::move(names);
    add_policies(conf_, all_, *location.auth_saml.value, asked.policies);
  }

  const AskedByPlace& asked() const { return asked_; }

 private:
  const MainConf& conf_;
  const Policies all_;
  AskedByPlace asked_;
};

AskedByPlace asked_for(const MainConf& conf) {
  Asking asking(conf);
  for (const LocConf* location : conf.locations) {
    if (!location->on) continue;
    for (const RequireLine& line : location->require_lines) {
      for (const RequireConf& pair : line.pairs) {
        if (!is_constant(pair.value)) continue;
        const std::string_view value = view(pair.value.value);
        const std::string written = "saml_require " + std::string(pair.key_text) + "=" + std::string(value);
        asking.add(*location, line.origin, written, names_of(pair.key_text, value));
      }
    }
    const auto& space = location->space;
    if (!space.is_set() || space.value->off || !is_constant(space.value->value)) continue;
    const std::string_view name = view(space.value->value.value);
    asking.add(*location, space.origin, "saml_space " + std::string(name), {{"space", name}});
  }
  return asking.asked();
}

bool knows(const policy::Policy* policy, const Name& name) {
  if (policy == nullptr) return true;
  if (name.kind == "group") return policy->groups.knows(name.text);
  return (name.kind == "space" ? policy->spaces : policy->roles).knows(name.text);
}

}  // namespace

void warn_of_unknown_names(ngx_conf_t* cf, const MainConf& conf) {
  for (const auto& [place, asked] : asked_for(conf)) {
    const auto& [file, line, written] = place;
    for (const Name& name : asked.names) {
      const auto knows_it = [&](const policy::Policy* policy) { return knows(policy, name); };
      if (std::any_of(asked.policies.begin(), asked.policies.end(), knows_it)) continue;
      const std::string what = std::string(name.kind) + " " + quoted(name.text);
      conf_warning(cf, {std::string(file), line},
                   quoted(written) + ": no saml_policy of the IdPs there knows the " + what +
                       ", so nobody meets it: correct the name, or write " + quoted(what + ";") + " there");
    }
  }
}

}  // namespace sallyport::ngx
