#include "policy/identity.h"

#include <algorithm>
#include <string_view>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "base/flat.h"
#include "policy/builtin_attributes.h"
#include "policy/single_value.h"

namespace sallyport::policy {
namespace {

// What holds where no saml_policy is named.
const Policy& no_policy() {
  static const Policy policy;
  return policy;
}

// One call of resolve_identity().
class Resolver {
 public:
  Resolver(const Account& account, const Claims& claims, const IdentityRules& rules,
           const Known& known, Explanation* explanation)
      : account_(account), claims_(claims), rules_(rules),
        policy_(rules.policy == nullptr ? no_policy() : *rules.policy), known_(known),
        keeps_first_(policy_.keeps_first_profile && known.first != nullptr), explanation_(explanation) {}

  Result<Identity> run() {
    SALLYPORT_TRY(find_listed());
    SALLYPORT_TRY(check_overage());
    identity_.user = account_.user;
    identity_.email = account_.email;
    identity_.picture = single("picture");
    resolve_profile();
    apply_profile();
    add_listed_spaces();
    resolve_groups();
    return std::move(identity_);
  }

 private:
  std::string single(std::string_view alias) const {
    return single_value(rules_.attributes, claims_.attributes, alias);
  }
  const std::vector<std::string>& values(std::string_view alias) const {
    return values_of(rules_.attributes, claims_.attributes, alias);
  }

  // The user's line in the operator's list.
  Status find_listed() {
    if (policy_.users_in_store && known_.listed == nullptr) {
      return Error{Reason::kStoreUnavailable, "the list of users could not be asked"};
    }
    const UserList* users = policy_.users_in_store ? known_.listed : policy_.users.get();
    if (users == nullptr) return Done{};
    listed_ = users->find({rules_.idp_name, account_.user, account_.email,
                                   account_.user_is_covered, account_.email_is_covered,
                                   policy_.has_one_idp});
    explain(explanation_, Subject::kUser, account_.user, listed_.has_value(), [&] { return listed_why(); });
    if (listed_ && listed_->user.is_disabled()) {
      return Error{Reason::kUserDisabled, listed_why() + ", is disabled"};
    }
    if (listed_ || !policy_.must_be_listed) return Done{};
    return Error{Reason::kNotProvisioned, "`provisioning required`: no line of `users` is for user <" +
                                              account_.user + ">, e-mail <" + account_.email +
                                              (account_.email_is_covered
                                                   ? ">"
                                                   : ">, which counts only if it is in `email_domains` of the "
                                                     "saml_idp")};
  }

  std::string listed_why() const {
    if (!listed_) return "no line of `users` is for this login";
    const std::string place = policy_.users_in_store
                                  ? "the user " + std::string(listed_->user.key()) + " in Redis"
                                  : policy_.users_file + ":" + std::to_string(listed_->user.line());
    return place + ", found by " +
           (listed_->by_email ? "e-mail address" : "user id");
  }

  bool is_missing(std::string_view alias) const {
    return rules_.attributes.find(claims_.attributes, alias) == nullptr;
  }

  // Whether a rule about this attribute is about Entra ID's groups, by whatever name.
  bool means_groups(std::string_view alias) const {
    if (alias == kGroupsClaim || alias == "groups") return true;
    const std::vector<std::string>* sources = rules_.attributes.sources(alias);
    return sources != nullptr && std::find(sources->begin(), sources->end(), kGroupsClaim) != sources->end();
  }

  // Entra ID sends a link in place of groups above 150, which never counts as "no groups" in silence.
  Status check_overage() {
    const auto is_link = [](const saml::Attribute& a) { return a.name == kGroupsLinkClaim; };
    if (std::none_of(claims_.attributes.begin(), claims_.attributes.end(), is_link)) return Done{};
    const auto is_missed = [this](std::string_view alias) { return means_groups(alias) && is_missing(alias); };
    const bool groups_matter =
        policy_.group_sync && (is_missing(policy_.groups_from) || policy_.groups.any_attribute(is_missed));
    if (!groups_matter) return Done{};
    const std::string what =
        "the IdP sent a link instead of groups (Entra ID does so above 150 groups), so none are known; have it "
        "send only the groups assigned to the application";
    if (policy_.refuses_overage) return Error{Reason::kGroupOverage, "`group_overage refuse`: " + what};
    identity_.warnings.push_back(what);
    return Done{};
  }

  // What this login would set up.
  void resolve_profile() {
    Profile& profile = identity_.profile;
    profile.first_name = single("first_name");
    profile.last_name = single("last_name");
    profile.display_name = single("display_name");
    profile.timezone = timezone();
    profile.account_role = account_role();
    profile.spaces = pair_spaces_with_roles(split_items(values(policy_.spaces_from)),
                                            split_items(values(policy_.roles_from)), policy_.spaces,
                                            policy_.roles, explanation_of_sent());
  }

  // What was sent of a profile decides nothing where an earlier one is kept.
  Explanation* explanation_of_sent() const { return keeps_first_ ? nullptr : explanation_; }

  std::string timezone() {
    std::string name = single(policy_.timezone_from);
    if (name.empty()) return name;
    const bool is_known = rules_.timezones == nullptr || rules_.timezones->empty()
                              ? looks_like_timezone(name)
                              : rules_.timezones->has(name);
    explain(explanation_of_sent(), Subject::kTimezone, name, is_known,
            [&] { return is_known ? "sent" : "it is not an IANA name"; });
    if (is_known) return name;
    identity_.warnings.push_back("timezone dropped, it is not an IANA name: " + name);
    return {};
  }

  std::string account_role() const {
    const std::string sent(trim_blanks(single("account_role")));
    const KnownNames& known = policy_.account_roles;
    const bool is_known = known.knows(sent);
    if (!sent.empty()) {
      explain(explanation_of_sent(), Subject::kAccountRole, sent, is_known,
              [&] { return is_known ? "sent" : "no `account_role` line has it"; });
    }
    if (is_known) return sent;
    if (!known.fallback().empty()) {
      explain(explanation_of_sent(), Subject::kAccountRole, known.fallback(), true,
              [&] { return "the default; " + std::string(known.place(known.fallback())); });
    }
    return known.fallback();
  }

  // `profile first_login`: what an earlier login set up counts, as far as the policy still knows it.
  void apply_profile() {
    const Profile& profile = keeps_first_ ? *known_.first : identity_.profile;
    identity_.first_name = profile.first_name;
    identity_.last_name = profile.last_name;
    identity_.display_name = profile.display_name;
    identity_.timezone = profile.timezone;
    identity_.account_role = or_default(policy_.account_roles, profile.account_role);
    for (const SpaceRole& pair : profile.spaces) {
      if (policy_.spaces.knows(pair.space)) add_space(pair.space, pair.role);
    }
    if (keeps_first_) explain_kept(profile);
  }

  static std::string or_default(const KnownNames& known, std::string_view name) {
    return std::string(known.knows(name) ? name : known.fallback());
  }

  void explain_kept(const Profile& profile) {
    if (explanation_ == nullptr) return;
    explain(explanation_, Subject::kProfile, account_.user, true, [] {
      return "`profile first_login`: names, time zone, spaces and roles are those of the first login";
    });
    if (!profile.timezone.empty()) explain_kept(Subject::kTimezone, profile.timezone, true);
    explain_kept_role(Subject::kAccountRole, "", policy_.account_roles, profile.account_role);
    for (const SpaceRole& pair : profile.spaces) {
      const bool is_known = policy_.spaces.knows(pair.space);
      explain_kept(Subject::kSpace, pair.space, is_known);
      if (is_known) explain_kept_role(Subject::kRole, pair.space + ":", policy_.roles, pair.role);
    }
  }

  void explain_kept(Subject subject, std::string_view name, bool is_known) {
    explain(explanation_, subject, name, is_known, [&] {
      return is_known ? "kept from the first login" : "kept from the first login, but the policy no longer knows it";
    });
  }

  void explain_kept_role(Subject subject, const std::string& prefix, const KnownNames& known, const std::string& role) {
    const bool is_known = known.knows(role);
    if (!role.empty()) explain_kept(subject, prefix + role, is_known);
    if (is_known || known.fallback().empty()) return;
    explain(explanation_, subject, prefix + known.fallback(), true,
            [&] { return "the default; " + std::string(known.place(known.fallback())); });
  }

  void add_space(std::string_view space, std::string_view role) {
    identity_.spaces.push_back({std::string(space), or_default(policy_.roles, role)});
  }

  // A space from both sources keeps the IdP's role.
  void add_listed_spaces() {
    if (!listed_) return;
    std::set<std::string> seen;
    for (const SpaceRole& pair : identity_.spaces) seen.insert(pair.space);
    for (std::size_t i = 0; i < listed_->user.space_count(); ++i) {
      const ListedSpace listed = listed_->user.space(i);
      const bool is_new = seen.insert(std::string(listed.name)).second;
      const bool counts = is_new && policy_.spaces.knows(listed.name);
      explain(explanation_, Subject::kSpace, listed.name, counts, [&] {
        return listed_why() + (counts ? "" : is_new ? ", but no `space` line has it"
                                                    : ", but the IdP's role in it counts");
      });
      if (!counts) continue;
      add_space(listed.name, listed.role);
      ++identity_.listed_spaces;
    }
  }

  void resolve_groups() {
    if (!policy_.group_sync) {
      explain(explanation_, Subject::kGroup, "", false,
              [] { return "`group_sync off`: nothing comes from the IdP"; });
    } else if (policy_.groups.has_groups()) {
      for (const std::uint32_t group : policy_.groups.match(rules_.attributes, claims_.attributes,
                                                            policy_.groups_from, explanation_)) {
        identity_.groups.emplace_back(policy_.groups.name(group));
      }
    } else {
      take_groups_as_sent();
    }
    add_listed_groups();
  }

  void take_groups_as_sent() {
    std::set<std::string_view> seen;
    for (const std::string& value : values(policy_.groups_from)) {
      if (is_blank(value) || !seen.insert(value).second) continue;
      explain(explanation_, Subject::kGroup, value, true,
              [] { return "sent; without `group` lines any group is known"; });
      identity_.groups.push_back(value);
    }
  }

  void add_listed_groups() {
    if (!listed_) return;
    std::set<std::string> seen(identity_.groups.begin(), identity_.groups.end());
    for (std::size_t i = 0; i < listed_->user.group_count(); ++i) {
      const std::string name(listed_->user.group(i));
      const char* refused = why_not_by_hand(name);
      const bool counts = refused == nullptr && seen.insert(name).second;
      explain(explanation_, Subject::kGroup, name, counts || seen.count(name) != 0,
              [&] { return listed_why() + (refused == nullptr ? "" : refused); });
      if (counts) identity_.groups.push_back(name);
    }
  }

  // Why a line of `users` does not give a group; null where it does.
  const char* why_not_by_hand(const std::string& name) const {
    if (!policy_.groups.has_groups()) return nullptr;
    const std::optional<std::uint32_t> group = policy_.groups.find_group(name);
    if (!group) return ", but no `group` line has it";
    if (policy_.group_sync && !policy_.groups.is_manual(*group)) {
      return ", but with `group_sync on` the group comes from its idp_id and rules alone";
    }
    return nullptr;
  }

  const Account& account_;
  const Claims& claims_;
  const IdentityRules& rules_;
  const Policy& policy_;
  const Known known_;
  const bool keeps_first_;  // an earlier login's profile counts
  Explanation* explanation_;
  std::optional<UserMatch> listed_;
  Identity identity_;
};

}  // namespace

std::uint64_t digest_of(const IdentityRules& rules) {
  std::string bytes;
  append_text(bytes, rules.idp_name);
  append_text(bytes, rules.user_source);
  rules.attributes.append_digest_input(bytes);
  append_number(bytes, static_cast<std::uint32_t>(rules.email_domains.patterns().size()));
  for (const std::string& pattern : rules.email_domains.patterns()) append_text(bytes, pattern);
  append_digest(bytes, rules.policy == nullptr ? Digest{} : rules.policy->digest);
  return hash_tag(bytes);
}

Result<Identity> resolve_identity(const Account& account, const Claims& claims, const IdentityRules& rules,
                                  const Known& known, Explanation* explanation) {
  return Resolver(account, claims, rules, known, explanation).run();
}

Result<Identity> resolve_identity(const Claims& claims, const IdentityRules& rules, const Known& known,
                                  Explanation* explanation) {
  const Result<Account> account = resolve_account(claims, rules);
  if (!account) return account.error();
  return resolve_identity(*account, claims, rules, known, explanation);
}

}  // namespace sallyport::policy
