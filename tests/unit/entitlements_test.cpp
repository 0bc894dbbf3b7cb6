#include "policy/entitlements.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace sallyport::policy {

bool operator==(const SpaceRole& a, const SpaceRole& b) {
  return a.space == b.space && a.role == b.role;
}

void PrintTo(const SpaceRole& pair, std::ostream* out) { *out << pair.space << '=' << pair.role; }

namespace {

using Items = std::vector<std::string>;
using Pairs = std::vector<SpaceRole>;

struct SplitCase {
  const char* name;
  Items values;
  Items expected;
};

class SplitTest : public ::testing::TestWithParam<SplitCase> {};

TEST_P(SplitTest, GivesItemsInOrder) {
  EXPECT_EQ(split_items(GetParam().values), GetParam().expected);
}

const SplitCase kSplitCases[] = {
    {"NoValue", {}, {}},
    {"OneEmptyValue", {""}, {}},
    {"OnlyBlanks", {" \t", "\r\n"}, {}},
    {"One", {"Trial"}, {"Trial"}},
    {"CommaSeparated", {"Trial,DevOps"}, {"Trial", "DevOps"}},
    {"MultiValued", {"Trial", "DevOps"}, {"Trial", "DevOps"}},
    {"Both", {"A,B", "C"}, {"A", "B", "C"}},
    {"Trimmed", {" A ,\tB\n"}, {"A", "B"}},
    {"InnerBlanksStay", {"Space  Admin"}, {"Space  Admin"}},
    {"EmptyInTheMiddleCounts", {"A,,B"}, {"A", "", "B"}},
    {"EmptyAtTheEndsCounts", {",A,"}, {"", "A", ""}},
    {"EmptyValueBesideOthersCounts", {"A", "", "B"}, {"A", "", "B"}},
    {"CommaAlone", {","}, {"", ""}},
    {"CaseStays", {"trial,TRIAL"}, {"trial", "TRIAL"}},
};

INSTANTIATE_TEST_SUITE_P(Entitlements, SplitTest, ::testing::ValuesIn(kSplitCases),
                         [](const auto& test) { return std::string(test.param.name); });

KnownNames known_names(const Items& names, const std::string& fallback) {
  KnownNames known;
  for (const std::string& name : names) known.add(name, "nginx.conf:" + std::to_string(name.size()));
  known.set_fallback(fallback);
  return known;
}

const Items kSpaceNames = {"Trial", "DevOps", "Ops"};
const Items kRoleNames = {"Admin", "Developer", "Member"};
const KnownNames kSpaces = known_names(kSpaceNames, "");
const KnownNames kRoles = known_names(kRoleNames, "Member");
const KnownNames kRolesNoDefault = known_names(kRoleNames, "");
const KnownNames kAny{};

struct PairCase {
  const char* name;
  Items spaces;
  Items roles;
  const KnownNames* known_spaces;
  const KnownNames* known_roles;
  Pairs expected;
};

class PairTest : public ::testing::TestWithParam<PairCase> {};

TEST_P(PairTest, FollowsTheRules) {
  const PairCase& test = GetParam();
  EXPECT_EQ(pair_spaces_with_roles(test.spaces, test.roles, *test.known_spaces, *test.known_roles),
            test.expected);
}

const PairCase kPairCases[] = {
    {"Rule1_RoleIBelongsToSpaceI",
     {"Trial", "DevOps"}, {"Admin", "Developer"}, &kSpaces, &kRoles,
     {{"Trial", "Admin"}, {"DevOps", "Developer"}}},
    {"Rule1_OneAndOne", {"Trial"}, {"Admin"}, &kSpaces, &kRoles, {{"Trial", "Admin"}}},
    {"Rule2_OneRoleHoldsInAll",
     {"Trial", "DevOps", "Ops"}, {"Admin"}, &kSpaces, &kRoles,
     {{"Trial", "Admin"}, {"DevOps", "Admin"}, {"Ops", "Admin"}}},
    {"Rule2_UnknownSpacesCountAsSeveral",
     {"Nowhere", "DevOps"}, {"Admin"}, &kSpaces, &kRoles, {{"DevOps", "Admin"}}},
    {"Rule2_AnUnknownOneIsTheDefaultInAll",
     {"Trial", "DevOps"}, {"Boss"}, &kSpaces, &kRoles, {{"Trial", "Member"}, {"DevOps", "Member"}}},
    {"Rule3_FirstValidRole",
     {"Trial", "Trial"}, {"Developer", "Admin"}, &kSpaces, &kRoles, {{"Trial", "Developer"}}},
    {"Rule3_AnUnknownRoleIsPassedOver",
     {"Trial", "DevOps", "Trial"}, {"Boss", "Developer", "Admin"}, &kSpaces, &kRoles,
     {{"Trial", "Admin"}, {"DevOps", "Developer"}}},
    {"Rule3_NoneValidIsTheDefault",
     {"Trial", "Trial"}, {"Boss", "Chief"}, &kSpaces, &kRoles, {{"Trial", "Member"}}},
    {"Rule4_UnknownRoleIsTheDefault",
     {"Trial", "DevOps"}, {"Boss", "Admin"}, &kSpaces, &kRoles,
     {{"Trial", "Member"}, {"DevOps", "Admin"}}},
    {"Rule4_CaseMatters", {"Trial"}, {"admin"}, &kSpaces, &kRoles, {{"Trial", "Member"}}},
    {"Rule4_WithoutDefaultTheRoleIsEmpty",
     {"Trial"}, {"Boss"}, &kSpaces, &kRolesNoDefault, {{"Trial", ""}}},
    {"Rule5_ExtraSpacesGetTheDefault",
     {"Trial", "DevOps", "Ops"}, {"Admin", "Developer"}, &kSpaces, &kRoles,
     {{"Trial", "Admin"}, {"DevOps", "Developer"}, {"Ops", "Member"}}},
    {"Rule5_NoRoleAtAll",
     {"Trial", "DevOps"}, {}, &kSpaces, &kRoles, {{"Trial", "Member"}, {"DevOps", "Member"}}},
    {"Rule5_NoRoleNoDefault", {"Trial"}, {}, &kSpaces, &kRolesNoDefault, {{"Trial", ""}}},
    {"Rule6_ExtraRolesAreIgnored",
     {"Trial"}, {"Developer", "Admin", "Admin"}, &kSpaces, &kRoles, {{"Trial", "Developer"}}},
    {"Rule6_RolesWithoutSpaces", {}, {"Admin"}, &kSpaces, &kRoles, {}},
    {"Rule7_AnUnknownSpaceGoesWithItsRole",
     {"Nowhere", "DevOps"}, {"Admin", "Developer"}, &kSpaces, &kRoles, {{"DevOps", "Developer"}}},
    {"Rule7_CaseMatters", {"trial"}, {"Admin"}, &kSpaces, &kRoles, {}},
    {"Rule8_AnySpace", {"Nowhere"}, {"Admin"}, &kAny, &kRoles, {{"Nowhere", "Admin"}}},
    {"Rule8_AnyRole", {"Trial"}, {"Boss"}, &kSpaces, &kAny, {{"Trial", "Boss"}}},
    {"Empty_SpaceIsUnknownEvenWhereAnyIsKnown",
     {"", "DevOps"}, {"Admin", "Developer"}, &kAny, &kAny, {{"DevOps", "Developer"}}},
    {"Empty_RoleIsUnknown",
     {"Trial", "DevOps"}, {"", "Admin"}, &kSpaces, &kRoles,
     {{"Trial", "Member"}, {"DevOps", "Admin"}}},
    {"Empty_RoleIsUnknownEvenWhereAnyIsKnown",
     {"Trial", "Trial"}, {"", "Boss"}, &kSpaces, &kAny, {{"Trial", "Boss"}}},
    {"Empty_RolesCountSoRule2DoesNotApply",
     {"Trial", "DevOps"}, {"Admin", ""}, &kSpaces, &kRoles,
     {{"Trial", "Admin"}, {"DevOps", "Member"}}},
    {"OrderIsThatOfFirstAppearance",
     {"DevOps", "Trial", "DevOps"}, {"Boss", "Admin", "Developer"}, &kSpaces, &kRoles,
     {{"DevOps", "Developer"}, {"Trial", "Admin"}}},
};

INSTANTIATE_TEST_SUITE_P(Entitlements, PairTest, ::testing::ValuesIn(kPairCases),
                         [](const auto& test) { return std::string(test.param.name); });

// The rules a second time, one space at a time and as naively as they are written.
bool known(const std::string& name, const KnownNames& names) {
  if (name == "") return false;
  if (&names == &kAny) return true;
  const Items& list = &names == &kSpaces ? kSpaceNames : kRoleNames;
  return std::count(list.begin(), list.end(), name) > 0;
}

std::string naive_role(const std::string& space, const Items& spaces, const Items& roles,
                       const KnownNames& known_roles) {
  for (std::size_t i = 0; i < spaces.size(); ++i) {
    if (spaces[i] != space) continue;
    Items padded = roles;
    if (spaces.size() >= 2 && roles.size() == 1) padded.assign(spaces.size(), roles[0]);
    padded.resize(std::max(padded.size(), spaces.size()));
    if (known(padded[i], known_roles)) return padded[i];
  }
  return &known_roles == &kRoles ? "Member" : "";
}

Pairs naive_pairs(const Items& spaces, const Items& roles, const KnownNames& known_spaces,
                  const KnownNames& known_roles) {
  Pairs pairs;
  for (const std::string& space : spaces) {
    const auto is_same = [&](const SpaceRole& pair) { return pair.space == space; };
    if (!known(space, known_spaces) || std::any_of(pairs.begin(), pairs.end(), is_same)) continue;
    pairs.push_back({space, naive_role(space, spaces, roles, known_roles)});
  }
  return pairs;
}

Items random_items(std::mt19937& random, const Items& pool) {
  Items items(random() % 7);
  for (std::string& item : items) item = pool[random() % pool.size()];
  return items;
}

TEST(EntitlementsProperty, EqualsTheNaiveStatementOfTheRules) {
  const Items space_pool = {"Trial", "DevOps", "Ops", "Nowhere", "trial", ""};
  const Items role_pool = {"Admin", "Developer", "Member", "Boss", "admin", ""};
  const KnownNames* space_sets[] = {&kSpaces, &kAny};
  const KnownNames* role_sets[] = {&kRoles, &kRolesNoDefault, &kAny};
  std::mt19937 random(20260101);
  for (int i = 0; i < 20000; ++i) {
    const Items spaces = random_items(random, space_pool);
    const Items roles = random_items(random, role_pool);
    const KnownNames& known_spaces = *space_sets[random() % 2];
    const KnownNames& known_roles = *role_sets[random() % 3];
    ASSERT_EQ(pair_spaces_with_roles(spaces, roles, known_spaces, known_roles),
              naive_pairs(spaces, roles, known_spaces, known_roles))
        << ::testing::PrintToString(spaces) << ::testing::PrintToString(roles);
  }
}

TEST(EntitlementsTest, ManyDifferentSpacesStayLinear) {
  Items spaces;
  for (int i = 0; i < 100000; ++i) spaces.push_back("space " + std::to_string(i));
  EXPECT_EQ(pair_spaces_with_roles(spaces, {"Admin"}, kAny, kAny).size(), spaces.size());
}

std::vector<std::string> lines_of(const Explanation& explanation) {
  std::vector<std::string> lines;
  for (const Decision& decision : explanation) {
    const char* kind = decision.subject == Subject::kSpace ? "space " : "role ";
    lines.push_back(kind + decision.name + (decision.given ? " given: " : " not given: ") + decision.why);
  }
  return lines;
}

TEST(EntitlementsTest, SaysWhyOfEachItem) {
  Explanation explanation;
  pair_spaces_with_roles({"Trial", "Nowhere", "DevOps", "Trial", "Ops"}, {"Boss", "Admin", "Admin", "Developer"},
                         kSpaces, kRoles, &explanation);
  EXPECT_EQ(lines_of(explanation),
            (Items{"space Trial given: sent; nginx.conf:5",
                   "role Trial:Boss not given: no `role` line has it",
                   "role Trial:Member given: the default role; nginx.conf:6",
                   "space Nowhere not given: no `space` line has it; the role at its position is ignored",
                   "space DevOps given: sent; nginx.conf:6",
                   "role DevOps:Admin given: sent at the space's position; nginx.conf:5",
                   "space Trial given: sent; nginx.conf:5",
                   "role Trial:Developer given: sent at the space's position; nginx.conf:9",
                   "space Ops given: sent; nginx.conf:3",
                   "role Ops: not given: no role was sent at the space's position",
                   "role Ops:Member given: the default role; nginx.conf:6"}));
}

TEST(EntitlementsTest, SaysWhyOfRolesLeftOver) {
  Explanation explanation;
  pair_spaces_with_roles({"Trial"}, {"Admin", "Boss"}, kAny, kAny, &explanation);
  ASSERT_EQ(explanation.size(), 3u);
  EXPECT_EQ(lines_of(explanation)[2], "role :Boss not given: more roles than spaces were sent");
}

}  // namespace
}  // namespace sallyport::policy
