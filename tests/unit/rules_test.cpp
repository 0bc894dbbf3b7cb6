#include "policy/rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::policy {
namespace {

using namespace std::string_literals;

using Texts = std::vector<std::string>;
using Attributes = std::vector<saml::Attribute>;

// A `group` or a `map_group` line, of groups by name.
struct GroupLine {
  std::string name;
  Texts ids;
};
struct RuleLine {
  std::string attribute;
  Condition condition;
  std::string value;
  std::string group;
};

// Places are "policy:1", "policy:2", ... in the order of the lines.
GroupRules rules_of(const std::vector<GroupLine>& groups, const std::vector<RuleLine>& lines) {
  GroupRules rules;
  int line = 0;
  for (const GroupLine& group : groups) {
    const std::string place = "policy:" + std::to_string(++line);
    const auto number = rules.add_group(group.name, place);
    for (const std::string& id : group.ids) rules.add_idp_id(*number, id, place);
  }
  for (const RuleLine& rule : lines) {
    rules.add_rule(rule.attribute, rule.condition, rule.value, *rules.find_group(rule.group),
                   "policy:" + std::to_string(++line));
  }
  rules.compile();
  return rules;
}

Texts names(const GroupRules& rules, const Attributes& attributes, Explanation* explanation = nullptr,
            std::string_view groups_from = "groups") {
  Texts found;
  for (const std::uint32_t group : rules.match(AttributeMap(), attributes, groups_from, explanation)) {
    found.emplace_back(rules.name(group));
  }
  return found;
}

saml::Attribute sent(const std::string& name, Texts values) { return {name, "", std::move(values)}; }

constexpr Condition kExact = Condition::kExact;
constexpr Condition kContains = Condition::kContains;

const std::string kGuid = "3f2b0c1e-9a7d-4c55-8e10-00ffaabbccdd";
const std::string kGuidUpper = "3F2B0C1E-9A7D-4C55-8E10-00FFAABBCCDD";
const std::string kMegabyte(1 << 20, 'x');

struct MatchCase {
  const char* name;
  std::vector<GroupLine> groups;
  std::vector<RuleLine> rules;
  Attributes attributes;
  Texts expected;
};

class MatchTest : public ::testing::TestWithParam<MatchCase> {};

TEST_P(MatchTest, GivesTheGroups) {
  const MatchCase& test = GetParam();
  const GroupRules rules = rules_of(test.groups, test.rules);
  EXPECT_EQ(names(rules, test.attributes), test.expected);
  Explanation explanation;
  EXPECT_EQ(names(rules, test.attributes, &explanation), test.expected);
  Texts explained;
  for (const Decision& decision : explanation) {
    EXPECT_EQ(decision.subject, Subject::kGroup);
    if (decision.given) explained.push_back(decision.name);
  }
  EXPECT_EQ(explained, test.expected);
  EXPECT_EQ(explanation.size(), test.groups.size());
}

const MatchCase kMatchCases[] = {
    {"NoLines", {}, {}, {sent("groups", {"Ops"})}, {}},
    {"NothingSent", {{"Ops", {"ops"}}}, {{"department", kExact, "x", "Ops"}}, {}, {}},
    {"NoValues", {{"Ops", {"ops"}}}, {{"groups", kContains, "o", "Ops"}}, {sent("groups", {})}, {}},
    {"AnIdpId", {{"Ops", {"ops-id"}}}, {}, {sent("groups", {"ops-id"})}, {"Ops"}},
    {"OneOfSeveralIds", {{"Ops", {"a", "b"}}}, {}, {sent("groups", {"b"})}, {"Ops"}},
    {"OneOfSeveralValues", {{"Ops", {"ops-id"}}}, {}, {sent("groups", {"x", "ops-id", "y"})}, {"Ops"}},
    {"OneIdOfSeveralGroups", {{"A", {"id"}}, {"B", {}}, {"C", {"id"}}}, {}, {sent("groups", {"id"})},
     {"A", "C"}},
    {"NeverByItsOwnName", {{"Ops", {"ops-id"}}, {"Dev", {}}}, {}, {sent("groups", {"Ops", "Dev"})}, {}},
    {"AnIdThatIsAnothersName", {{"A", {"B"}}, {"B", {"b"}}}, {}, {sent("groups", {"B"})}, {"A"}},
    {"IdsLookAtGroupsFromOnly", {{"Ops", {"id"}}}, {}, {sent("department", {"id"})}, {}},
    {"IdsAreCaseSensitive", {{"Ops", {"ops-id"}}}, {}, {sent("groups", {"OPS-ID", "Ops-id"})}, {}},
    {"IdsAreNotTrimmed", {{"Ops", {"id"}}}, {}, {sent("groups", {" id", "id ", "id\n"})}, {}},
    {"GuidSentInUpperCase", {{"Ops", {kGuid}}}, {}, {sent("groups", {kGuidUpper})}, {"Ops"}},
    {"GuidWrittenInUpperCase", {{"Ops", {kGuidUpper}}}, {}, {sent("groups", {kGuid})}, {"Ops"}},
    {"GuidTooShort", {{"Ops", {kGuid.substr(1)}}}, {}, {sent("groups", {kGuidUpper.substr(1)})}, {}},
    {"GuidTooLong", {{"Ops", {kGuid + "a"}}}, {}, {sent("groups", {kGuidUpper + "A"})}, {}},
    {"GuidInBraces", {{"Ops", {"{" + kGuid + "}"}}}, {}, {sent("groups", {"{" + kGuidUpper + "}"})}, {}},
    {"GuidInARuleIsCaseSensitive", {{"A", {}}, {"B", {}}},
     {{"groups", kExact, kGuid, "A"}, {"groups", kContains, kGuid, "B"}},
     {sent("groups", {kGuidUpper})}, {}},
    {"ValuesAreNotSplit", {{"Ops", {"a"}}, {"Dev", {"b"}}, {"Both", {"a,b"}}}, {}, {sent("groups", {"a,b"})},
     {"Both"}},
    {"LdapNames", {{"Ops", {"CN=ops,OU=it,DC=example"}}}, {{"groups", kContains, "OU=it,", "Ops"}},
     {sent("groups", {"CN=ops,OU=it,DC=example"})}, {"Ops"}},
    {"Exact", {{"Eng", {}}}, {{"department", kExact, "R&D", "Eng"}}, {sent("department", {"R&D"})}, {"Eng"}},
    {"ExactIsTheWholeValue", {{"Eng", {}}}, {{"department", kExact, "R&D", "Eng"}},
     {sent("department", {"R&D ", " R&D", "R&D2", "R", "r&d"})}, {}},
    {"ExactOverEveryValue", {{"Eng", {}}}, {{"department", kExact, "R&D", "Eng"}},
     {sent("department", {"IT", "R&D"})}, {"Eng"}},
    {"ExactWithBlanks", {{"Eng", {}}}, {{"department", kExact, " R&D", "Eng"}},
     {sent("department", {" R&D"})}, {"Eng"}},
    {"Contains", {{"Adm", {}}}, {{"groups", kContains, "admin", "Adm"}}, {sent("groups", {"sysadmins"})},
     {"Adm"}},
    {"ContainsIsCaseSensitive", {{"Adm", {}}}, {{"groups", kContains, "admin", "Adm"}},
     {sent("groups", {"Admin", "ADMIN"})}, {}},
    {"ContainsNeverCrossesValues", {{"Adm", {}}}, {{"groups", kContains, "admin", "Adm"}},
     {sent("groups", {"ad", "min"})}, {}},
    {"ContainsAnEqualsSign", {{"Adm", {}}}, {{"groups", kContains, "=admin,", "Adm"}},
     {sent("groups", {"CN=admin,DC=example"})}, {"Adm"}},
    {"OnePatternForSeveralGroups", {{"A", {}}, {"B", {}}, {"C", {}}},
     {{"groups", kContains, "x", "C"}, {"groups", kContains, "x", "A"}},
     {sent("groups", {"axb"})}, {"A", "C"}},
    {"PatternsInsideEachOther", {{"A", {}}, {"B", {}}, {"C", {}}},
     {{"groups", kContains, "admin", "A"}, {"groups", kContains, "sysadmin", "B"},
      {"groups", kContains, "min", "C"}},
     {sent("groups", {"admin", "sysadmin"})}, {"A", "B", "C"}},
    {"OneValueForBothConditions", {{"A", {}}, {"B", {}}},
     {{"groups", kExact, "x", "A"}, {"groups", kContains, "x", "B"}}, {sent("groups", {"x"})}, {"A", "B"}},
    {"TheSameTextInAnotherAttribute", {{"A", {}}, {"B", {}}},
     {{"department", kExact, "x", "A"}, {"title", kExact, "x", "B"}}, {sent("title", {"x"})}, {"B"}},
    {"TheUnion", {{"A", {"id"}}, {"B", {}}, {"C", {}}, {"D", {}}},
     {{"department", kExact, "x", "C"}, {"groups", kContains, "d", "B"}},
     {sent("department", {"x"}), sent("groups", {"id"})}, {"A", "B", "C"}},
    {"EachGroupOnce", {{"A", {"i", "j"}}}, {{"groups", kExact, "i", "A"}, {"groups", kContains, "j", "A"}},
     {sent("groups", {"i", "j", "i"})}, {"A"}},
    {"AscendingWhateverTheOrderOfValues", {{"A", {"a"}}, {"B", {"b"}}, {"C", {"c"}}}, {},
     {sent("groups", {"c", "b", "a"})}, {"A", "B", "C"}},
    {"AttributesByAlias", {{"A", {"id"}}, {"B", {}}}, {{"department", kExact, "x", "B"}},
     {sent("memberOf", {"id"}), sent("urn:oid:2.5.4.11", {"x"})}, {"A", "B"}},
    {"AttributesByName", {{"B", {}}}, {{"urn:custom", kExact, "x", "B"}}, {sent("urn:custom", {"x"})}, {"B"}},
    {"EmptyValuesMatchNothing", {{"A", {""}}, {"B", {}}, {"C", {}}},
     {{"groups", kExact, "", "B"}, {"groups", kContains, "", "C"}}, {sent("groups", {"", "x"})}, {}},
    {"NulBytes", {{"A", {"a\0b"s}}, {"B", {"a"}}, {"C", {}}, {"D", {}}},
     {{"groups", kContains, "\0b"s, "C"}, {"groups", kExact, "a", "D"}},
     {sent("groups", {"a\0b"s})}, {"A", "C"}},
    {"FourByteCharacters", {{"A", {"\xF0\x9F\x9A\xA2"}}, {"B", {}}, {"C", {}}},
     {{"groups", kContains, "\xF0\x9F\x9A\xA2", "B"}, {"groups", kContains, "\xF0\x9F\x9A\xA3", "C"}},
     {sent("groups", {"\xF0\x9F\x9A\xA2"})}, {"A", "B"}},
    {"InvalidUtf8", {{"A", {"\xFF"}}, {"B", {}}}, {{"groups", kContains, "\xC3", "B"}},
     {sent("groups", {"\xFF", "\xC3"})}, {"A", "B"}},
    {"ValuesOfAMegabyte", {{"A", {}}, {"B", {}}},
     {{"groups", kExact, kMegabyte, "A"}, {"groups", kContains, "xxxy", "B"}},
     {sent("groups", {kMegabyte, kMegabyte + "y"})}, {"A", "B"}},
};

INSTANTIATE_TEST_SUITE_P(Rules, MatchTest, ::testing::ValuesIn(kMatchCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(GroupRulesTest, NumbersGroupsInOrder) {
  GroupRules rules;
  EXPECT_FALSE(rules.has_groups());
  EXPECT_EQ(rules.add_group("Ops", "policy:1"), 0u);
  EXPECT_EQ(rules.add_group("Dev", "policy:2"), 1u);
  EXPECT_EQ(rules.add_group("Ops", "policy:3"), std::nullopt);
  EXPECT_TRUE(rules.has_groups());
  EXPECT_EQ(rules.group_count(), 2u);
  EXPECT_EQ(rules.find_group("Dev"), 1u);
  EXPECT_EQ(rules.find_group("dev"), std::nullopt);
  EXPECT_EQ(rules.name(0), "Ops");
  EXPECT_EQ(rules.place(0), "policy:1");
  EXPECT_EQ(rules.place(1), "policy:2");
}

TEST(GroupRulesTest, RefusesARepeatedId) {
  GroupRules rules;
  rules.add_group("Ops", "policy:1");
  rules.add_group("Dev", "policy:2");
  EXPECT_TRUE(rules.add_idp_id(0, "id", "policy:1"));
  EXPECT_FALSE(rules.add_idp_id(0, "id", "policy:1"));
  EXPECT_TRUE(rules.add_idp_id(1, "id", "policy:2"));
  EXPECT_TRUE(rules.add_idp_id(0, "ID", "policy:1"));
  EXPECT_TRUE(rules.add_idp_id(0, kGuid, "policy:1"));
  EXPECT_FALSE(rules.add_idp_id(0, kGuidUpper, "policy:1"));
}

TEST(GroupRulesTest, RefusesARepeatedRule) {
  GroupRules rules;
  rules.add_group("Ops", "policy:1");
  rules.add_group("Dev", "policy:2");
  EXPECT_TRUE(rules.add_rule("department", kExact, "x", 0, "policy:3"));
  EXPECT_FALSE(rules.add_rule("department", kExact, "x", 0, "policy:4"));
  EXPECT_TRUE(rules.add_rule("department", kContains, "x", 0, "policy:5"));
  EXPECT_TRUE(rules.add_rule("department", kExact, "y", 0, "policy:6"));
  EXPECT_TRUE(rules.add_rule("department", kExact, "x", 1, "policy:7"));
  EXPECT_TRUE(rules.add_rule("Department", kExact, "x", 0, "policy:8"));
  EXPECT_FALSE(rules.add_rule("department", kContains, "x", 0, "policy:9"));
}

TEST(GroupRulesTest, AManualGroupHasNeitherIdsNorRules) {
  const GroupRules rules = rules_of({{"A", {"id"}}, {"B", {}}, {"C", {}}, {"D", {""}}, {"E", {}}},
                                    {{"department", kExact, "x", "B"}, {"department", kContains, "", "E"}});
  EXPECT_FALSE(rules.is_manual(0));
  EXPECT_FALSE(rules.is_manual(1));
  EXPECT_TRUE(rules.is_manual(2));
  EXPECT_FALSE(rules.is_manual(3));
  EXPECT_FALSE(rules.is_manual(4));
}

TEST(GroupRulesTest, GroupsFromIsAnAliasOrAName) {
  const GroupRules rules = rules_of({{"A", {"x"}}}, {});
  const Attributes attributes = {sent("department", {"x"}), sent("urn:custom", {"x"}), sent("groups", {"y"})};
  EXPECT_EQ(names(rules, attributes, nullptr, "department"), Texts{"A"});
  EXPECT_EQ(names(rules, attributes, nullptr, "urn:custom"), Texts{"A"});
  EXPECT_EQ(names(rules, attributes, nullptr, "groups"), Texts{});
  EXPECT_EQ(names(rules, attributes, nullptr, "urn:other"), Texts{});
}

TEST(GroupRulesTest, EveryCallComputesAnew) {
  const GroupRules rules = rules_of({{"A", {"a"}}, {"B", {}}}, {{"groups", kContains, "b", "B"}});
  EXPECT_EQ(names(rules, {sent("groups", {"a", "b"})}), (Texts{"A", "B"}));
  EXPECT_EQ(names(rules, {sent("groups", {"b"})}), Texts{"B"});
  EXPECT_EQ(names(rules, {}), Texts{});
}

TEST(GroupRulesTest, AMovedOneStandsByItself) {
  GroupRules rules = rules_of({{"A", {"a"}}, {"B", {}}}, {{"groups", kContains, "b", "B"}});
  const GroupRules copy = rules;
  const GroupRules moved = std::move(rules);
  for (const GroupRules* each : {&copy, &moved}) {
    EXPECT_EQ(names(*each, {sent("groups", {"a", "b"})}), (Texts{"A", "B"}));
  }
}

TEST(GroupRulesTest, ManyEqualIdsAndValuesStayLinear) {
  GroupRules rules;
  for (int i = 0; i < 100000; ++i) rules.add_idp_id(*rules.add_group(std::to_string(i), ""), "id", "");
  rules.compile();
  const Attributes attributes = {sent("groups", Texts(100000, "id"))};
  EXPECT_EQ(rules.match(AttributeMap(), attributes, "groups", nullptr).size(), 100000u);
}

TEST(GroupRulesTest, ManyNestedPatternsAndValuesStayLinear) {
  GroupRules rules;
  for (std::size_t i = 1; i <= 2000; ++i) {
    rules.add_rule("groups", kContains, std::string(i, 'a'), *rules.add_group(std::to_string(i), ""), "");
  }
  rules.compile();
  const Attributes attributes = {sent("groups", Texts(1000, std::string(4000, 'a')))};
  EXPECT_EQ(rules.match(AttributeMap(), attributes, "groups", nullptr).size(), 2000u);
}

TEST(GroupRulesTest, ManyRuleAttributesStayLinear) {
  GroupRules rules;
  rules.add_group("A", "");
  for (int i = 0; i < 20000; ++i) rules.add_rule("attribute " + std::to_string(i), kContains, "x", 0, "");
  rules.compile();
  EXPECT_EQ(names(rules, {sent("attribute 19999", {"x"})}), Texts{"A"});
}

struct ExplainCase {
  const char* name;
  Attributes attributes;
  bool given;
  std::string why;
};

class ExplainTest : public ::testing::TestWithParam<ExplainCase> {};

TEST_P(ExplainTest, NamesTheFirstLineAndValue) {
  const GroupRules rules = rules_of({{"Ops", {"id", "other"}}}, {{"groups", kContains, "adm", "Ops"},
                                                                 {"department", kExact, "IT", "Ops"},
                                                                 {"groups", kExact, "sysadmins", "Ops"}});
  Explanation explanation;
  names(rules, GetParam().attributes, &explanation);
  ASSERT_EQ(explanation.size(), 1u);
  EXPECT_EQ(explanation[0].subject, Subject::kGroup);
  EXPECT_EQ(explanation[0].name, "Ops");
  EXPECT_EQ(explanation[0].given, GetParam().given);
  EXPECT_EQ(explanation[0].why, GetParam().why);
}

const ExplainCase kExplainCases[] = {
    {"Nothing", {sent("groups", {"x"})}, false, "no idp_id and no map_group line of it matches"},
    {"NothingSent", {}, false, "no idp_id and no map_group line of it matches"},
    {"AnId", {sent("groups", {"x", "other"})}, true,
     "the idp_id at policy:1 is a value of groups: \"other\""},
    {"TheFirstIdWhateverTheValues", {sent("groups", {"other", "id"})}, true,
     "the idp_id at policy:1 is a value of groups: \"id\""},
    {"AnIdBeforeARule", {sent("groups", {"admin", "other"})}, true,
     "the idp_id at policy:1 is a value of groups: \"other\""},
    {"Contains", {sent("groups", {"x", "sysadmins", "admin"}), sent("department", {"IT"})}, true,
     "map_group at policy:2: groups contains \"adm\", in \"sysadmins\""},
    {"Exact", {sent("department", {"HR", "IT"})}, true, "map_group at policy:3: department is \"IT\""},
    {"CutAt128Bytes", {sent("groups", {"adm" + kMegabyte})}, true,
     "map_group at policy:2: groups contains \"adm\", in \"adm" + std::string(125, 'x') + "...\""},
};

INSTANTIATE_TEST_SUITE_P(Rules, ExplainTest, ::testing::ValuesIn(kExplainCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(GroupRulesTest, ExplainsEveryGroupInOrder) {
  const GroupRules rules = rules_of({{"A", {"a"}}, {"B", {}}, {"C", {"c"}}}, {});
  Explanation explanation = {{Subject::kSpace, "Trial", true, "before"}};
  names(rules, {sent("groups", {"c"})}, &explanation);
  ASSERT_EQ(explanation.size(), 4u);
  EXPECT_EQ(explanation[1].name, "A");
  EXPECT_EQ(explanation[2].name, "B");
  EXPECT_EQ(explanation[2].why, "it has neither an idp_id nor a map_group line");
  EXPECT_EQ(explanation[3].name, "C");
  EXPECT_TRUE(explanation[3].given);
}

std::string digest_input(const std::vector<GroupLine>& groups, const std::vector<RuleLine>& lines) {
  std::string out;
  rules_of(groups, lines).append_digest_input(out);
  return out;
}

TEST(GroupRulesDigestTest, EqualLinesAreEqualWhereverTheyStand) {
  GroupRules a;
  a.add_group("A", "one:1");
  a.add_idp_id(0, kGuid, "one:1");
  a.add_group("B", "one:2");
  a.add_rule("department", kExact, "x", 1, "one:3");
  a.compile();
  GroupRules b;
  b.add_group("A", "two:10");
  b.add_group("B", "two:20");
  b.add_rule("department", kExact, "x", 1, "two:30");
  b.add_rule("department", kExact, "x", 1, "two:40");
  b.add_idp_id(0, kGuidUpper, "two:50");
  std::string of_a = "before";
  std::string of_b = "before";
  a.append_digest_input(of_a);
  b.append_digest_input(of_b);
  EXPECT_EQ(of_a, of_b);
  EXPECT_EQ(of_a.substr(0, 6), "before");
}

// The encoding of one rule: three numbers of 8 bytes, "groups", "B" and the condition.
std::string encoded_rule() {
  const std::string all = digest_input({{"A", {}}}, {{"groups", kExact, "B", "A"}});
  return all.substr(all.size() - (3 * 8 + 6 + 1 + 1));
}

TEST(GroupRulesDigestTest, WhateverHasAMeaningChangesIt) {
  const std::string variants[] = {
      digest_input({}, {}),
      digest_input({{"A", {}}}, {}),
      digest_input({{"A", {}}, {"B", {}}}, {}),
      digest_input({{"B", {}}, {"A", {}}}, {}),
      digest_input({{"AB", {}}}, {}),
      digest_input({{"A", {"B"}}}, {}),
      digest_input({{"A", {"b"}}}, {}),
      digest_input({{"A", {"B", "C"}}}, {}),
      digest_input({{"A", {"BC"}}}, {}),
      digest_input({{"A", {encoded_rule()}}}, {}),
      digest_input({{"A", {"B"}}, {"C", {}}}, {}),
      digest_input({{"A", {}}, {"C", {"B"}}}, {}),
      digest_input({{"A", {}}}, {{"groups", kExact, "B", "A"}}),
      digest_input({{"A", {}}}, {{"groups", kContains, "B", "A"}}),
      digest_input({{"A", {}}}, {{"group", kExact, "sB", "A"}}),
      digest_input({{"A", {}}}, {{"groups", kExact, "B\0"s, "A"}}),
      digest_input({{"A", {}}}, {{"groups", kExact, kGuid, "A"}}),
      digest_input({{"A", {}}}, {{"groups", kExact, kGuidUpper, "A"}}),
      digest_input({{"A", {}}, {"C", {}}}, {{"groups", kExact, "B", "A"}}),
      digest_input({{"A", {}}, {"C", {}}}, {{"groups", kExact, "B", "C"}}),
  };
  for (const std::string& a : variants) {
    EXPECT_EQ(std::count(std::begin(variants), std::end(variants), a), 1) << ::testing::PrintToString(a);
    for (const std::string& b : variants) {
      // No encoding continues another: what is appended behind cannot be taken for a part of it.
      EXPECT_TRUE(&a == &b || b.substr(0, a.size()) != a);
    }
  }
}

}  // namespace
}  // namespace sallyport::policy
