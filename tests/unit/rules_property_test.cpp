// Group rules against a statement of them that is as naive as they are written.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <random>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "policy/rules.h"

namespace sallyport::policy {
namespace {

using namespace std::string_literals;

using Texts = std::vector<std::string>;

const AttributeMap kMap;

enum class Kind { kId, kExact, kContains };

struct Line {
  Kind kind;
  std::string attribute;
  std::string text;
  std::uint32_t group;
  std::string place;
};

struct Policy {
  std::uint32_t groups = 0;
  std::vector<Line> lines;
};

// Whether the text is 8-4-4-4-12 hexadecimal digits.
bool looks_like_guid(std::string text) {
  for (char& c : text) {
    if (std::isxdigit(static_cast<unsigned char>(c))) c = 'x';
  }
  return text == "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
}

bool matches(const Line& line, const std::string& value) {
  if (line.text.empty()) return false;
  if (line.kind == Kind::kContains) return value.find(line.text) != std::string::npos;
  if (line.kind == Kind::kId && looks_like_guid(line.text)) {
    return ascii_lower(value) == ascii_lower(line.text);
  }
  return value == line.text;
}

// The first value that the line matches; null when none does.
const std::string* first_match(const Line& line, const std::vector<saml::Attribute>& attributes,
                               std::string_view groups_from) {
  const std::string_view source = line.kind == Kind::kId ? groups_from : line.attribute;
  const saml::Attribute* attribute = kMap.find(attributes, source);
  if (attribute == nullptr) return nullptr;
  for (const std::string& value : attribute->values) {
    if (matches(line, value)) return &value;
  }
  return nullptr;
}

const Line* first_line(const Policy& policy, std::uint32_t group,
                       const std::vector<saml::Attribute>& attributes, std::string_view groups_from) {
  for (const Line& line : policy.lines) {
    if (line.group == group && first_match(line, attributes, groups_from) != nullptr) return &line;
  }
  return nullptr;
}

template <class T>
const T& any_of(std::mt19937& random, const std::vector<T>& pool) {
  return pool[random() % pool.size()];
}

std::string random_text(std::mt19937& random) {
  static const Texts pieces = {"a",    "b",  "A", "ab",           "aab", ",", "=", " ",
                               "\0"s, "\xFF", "CN=", "\xF0\x9F\x9A\xA2", "\xF0", "ba"};
  static const Texts guids = {
      "3f2b0c1e-9a7d-4c55-8e10-00ffaabbccdd", "3F2B0C1E-9A7D-4C55-8E10-00FFAABBCCDD",
      "3f2b0c1e-9A7D-4c55-8e10-00ffaabbccdd", "3F2B0C1E-9A7D-4C55-8E10-00FFAABBCCD",
      "3f2b0c1e-9a7d-4c55-8e10-00ffaabbccd",  "00000000-0000-0000-0000-000000000000"};
  if (random() % 6 == 0) return any_of(random, guids);
  std::string text;
  for (auto left = random() % 5; left > 0; --left) text += any_of(random, pieces);
  return text;
}

const Texts kAttributes = {"groups", "memberOf", "department", "urn:custom"};

Policy random_policy(std::mt19937& random) {
  Policy policy;
  policy.groups = static_cast<std::uint32_t>(random() % 9);
  for (auto i = policy.groups == 0 ? 0 : random() % 30; i > 0; --i) {
    const auto kind = static_cast<Kind>(random() % 3);
    const std::string attribute = kind == Kind::kId ? "" : any_of(random, kAttributes);
    policy.lines.push_back({kind, attribute, random_text(random),
                            static_cast<std::uint32_t>(random() % policy.groups),
                            "<" + std::to_string(i) + ">"});
  }
  return policy;
}

std::vector<saml::Attribute> random_user(std::mt19937& random) {
  std::vector<saml::Attribute> attributes;
  for (const std::string& name : kAttributes) {
    if (random() % 3 == 0) continue;
    attributes.push_back({name, "", Texts(random() % 6)});
    for (std::string& value : attributes.back().values) value = random_text(random);
  }
  return attributes;
}

GroupRules rules_of(const Policy& policy) {
  GroupRules rules;
  for (std::uint32_t i = 0; i < policy.groups; ++i) rules.add_group("group " + std::to_string(i), "");
  for (const Line& line : policy.lines) {
    if (line.kind == Kind::kId) {
      rules.add_idp_id(line.group, line.text, line.place);
    } else {
      rules.add_rule(line.attribute, line.kind == Kind::kExact ? Condition::kExact : Condition::kContains,
                     line.text, line.group, line.place);
    }
  }
  rules.compile();
  return rules;
}

void expect_equal(const Policy& policy, const GroupRules& rules,
                  const std::vector<saml::Attribute>& attributes, std::string_view groups_from) {
  Explanation explanation;
  const auto groups = rules.match(kMap, attributes, groups_from, &explanation);
  ASSERT_EQ(explanation.size(), policy.groups);
  std::vector<std::uint32_t> expected;
  for (std::uint32_t group = 0; group < policy.groups; ++group) {
    const Line* line = first_line(policy, group, attributes, groups_from);
    if (line != nullptr) expected.push_back(group);
    const Decision& decision = explanation[group];
    ASSERT_EQ(decision.name, rules.name(group));
    ASSERT_EQ(decision.given, line != nullptr);
    if (line == nullptr) continue;
    ASSERT_NE(decision.why.find(line->place), std::string::npos) << decision.why;
    const std::string value = '"' + *first_match(*line, attributes, groups_from) + '"';
    ASSERT_EQ(decision.why.substr(decision.why.size() - value.size()), value);
  }
  ASSERT_EQ(groups, expected);
  ASSERT_EQ(rules.match(kMap, attributes, groups_from, nullptr), expected);
}

TEST(GroupRulesProperty, EqualTheNaiveStatementOfTheRules) {
  std::mt19937 random(20260104);
  for (int i = 0; i < 5000; ++i) {
    const Policy policy = random_policy(random);
    const GroupRules rules = rules_of(policy);
    for (std::uint32_t group = 0; group < policy.groups; ++group) {
      const auto is_of_group = [group](const Line& line) { return line.group == group; };
      ASSERT_EQ(rules.is_manual(group), std::none_of(policy.lines.begin(), policy.lines.end(), is_of_group));
    }
    for (int user = 0; user < 4; ++user) {
      expect_equal(policy, rules, random_user(random), any_of(random, kAttributes));
      if (HasFatalFailure()) FAIL() << "round " << i;
    }
  }
}

}  // namespace
}  // namespace sallyport::policy
