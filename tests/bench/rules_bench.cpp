// What the group rules of a large policy cost: 10,000 groups with an idp_id each, 9,000 exact and 1,000
// contains rules; a user with 200 groups and ten other attributes. A match must stay below 300 us.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <array>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/identity.h"

namespace {

using namespace sallyport;
using policy::Condition;
using policy::GroupRules;

constexpr int kGroups = 10000;
constexpr int kExactRules = 9000;
constexpr int kContainsRules = 1000;
constexpr int kUsersGroups = 200;

const std::array<const char*, 12> kCities = {"Berlin", "Lyon",  "Porto",  "Oslo",   "Dublin", "Krakow",
                                             "Turin",  "Ghent", "Malaga", "Tartu", "Graz",   "Aarhus"};
const std::array<const char*, 8> kTeams = {"readers", "writers", "admins",    "operators",
                                           "auditors", "owners", "approvers", "guests"};

std::string numbered(const char* format, int number) {
  char text[64];
  std::snprintf(text, sizeof(text), format, number);
  return text;
}

std::string guid(int number) {
  std::mt19937 random(static_cast<unsigned>(number));
  char text[37];
  std::snprintf(text, sizeof(text), "%08x-%04x-4%03x-8%03x-%08x%04x", static_cast<unsigned>(random()),
                static_cast<unsigned>(random() & 0xFFFF), static_cast<unsigned>(random() & 0xFFF),
                static_cast<unsigned>(random() & 0xFFF), static_cast<unsigned>(random()),
                static_cast<unsigned>(random() & 0xFFFF));
  return text;
}

// About 80 bytes, as a directory sends them in memberOf.
std::string distinguished_name(int number) {
  return numbered("CN=app-%05d-", number) + kTeams[number % 8] + ",OU=Applications,OU=" +
         kCities[number % 12] + ",DC=corp,DC=example,DC=com";
}

struct Lines {
  // Half of the exact rules are about `groups`, the others about four attributes.
  std::vector<std::pair<std::string, std::string>> exact;
  std::vector<std::string> contains;
  std::vector<std::string> ids;
};

Lines make_lines() {
  static const std::array<const char*, 4> attributes = {"department", "costCenter", "title", "office"};
  Lines lines;
  for (int i = 0; i < kGroups; ++i) lines.ids.push_back(guid(i));
  for (int i = 0; i < kExactRules; ++i) {
    if (i % 2 == 0) lines.exact.emplace_back("groups", distinguished_name(i * 7));
    if (i % 2 == 1) lines.exact.emplace_back(attributes[i / 2 % 4], numbered("Unit %05d", i));
  }
  for (int i = 0; i < kContainsRules; ++i) {
    // The beginning, the middle or a word of what is sent, so that the automaton is led deep.
    const std::string shapes[] = {numbered("CN=app-%05d-", i * 50), numbered("-%05d-admins,", i * 50),
                                  numbered("service-%04d", i),
                                  std::string("OU=") + kCities[i % 12] + numbered("-%03d", i)};
    lines.contains.push_back(shapes[i % 4]);
  }
  return lines;
}

std::unique_ptr<GroupRules> fill(const Lines& lines) {
  auto rules = std::make_unique<GroupRules>();
  int line = 0;
  const auto place = [&line] { return numbered("/etc/nginx/conf.d/policy.conf:%d", ++line); };
  for (int i = 0; i < kGroups; ++i) {
    const std::string at = place();
    rules->add_idp_id(*rules->add_group(numbered("Group %05d", i), at), lines.ids[i], at);
  }
  std::uint32_t group = 0;
  for (const auto& [attribute, value] : lines.exact) {
    rules->add_rule(attribute, Condition::kExact, value, group++ % kGroups, place());
  }
  for (const std::string& value : lines.contains) {
    rules->add_rule("groups", Condition::kContains, value, group++ % kGroups, place());
  }
  return rules;
}

const GroupRules& compiled_rules() {
  static const std::unique_ptr<GroupRules> rules = [] {
    auto made = fill(make_lines());
    made->compile();
    return made;
  }();
  return *rules;
}

std::vector<saml::Attribute> user_with(std::vector<std::string> groups) {
  std::vector<saml::Attribute> attributes;
  for (const char* name : {"mail", "givenName", "sn", "displayName", "department", "costCenter", "title",
                           "office", "timezone", "employeeNumber"}) {
    attributes.push_back({name, "", {std::string("a value of ") + name}});
  }
  attributes.push_back({"groups", "", std::move(groups)});
  return attributes;
}

// One value in ten is known.
std::vector<std::string> guids() {
  std::vector<std::string> values;
  for (int i = 0; i < kUsersGroups; ++i) values.push_back(guid(i % 10 == 0 ? i * 31 : 100000 + i));
  return values;
}

std::vector<std::string> distinguished_names() {
  std::vector<std::string> values;
  for (int i = 0; i < kUsersGroups; ++i) values.push_back(distinguished_name(i * 211));
  return values;
}

void match(benchmark::State& state, const std::vector<saml::Attribute>& user, bool is_explained) {
  const GroupRules& rules = compiled_rules();
  const policy::AttributeMap map;
  std::size_t groups = 0;
  for (auto _ : state) {
    policy::Explanation explanation;
    groups = rules.match(map, user, "groups", is_explained ? &explanation : nullptr).size();
    benchmark::DoNotOptimize(groups);
  }
  state.counters["groups"] = static_cast<double>(groups);
}

void match_200_guids(benchmark::State& state) { match(state, user_with(guids()), false); }
BENCHMARK(match_200_guids)->Unit(benchmark::kMicrosecond);

void match_200_names(benchmark::State& state) { match(state, user_with(distinguished_names()), false); }
BENCHMARK(match_200_names)->Unit(benchmark::kMicrosecond);

// As a login finds it: other work has taken the caches.
void match_200_names_cold(benchmark::State& state) {
  const auto user = user_with(distinguished_names());
  const GroupRules& rules = compiled_rules();
  const policy::AttributeMap map;
  std::string other_work(64 << 20, 'x');
  for (auto _ : state) {
    state.PauseTiming();
    for (std::size_t i = 0; i < other_work.size(); i += 64) ++other_work[i];
    benchmark::ClobberMemory();
    state.ResumeTiming();
    benchmark::DoNotOptimize(rules.match(map, user, "groups", nullptr));
  }
}
BENCHMARK(match_200_names_cold)->Unit(benchmark::kMicrosecond)->Iterations(100);

void match_200_names_explained(benchmark::State& state) {
  match(state, user_with(distinguished_names()), true);
}
BENCHMARK(match_200_names_explained)->Unit(benchmark::kMicrosecond);

// The whole of what a policy decides at a login, beside the groups also spaces, roles, names and time zone.
void resolve_login_with_200_names(benchmark::State& state) {
  auto policy = std::make_shared<policy::Policy>();
  policy->groups = compiled_rules();
  policy::IdentityRules rules;
  rules.policy = policy;
  policy::Claims claims{saml::NameId{"user", "", "", ""}, user_with(distinguished_names())};
  claims.attributes.push_back({"space_name", "", {"Trial,DevOps,Production"}});
  claims.attributes.push_back({"space_role", "", {"Admin,Developer,Member"}});
  for (auto _ : state) {
    auto identity = policy::resolve_identity(claims, rules);
    if (!identity.ok()) state.SkipWithError("refused");
    benchmark::DoNotOptimize(identity);
  }
}
BENCHMARK(resolve_login_with_200_names)->Unit(benchmark::kMicrosecond);

void match_10000_values_of_100_bytes(benchmark::State& state) {
  std::vector<std::string> values;
  for (int i = 0; i < 10000; ++i) {
    values.push_back(distinguished_name(i * 211));
    values.back().resize(100, '-');
  }
  match(state, user_with(std::move(values)), false);
}
BENCHMARK(match_10000_values_of_100_bytes)->Unit(benchmark::kMicrosecond);

void fill_and_compile(benchmark::State& state) {
  const Lines lines = make_lines();
  for (auto _ : state) {
    const auto rules = fill(lines);
    rules->compile();
    benchmark::DoNotOptimize(rules.get());
  }
}
BENCHMARK(fill_and_compile)->Unit(benchmark::kMillisecond);

std::size_t bytes_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void memory(benchmark::State& state) {
  const Lines lines = make_lines();
  const std::vector<std::string_view> patterns(lines.contains.begin(), lines.contains.end());
  std::vector<std::string_view> names;  // as many, of 80 bytes each: the largest automaton likely
  for (const auto& [attribute, value] : lines.exact) {
    if (attribute == "groups" && names.size() < kContainsRules) names.push_back(value);
  }
  for (auto _ : state) {
    std::size_t before = bytes_in_use();
    const policy::SubstringMatcher automaton(patterns);
    state.counters["automaton_bytes"] = static_cast<double>(bytes_in_use() - before);
    before = bytes_in_use();
    const policy::SubstringMatcher of_whole_names(names);
    state.counters["whole_names_bytes"] = static_cast<double>(bytes_in_use() - before);
    before = bytes_in_use();
    const auto rules = fill(lines);
    rules->compile();
    state.counters["rules_bytes"] = static_cast<double>(bytes_in_use() - before);
  }
}
BENCHMARK(memory)->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
