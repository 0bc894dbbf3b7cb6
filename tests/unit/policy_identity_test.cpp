// What users get by a policy.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "policy/builtin_attributes.h"
#include "policy_fixture.h"

namespace sallyport::policy_test {
namespace {

using policy::Identity;
using policy::IdentityRules;
using policy::Profile;

// A list of users and what else bends the example policy.
std::shared_ptr<policy::Policy> with_users(const std::string& text) {
  auto policy = example_policy();
  policy->users_file = "users.conf";
  policy->users = std::make_shared<policy::UserList>(list_of(text));
  return policy;
}

Reason refusal(const policy::Claims& claims, const IdentityRules& rules) {
  const Result<Identity> identity = policy::resolve_identity(claims, rules);
  EXPECT_FALSE(identity.ok());
  return identity.ok() ? Reason::kInternal : identity.error().reason;
}

TEST(PolicyIdentity, SpacesRolesAndGroupsByThePolicy) {
  const Identity identity = resolved(
      claims_with({{"space_name", "", {"Trial,Nowhere,DevOps"}},
                   {"space_role", "", {"Admin,Admin,Boss"}},
                   {"department", "", {"R&D"}},
                   {"groups", "", {"3F2B0C1E-0000-4000-8000-000000000001", "Guests", "Engineering"}}}),
      rules_with(example_policy()));
  EXPECT_EQ(pairs_of(identity), (Texts{"Trial=Admin", "DevOps=Member"}));
  EXPECT_EQ(identity.groups, (Texts{"Platform", "Engineering"}));
}

TEST(PolicyIdentity, OtherSources) {
  auto policy = example_policy();
  policy->spaces_from = "urn:spaces";
  policy->roles_from = "urn:roles";
  policy->groups_from = "urn:groups";
  policy->timezone_from = "urn:tz";
  const Identity identity =
      resolved(claims_with({{"urn:spaces", "", {"Trial"}},
                            {"urn:roles", "", {"Admin"}},
                            {"urn:groups", "", {"3f2b0c1e-0000-4000-8000-000000000001"}},
                            {"urn:tz", "", {"Europe/Paris"}},
                            {"space_name", "", {"DevOps"}},
                            {"timezone", "", {"Europe/Berlin"}}}),
               rules_with(policy));
  EXPECT_EQ(pairs_of(identity), (Texts{"Trial=Admin"}));
  EXPECT_EQ(identity.groups, (Texts{"Platform"}));
  EXPECT_EQ(identity.timezone, "Europe/Paris");
}

TEST(PolicyIdentity, WithoutGroupLinesGroupsAreAsSent) {
  auto policy = std::make_shared<policy::Policy>();
  policy->groups.compile();
  EXPECT_EQ(resolved(claims_with({{"groups", "", {"a,b", "c", "a,b", " "}}}), rules_with(policy)).groups,
            (Texts{"a,b", "c"}));
}

struct AccountRoleCase {
  const char* name;
  Texts sent;
  bool has_lines;
  const char* fallback;
  const char* expected;
};

class AccountRoleTest : public ::testing::TestWithParam<AccountRoleCase> {};

TEST_P(AccountRoleTest, FollowsThePolicy) {
  const AccountRoleCase& test = GetParam();
  auto policy = example_policy();
  if (test.has_lines) {
    policy->account_roles.add("Admin", "nginx.conf:20");
    policy->account_roles.add("Member", "nginx.conf:21");
    policy->account_roles.set_fallback(test.fallback);
  }
  const Identity identity =
      resolved(claims_with({{"account_role", "", test.sent}}), rules_with(policy));
  EXPECT_EQ(identity.account_role, test.expected);
}

const AccountRoleCase kAccountRoles[] = {
    {"Known", {"Admin"}, true, "Member", "Admin"},
    {"UnknownIsTheDefault", {"Boss"}, true, "Member", "Member"},
    {"MissingIsTheDefault", {}, true, "Member", "Member"},
    {"UnknownWithoutDefault", {"Boss"}, true, "", ""},
    {"CaseMatters", {"admin"}, true, "", ""},
    {"AnyWithoutLines", {"Boss"}, false, "", "Boss"},
    {"FirstThatIsNotBlank", {" ", "Admin", "Member"}, true, "", "Admin"},
    {"Trimmed", {" Admin\t"}, true, "", "Admin"},
    {"NotSplit", {"Admin,Member"}, true, "Member", "Member"},
};
INSTANTIATE_TEST_SUITE_P(PolicyIdentity, AccountRoleTest, ::testing::ValuesIn(kAccountRoles),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(PolicyIdentity, UsersAddSpacesAndManualGroups) {
  const auto policy = with_users(
      "user u-1 group=Guests group=Engineering space=DevOps:Developer space=Trial:Admin;");
  const Identity identity = resolved(
      claims_with({{"space_name", "", {"Trial"}}, {"space_role", "", {"Member"}}}), rules_with(policy));
  // Trial is from both sources and keeps the IdP's role; Engineering has a rule, so it comes from that alone.
  EXPECT_EQ(pairs_of(identity), (Texts{"Trial=Member", "DevOps=Developer"}));
  EXPECT_EQ(identity.groups, (Texts{"Guests"}));
}

TEST(PolicyIdentity, ASpaceWithoutARoleGetsTheDefault) {
  const Identity identity = resolved(claims_with({}), rules_with(with_users("user u-1 space=Trial;")));
  EXPECT_EQ(pairs_of(identity), (Texts{"Trial=Member"}));
}

TEST(PolicyIdentity, GroupSyncOffTakesGroupsFromUsersAlone) {
  auto policy = with_users("user u-1 group=Engineering;");
  policy->group_sync = false;
  const Identity identity = resolved(
      claims_with({{"department", "", {"R&D"}}, {"groups", "", {"admin"}}}), rules_with(policy));
  EXPECT_EQ(identity.groups, (Texts{"Engineering"}));
}

TEST(PolicyIdentity, AGroupOfBothSourcesStandsOnce) {
  auto policy = std::make_shared<policy::Policy>();
  policy->groups.compile();
  policy->users = std::make_shared<policy::UserList>(list_of("user u-1 group=A group=B;"));
  EXPECT_EQ(resolved(claims_with({{"groups", "", {"B", "C"}}}), rules_with(policy)).groups,
            (Texts{"B", "C", "A"}));
}

TEST(PolicyIdentity, ProvisioningRequired) {
  auto policy = with_users("user u-2;\nuser u-3 disabled;");
  EXPECT_TRUE(policy::resolve_identity(claims_with({}), rules_with(policy)).ok()) << "optional";
  policy->must_be_listed = true;
  EXPECT_EQ(refusal(claims_with({}), rules_with(policy)), Reason::kNotProvisioned);
  policy::Claims claims = claims_with({});
  claims.name_id->value = "u-2";
  EXPECT_TRUE(policy::resolve_identity(claims, rules_with(policy)).ok());
}

TEST(PolicyIdentity, DisabledUsersAreRefusedWhateverProvisioningSays) {
  policy::Claims claims = claims_with({});
  EXPECT_EQ(refusal(claims, rules_with(with_users("user u-1 disabled;"))), Reason::kUserDisabled);
}

// One organisation's IdP says that its user is another's.
TEST(PolicyIdentity, AnotherOrganisationsUserIsNeverClaimed) {
  auto policy = with_users("user boss@corp.example group=Guests;\nuser u-1 idp=entra group=Guests;");
  policy->has_one_idp = false;
  policy->must_be_listed = true;
  IdentityRules rules = rules_with(policy);
  ASSERT_TRUE(rules.email_domains.add("evil.example").ok());
  const auto asserting = [](const std::string& user, const std::string& email) {
    policy::Claims claims = claims_with({{"email", "", {email}}});
    claims.name_id->value = user;
    return claims;
  };
  EXPECT_EQ(refusal(asserting("boss@corp.example", "x@evil.example"), rules), Reason::kNotProvisioned);
  EXPECT_EQ(refusal(asserting("x", "boss@corp.example"), rules), Reason::kEmailDomainNotAllowed);
  EXPECT_EQ(refusal(asserting("u-1", "x@evil.example"), rules), Reason::kNotProvisioned);
  IdentityRules without_domains = rules_with(policy);
  EXPECT_EQ(refusal(asserting("boss@corp.example", "boss@corp.example"), without_domains),
            Reason::kNotProvisioned);
  IdentityRules owner = rules_with(policy);
  owner.idp_name = "corp";
  ASSERT_TRUE(owner.email_domains.add("corp.example").ok());
  EXPECT_EQ(resolved(asserting("42", "Boss@Corp.example"), owner).groups, (Texts{"Guests"}));
}

TEST(PolicyIdentity, OverageIsNeverSilent) {
  const policy::Claims claims =
      claims_with({{std::string(policy::kGroupsLinkClaim), "", {"https://graph.example/"}}});
  auto policy = example_policy();
  const Identity identity = resolved(claims, rules_with(policy));
  ASSERT_EQ(identity.warnings.size(), 1u);
  EXPECT_NE(identity.warnings[0].find("link instead of groups"), std::string::npos);
  policy->refuses_overage = true;
  EXPECT_EQ(refusal(claims, rules_with(policy)), Reason::kGroupOverage);
  policy::Claims with_groups = claims;
  with_groups.attributes.push_back({"groups", "", {"admin"}});
  EXPECT_EQ(resolved(with_groups, rules_with(policy)).groups, (Texts{"Platform"}));
}

// Rules about `groups` miss them as well, where identifiers come from elsewhere.
TEST(PolicyIdentity, OverageCountsForRulesToo) {
  auto policy = example_policy();
  policy->groups_from = "member";
  policy->refuses_overage = true;
  const policy::Claims claims = claims_with({{"member", "", {"x"}},
                                             {std::string(policy::kGroupsLinkClaim), "", {"https://graph.example/"}}});
  EXPECT_EQ(refusal(claims, rules_with(policy)), Reason::kGroupOverage);
}

TEST(PolicyIdentity, OverageCountsForRulesByAnyNameOfTheClaim) {
  const std::string claim(policy::kGroupsClaim);
  const auto refuses = [&](const std::string& attribute, const std::string& also_sent) {
    auto policy = std::make_shared<policy::Policy>();
    const auto group = policy->groups.add_group("A", "nginx.conf:1");
    policy->groups.add_rule(attribute, policy::Condition::kExact, "1234", *group, "nginx.conf:2");
    policy->groups.compile();
    policy->groups_from = "member";
    policy->refuses_overage = true;
    IdentityRules rules = rules_with(policy);
    rules.attributes.set("team", {"urn:team", claim});
    rules.attributes.set("other", {"urn:other"});
    const policy::Claims claims = claims_with(
        {{"member", "", {"x"}}, {also_sent, "", {"x"}}, {std::string(policy::kGroupsLinkClaim), "", {"https://x/"}}});
    const Result<Identity> identity = policy::resolve_identity(claims, rules);
    return !identity.ok() && identity.error().reason == Reason::kGroupOverage;
  };
  for (const std::string& attribute : {claim, std::string("groups"), std::string("team")}) {
    EXPECT_TRUE(refuses(attribute, "x")) << attribute;
    EXPECT_FALSE(refuses(attribute, claim)) << attribute << ": the groups came";
  }
  EXPECT_TRUE(refuses(claim, "memberOf")) << "other groups came than the rule is about";
  EXPECT_FALSE(refuses("team", "urn:team"));
  for (const char* attribute : {"other", "urn:other", "department", "http://schemas.xmlsoap.org/claims/Group"}) {
    EXPECT_FALSE(refuses(attribute, "x")) << attribute << " has nothing to do with it";
  }
}

TEST(PolicyIdentity, OverageIsNothingWithoutGroupSync) {
  auto policy = with_users("");
  policy->group_sync = false;
  policy->refuses_overage = true;
  const policy::Claims claims =
      claims_with({{std::string(policy::kGroupsLinkClaim), "", {"https://graph.example/"}}});
  EXPECT_TRUE(resolved(claims, rules_with(policy)).warnings.empty());
}

TEST(PolicyIdentity, TimezonesAreThoseOfTheSystem) {
  IdentityRules rules = rules_with(example_policy());
  rules.timezones = std::make_shared<policy::Timezones>("Z Europe/Berlin 1 - CET\nL Europe/Berlin Europe/Here\n");
  const auto with = [](const char* zone) { return claims_with({{"timezone", "", {zone}}}); };
  EXPECT_EQ(resolved(with("Europe/Berlin"), rules).timezone, "Europe/Berlin");
  EXPECT_EQ(resolved(with("Europe/Here"), rules).timezone, "Europe/Here");
  for (const char* wrong : {"europe/berlin", "Europe/Nowhere", "Europe/Berlin ", "+02:00"}) {
    const Identity identity = resolved(with(wrong), rules);
    EXPECT_EQ(identity.timezone, "") << wrong;
    ASSERT_EQ(identity.warnings.size(), 1u) << wrong;
    EXPECT_NE(identity.warnings[0].find("not an IANA name"), std::string::npos);
  }
}

Profile first_profile() {
  Profile profile;
  profile.first_name = "Ada";
  profile.timezone = "Europe/Paris";
  profile.spaces = {{"Trial", "Admin"}, {"Closed", "Admin"}, {"DevOps", "Boss"}};
  return profile;
}

TEST(PolicyIdentity, TheFirstProfileStaysAsFarAsThePolicyKnowsIt) {
  auto policy = example_policy();
  policy->keeps_first_profile = true;
  const policy::Claims claims = claims_with({{"givenName", "", {"Grace"}},
                                             {"email", "", {"new@example.com"}},
                                             {"space_name", "", {"DevOps"}},
                                             {"space_role", "", {"Admin"}},
                                             {"department", "", {"R&D"}}});
  const Profile first = first_profile();
  const Identity identity = resolved(claims, rules_with(policy), &first);
  EXPECT_EQ(identity.first_name, "Ada");
  EXPECT_EQ(identity.timezone, "Europe/Paris");
  EXPECT_EQ(pairs_of(identity), (Texts{"Trial=Admin", "DevOps=Member"}));
  EXPECT_EQ(identity.email, "new@example.com");
  EXPECT_EQ(identity.groups, (Texts{"Engineering"})) << "groups always follow the IdP";
  EXPECT_EQ(identity.profile.first_name, "Grace") << "what this login would set up";
}

TEST(PolicyIdentity, TheFirstProfileCountsOnlyWhereThePolicyKeepsIt) {
  const Profile first = first_profile();
  const policy::Claims claims = claims_with({{"givenName", "", {"Grace"}}});
  EXPECT_EQ(resolved(claims, rules_with(example_policy()), &first).first_name, "Grace");
  EXPECT_EQ(resolved(claims, rules_with(nullptr), &first).first_name, "Grace");
}

// As a space's role does.
TEST(PolicyIdentity, AnAccountRoleThatWasMissingBecomesTheDefaultOfALaterPolicy) {
  auto policy = example_policy();
  policy->keeps_first_profile = true;
  const Profile first = first_profile();
  EXPECT_EQ(resolved(claims_with({}), rules_with(policy), &first).account_role, "");
  policy->account_roles.add("Guest", "nginx.conf:20");
  EXPECT_EQ(resolved(claims_with({}), rules_with(policy), &first).account_role, "");
  policy->account_roles.set_fallback("Guest");
  EXPECT_EQ(resolved(claims_with({}), rules_with(policy), &first).account_role, "Guest");
}

bool says(const policy::Explanation& explanation, const std::string& wanted) {
  const auto is_it = [&](const policy::Decision& decision) {
    return policy::describe(decision).find(wanted) != std::string::npos;
  };
  return std::any_of(explanation.begin(), explanation.end(), is_it);
}

TEST(PolicyIdentity, SaysWhy) {
  auto policy = with_users("# list\nuser u-1 group=Guests group=Engineering;");
  policy->account_roles.add("Member", "nginx.conf:30");
  policy->account_roles.set_fallback("Member");
  policy::Explanation explanation;
  ASSERT_TRUE(policy::resolve_identity(claims_with({{"space_name", "", {"Trial"}},
                                                    {"groups", "", {"my admins"}},
                                                    {"account_role", "", {"Boss"}}}),
                                       rules_with(policy), nullptr, &explanation)
                  .ok());
  EXPECT_TRUE(says(explanation, "user \"u-1\" given: users.conf:2, found by user id"));
  EXPECT_TRUE(says(explanation, "space \"Trial\" given: sent; nginx.conf:2"));
  EXPECT_TRUE(says(explanation, "role \"Trial:Member\" given: the default role; nginx.conf:4"));
  EXPECT_TRUE(says(explanation, "account role \"Boss\" not given: no `account_role` line has it"));
  EXPECT_TRUE(says(explanation, "account role \"Member\" given: the default; nginx.conf:30"));
  EXPECT_TRUE(says(explanation, "group \"Platform\" given"));
  EXPECT_TRUE(says(explanation, "nginx.conf:11"));
  EXPECT_TRUE(says(explanation, "group \"Guests\" given: users.conf:2"));
  EXPECT_TRUE(says(explanation, "with `group_sync on` the group comes from its idp_id and rules alone"));
}

// What was sent of it would only mislead.
TEST(PolicyIdentity, SaysWhatIsKeptOfTheFirstLogin) {
  auto policy = example_policy();
  policy->keeps_first_profile = true;
  policy->account_roles.add("Owner", "nginx.conf:20");
  policy->account_roles.add("Guest", "nginx.conf:21");
  policy->account_roles.set_fallback("Guest");
  const Profile first = first_profile();
  const policy::Claims claims = claims_with({{"space_name", "", {"DevOps,Sent"}},
                                             {"space_role", "", {"Developer,Developer"}},
                                             {"account_role", "", {"Owner"}},
                                             {"timezone", "", {"Europe/Berlin"}},
                                             {"department", "", {"R&D"}}});
  policy::Explanation explanation;
  ASSERT_TRUE(policy::resolve_identity(claims, rules_with(policy), &first, &explanation).ok());
  for (const char* line : {
           "profile \"u-1\" given: `profile first_login`",
           "time zone \"Europe/Paris\" given: kept from the first login",
           "account role \"Guest\" given: the default; nginx.conf:21",
           "space \"Trial\" given: kept from the first login",
           "role \"Trial:Admin\" given: kept from the first login",
           "space \"Closed\" not given: kept from the first login, but the policy no longer knows it",
           "role \"DevOps:Boss\" not given: kept from the first login, but the policy no longer knows it",
           "role \"DevOps:Member\" given: the default; nginx.conf:4",
           "group \"Engineering\" given: map_group",
       }) {
    EXPECT_TRUE(says(explanation, line)) << line;
  }
  for (const char* sent : {"Sent", "Developer", "Owner", "Berlin"}) EXPECT_FALSE(says(explanation, sent)) << sent;
}

// Whatever decides what a user gets changes the digest.
TEST(PolicyDigest, ChangesWithEverythingThatDecides) {
  const auto digest = [](const std::function<void(policy::Policy&, IdentityRules&)>& change) {
    auto policy = example_policy();
    IdentityRules rules;
    change(*policy, rules);
    policy->digest = policy::digest_of(*policy);
    rules.policy = policy;
    return policy::digest_of(rules);
  };
  std::vector<std::uint64_t> digests = {
      digest([](auto&, auto&) {}),
      digest([](auto& p, auto&) { p.spaces.add("New", "x"); }),
      digest([](auto& p, auto&) { p.roles.add("New", "x"); }),
      digest([](auto& p, auto&) { p.roles.set_fallback("Admin"); }),
      digest([](auto& p, auto&) { p.account_roles.add("New", "x"); }),
      digest([](auto& p, auto&) { p.spaces_from = "x"; }),
      digest([](auto& p, auto&) { p.roles_from = "x"; }),
      digest([](auto& p, auto&) { p.groups_from = "x"; }),
      digest([](auto& p, auto&) { p.timezone_from = "x"; }),
      digest([](auto& p, auto&) { p.group_sync = false; }),
      digest([](auto& p, auto&) { p.must_be_listed = true; }),
      digest([](auto& p, auto&) { p.keeps_first_profile = true; }),
      digest([](auto& p, auto&) { p.refuses_overage = true; }),
      digest([](auto& p, auto&) { p.has_one_idp = false; }),
      digest([](auto& p, auto&) { p.users = std::make_shared<policy::UserList>(list_of("")); }),
      digest([](auto& p, auto&) { p.users = std::make_shared<policy::UserList>(list_of("user a;")); }),
      digest([](auto&, auto& r) { r.user_source = "uid"; }),
      digest([](auto&, auto& r) { r.attributes.set("groups", {"x"}); }),
      digest([](auto&, auto& r) { r.attributes.set("groups", {"x", "y"}); }),
      digest([](auto&, auto& r) { (void)r.email_domains.add("example.com"); }),
      digest([](auto&, auto& r) { r.idp_name = "other"; }),
  };
  EXPECT_EQ(digests[0], digest([](auto&, auto&) {}));
  EXPECT_EQ(digests[0], digest([](auto& p, auto&) { p.resolves_on_change = false; })) << "when, not what";
  std::sort(digests.begin(), digests.end());
  EXPECT_EQ(std::adjacent_find(digests.begin(), digests.end()), digests.end());
}

}  // namespace
}  // namespace sallyport::policy_test
