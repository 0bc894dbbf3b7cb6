#include "policy/attributes.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "policy/builtin_attributes.h"

namespace sallyport::policy {
namespace {

using Names = std::vector<std::string>;

std::vector<saml::Attribute> attributes_named(const Names& names) {
  std::vector<saml::Attribute> attributes;
  for (const std::string& name : names) attributes.push_back({name, "", {"value of " + name}});
  return attributes;
}

std::string found_name(const AttributeMap& map, const Names& sent, std::string_view alias) {
  const std::vector<saml::Attribute> attributes = attributes_named(sent);
  const saml::Attribute* found = map.find(attributes, alias);
  return found == nullptr ? "(none)" : found->name;
}

const std::string kClaims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/";

struct FindCase {
  const char* name;
  Names sent;
  const char* alias;
  std::string expected;
};

class FindTest : public ::testing::TestWithParam<FindCase> {};

TEST_P(FindTest, TakesTheFirstPresentSource) {
  EXPECT_EQ(found_name(AttributeMap(), GetParam().sent, GetParam().alias), GetParam().expected);
}

const FindCase kFindCases[] = {
    {"NothingSent", {}, "email", "(none)"},
    {"PlainName", {"mail"}, "email", "mail"},
    {"Oid", {"urn:oid:0.9.2342.19200300.100.1.3"}, "email", "urn:oid:0.9.2342.19200300.100.1.3"},
    {"TableOrderBeatsSentOrder",
     {"mail", kClaims + "emailaddress"},
     "email",
     kClaims + "emailaddress"},
    {"CaseMatters", {"MAIL"}, "email", "(none)"},
    {"PrefixIsNotEnough", {"mail2"}, "email", "(none)"},
    {"RoleIsNotGroups",
     {"http://schemas.microsoft.com/ws/2008/06/identity/claims/role"},
     "groups",
     "(none)"},
    {"AdfsGroups",
     {"http://schemas.xmlsoap.org/claims/Group"},
     "groups",
     "http://schemas.xmlsoap.org/claims/Group"},
    {"ExactNameWithoutAlias", {"urn:custom"}, "urn:custom", "urn:custom"},
    {"UnknownName", {"urn:custom"}, "urn:other", "(none)"},
    {"NameClaimIsDisplayName", {kClaims + "name"}, "display_name", kClaims + "name"},
    {"NameClaimIsNotFirstName", {kClaims + "name"}, "first_name", "(none)"},
    {"NameClaimBesideFamilyName",
     {kClaims + "name", kClaims + "familyname"},
     "first_name",
     kClaims + "name"},
    {"ThenItIsNotDisplayName",
     {kClaims + "name", kClaims + "familyname"},
     "display_name",
     "(none)"},
    {"DisplayNameElsewhereStillFound",
     {kClaims + "name", kClaims + "familyname", "displayName"},
     "display_name",
     "displayName"},
    {"GivenNameTakesFirstName",
     {kClaims + "name", kClaims + "familyname", kClaims + "givenname"},
     "first_name",
     kClaims + "givenname"},
    {"AndNameIsDisplayNameAgain",
     {kClaims + "name", kClaims + "familyname", kClaims + "givenname"},
     "display_name",
     kClaims + "name"},
    {"SurnameDoesNotCount",
     {kClaims + "name", kClaims + "surname"},
     "first_name",
     "(none)"},
};

INSTANTIATE_TEST_SUITE_P(Attributes, FindTest, ::testing::ValuesIn(kFindCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(AttributeMapTest, EveryBuiltInSourceIsFoundByItsAlias) {
  for (const BuiltInSource& source : kBuiltInSources) {
    Names sent = {std::string(source.name)};
    if (source.alias == "first_name" && source.name == kNameClaim) {
      sent.emplace_back(kFamilyNameClaim);
    }
    EXPECT_EQ(found_name(AttributeMap(), sent, source.alias), source.name) << source.alias;
  }
}

TEST(AttributeMapTest, NoNameMeansTwoThings) {
  std::set<std::string_view> seen;
  for (const BuiltInSource& source : kBuiltInSources) {
    if (source.name == kNameClaim) continue;
    EXPECT_TRUE(seen.insert(source.name).second) << source.name;
  }
}

TEST(AttributeMapTest, HasEveryBuiltInAlias) {
  const AttributeMap map;
  for (const char* alias : {"email", "first_name", "last_name", "display_name", "picture", "groups",
                            "space_name", "space_role", "timezone", "department", "account_role"}) {
    ASSERT_NE(map.sources(alias), nullptr) << alias;
    EXPECT_FALSE(map.sources(alias)->empty()) << alias;
  }
  EXPECT_EQ(map.sources("role"), nullptr);
  EXPECT_TRUE(map.configured_aliases().empty());
}

TEST(AttributeMapTest, AnOperatorsLineReplacesTheSources) {
  AttributeMap map;
  map.set("email", {"work_mail", "mail"});
  EXPECT_EQ(found_name(map, {"email", "mail"}, "email"), "mail");
  EXPECT_EQ(found_name(map, {"email"}, "email"), "(none)");
  EXPECT_EQ(*map.sources("email"), (Names{"work_mail", "mail"}));
}

TEST(AttributeMapTest, AnOperatorsLineAddsAnAlias) {
  AttributeMap map;
  map.set("cost_center", {"costCenter"});
  map.set("cost_center", {"kostenstelle"});
  EXPECT_EQ(found_name(map, {"costCenter"}, "cost_center"), "(none)");
  EXPECT_EQ(found_name(map, {"kostenstelle"}, "cost_center"), "kostenstelle");
  EXPECT_EQ(map.configured_aliases(), Names{"cost_center"});
}

TEST(AttributeMapTest, AnOperatorsLineTakesTheNameClaimAsItStands) {
  AttributeMap map;
  map.set("first_name", {kClaims + "name"});
  EXPECT_EQ(found_name(map, {kClaims + "name"}, "first_name"), kClaims + "name");
}

TEST(AttributeMapTest, AnAttributeWithoutValuesIsPresent) {
  const std::vector<saml::Attribute> attributes = {{"email", "", {}}, {"mail", "", {"a@b"}}};
  EXPECT_EQ(AttributeMap().find(attributes, "email"), &attributes[0]);
}

// The rows "| `alias` | `Name` |" of a Markdown file.
std::vector<std::pair<std::string, std::string>> documented_rows(const std::string& path) {
  std::vector<std::pair<std::string, std::string>> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t middle = line.find("` | `");
    if (line.rfind("| `", 0) != 0 || middle == std::string::npos) continue;
    const std::size_t end = line.rfind("` |");
    rows.emplace_back(line.substr(3, middle - 3), line.substr(middle + 5, end - middle - 5));
  }
  return rows;
}

TEST(AttributeMapTest, TheDocumentedTableIsTheBuiltInOne) {
  std::vector<std::pair<std::string, std::string>> expected;
  for (const BuiltInSource& source : kBuiltInSources) {
    expected.emplace_back(source.alias, source.name);
  }
  EXPECT_EQ(documented_rows(SALLYPORT_SOURCE_DIR "/docs/attributes.md"), expected);
}

}  // namespace
}  // namespace sallyport::policy
