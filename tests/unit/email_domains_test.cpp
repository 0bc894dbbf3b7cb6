#include "policy/email_domains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "policy/email.h"

namespace sallyport::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Texts = std::vector<std::string>;

EmailDomains domains_of(const Texts& patterns) {
  EmailDomains domains;
  for (const std::string& pattern : patterns) EXPECT_TRUE(domains.add(pattern).ok()) << pattern;
  return domains;
}

struct CoverCase {
  const char* name;
  Texts patterns;
  const char* domain;
  bool expected;
};

class CoverTest : public ::testing::TestWithParam<CoverCase> {};

TEST_P(CoverTest, SaysWhetherADomainIsIn) {
  EXPECT_EQ(domains_of(GetParam().patterns).covers(GetParam().domain), GetParam().expected);
}

const CoverCase kCoverCases[] = {
    {"Exact", {"example.com"}, "example.com", true},
    {"ExactInUpperCase", {"Example.COM"}, "example.com", true},
    {"ExactOfSeveral", {"example.org", "example.com"}, "example.com", true},
    {"None", {}, "example.com", false},
    {"Other", {"example.com"}, "example.org", false},
    {"SubDomainOfExact", {"example.com"}, "mail.example.com", false},
    {"ParentOfExact", {"mail.example.com"}, "example.com", false},
    {"SubDomain", {".example.com"}, "mail.example.com", true},
    {"DeepSubDomain", {".example.com"}, "a.b.c.d.example.com", true},
    {"NotTheDomainItself", {".example.com"}, "example.com", false},
    {"Both", {"example.com", ".example.com"}, "example.com", true},
    {"SameEnd", {"example.com"}, "evilexample.com", false},
    {"SameEndOfSubDomains", {".example.com"}, "evilexample.com", false},
    {"SameBeginning", {"example.com"}, "example.com.evil.example", false},
    {"SameBeginningOfSubDomains", {".example.com"}, "a.example.com.evil.example", false},
    {"LastLabel", {".com"}, "example.com", true},
    {"LastLabelAlone", {".com"}, "com", false},
    {"OneLabel", {"intranet"}, "intranet", true},
    {"BothSpellings", {"bücher.example"}, "xn--bcher-kva.example", true},
    {"SubDomainOfIdna", {".BÜCHER.example"}, "mail.xn--bcher-kva.example", true},
    {"Homograph", {"example.com"}, "xn--exmple-4nf.com", false},
    {"EmptyDomain", {".com", "example.com"}, "", false},
    {"NoDomain", {".example.com"}, ".example.com", false},
    {"NoDomainInFront", {".com"}, ".example.com", false},
};

INSTANTIATE_TEST_SUITE_P(EmailDomains, CoverTest, ::testing::ValuesIn(kCoverCases),
                         [](const auto& test) { return std::string(test.param.name); });

struct RefusedCase {
  const char* name;
  const char* pattern;
  const char* what_to_write;
};

class RefusedPatternTest : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedPatternTest, SaysWhatToWrite) {
  EmailDomains domains;
  const Status added = domains.add(GetParam().pattern);
  ASSERT_FALSE(added.ok());
  EXPECT_EQ(added.error().reason, Reason::kConfigInvalid);
  EXPECT_THAT(added.error().detail, HasSubstr("<" + std::string(GetParam().pattern) + ">"));
  EXPECT_THAT(added.error().detail, HasSubstr(GetParam().what_to_write));
  EXPECT_TRUE(domains.empty());
}

const RefusedCase kRefusedCases[] = {
    {"Empty", "", "write a name as in example.com"},
    {"Dot", ".", "write a name as in example.com"},
    {"TwoDots", "..example.com", "or .example.com for all its sub-domains"},
    {"Address", "user@example.com", "write the domain alone"},
    {"At", "@example.com", "write the domain alone"},
    {"Asterisk", "*.example.com", "write .example.com"},
    {"AsteriskInside", "mail.*.example.com", "write a name as in example.com"},
    {"AsteriskAlone", "*", "write a name as in example.com"},
    {"TrailingDot", "example.com.", "write it without"},
    {"Url", "https://example.com/", "write a name as in example.com"},
    {"Underscore", "_a.example.com", "write a name as in example.com"},
    {"Address4", "127.0.0.1", "write a name as in example.com"},
    {"OtherCapitals", "\U00010400.example", "letters beyond ASCII small"},
    {"FullWidth", "\uff45xample.com", "write a name as in example.com"},
    {"List", "example.com,example.org", "write a name as in example.com"},
};

INSTANTIATE_TEST_SUITE_P(EmailDomains, RefusedPatternTest, ::testing::ValuesIn(kRefusedCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(EmailDomains, KeepsItsPatternsInOrder) {
  const EmailDomains domains = domains_of({".Example.org", "bücher.example", "a.example.org"});
  EXPECT_THAT(domains.patterns(),
              ElementsAre(".example.org", "xn--bcher-kva.example", "a.example.org"));
  EXPECT_FALSE(domains.empty());
  EXPECT_TRUE(EmailDomains().empty());
}

TEST(EmailDomains, RefusesTheSameTwice) {
  EmailDomains domains = domains_of({"bücher.example", ".example.com"});
  for (const char* again : {"XN--Bcher-KVA.example", ".EXAMPLE.com"}) {
    const Status added = domains.add(again);
    ASSERT_FALSE(added.ok()) << again;
    EXPECT_THAT(added.error().detail, HasSubstr("is there already"));
  }
  EXPECT_TRUE(domains.add("example.com").ok());
  EXPECT_EQ(domains.patterns().size(), 3u);
}

TEST(EmailDomains, ACopyStandsAlone) {
  EmailDomains first = domains_of({"example.com"});
  const EmailDomains copy = first;
  EXPECT_TRUE(first.add("example.org").ok());
  EXPECT_TRUE(copy.covers("example.com"));
  EXPECT_FALSE(copy.covers("example.org"));
}

// From the text of an address to the answer, as a login asks.
TEST(EmailDomains, NoAddressOfAnotherDomainGetsIn) {
  const EmailDomains domains = domains_of({"example.com", ".example.com"});
  const auto is_in = [&](std::string_view text) {
    const auto address = parse_email(text);
    return address && domains.covers(address->domain);
  };
  EXPECT_TRUE(is_in("user+tag@EXAMPLE.com"));
  EXPECT_TRUE(is_in("user@mail.example.com"));
  for (const char* text : {
           "user@example.com@evil.example", "user@example.com.evil.example",
           "user@evil.example%2eexample.com", "user@ex\u0430mple.com", "user@evilexample.com",
           "evil@evil.example (user@example.com)", "\"user@example.com\"@evil.example",
           "user@example.com\n", "user@example.com.", "user@evil.example\u3002example.com"}) {
    EXPECT_FALSE(is_in(text)) << text;
  }
}

struct Entry {
  const char* pattern;
  const char* owner;
};

struct ClaimCase {
  const char* name;
  std::vector<Entry> before;
  Entry added;
  std::string expected;  // "pattern owner" of the claim in the way; empty: none
};

class ClaimTest : public ::testing::TestWithParam<ClaimCase> {};

TEST_P(ClaimTest, NoDomainHasTwoOwners) {
  EmailDomainIndex index;
  for (const Entry& entry : GetParam().before) {
    ASSERT_FALSE(index.add(entry.pattern, entry.owner)) << entry.pattern;
  }
  const auto claim = index.add(GetParam().added.pattern, GetParam().added.owner);
  EXPECT_EQ(claim ? claim->pattern + " " + claim->owner : "", GetParam().expected);
}

const ClaimCase kClaimCases[] = {
    {"First", {}, {"example.com", "a"}, ""},
    {"OtherDomain", {{"example.com", "a"}}, {"example.org", "b"}, ""},
    {"SameDomain", {{"example.com", "a"}}, {"example.com", "b"}, "example.com a"},
    {"SameDomainSameOwner", {{"example.com", "a"}}, {"example.com", "a"}, ""},
    {"SameSubDomains", {{".example.com", "a"}}, {".example.com", "b"}, ".example.com a"},
    {"DomainAndItsSubDomains", {{"example.com", "a"}}, {".example.com", "b"}, ""},
    {"SubDomainsAndTheDomain", {{".example.com", "a"}}, {"example.com", "b"}, ""},
    {"DomainBelow", {{".example.com", "a"}}, {"x.y.example.com", "b"}, ".example.com a"},
    {"DomainAbove", {{"x.y.example.com", "a"}}, {".example.com", "b"}, "x.y.example.com a"},
    {"SubDomainsBelow", {{".example.com", "a"}}, {".x.example.com", "b"}, ".example.com a"},
    {"SubDomainsAbove", {{".x.example.com", "a"}}, {".example.com", "b"}, ".x.example.com a"},
    {"BelowOfTheSameOwner", {{".example.com", "a"}}, {"x.example.com", "a"}, ""},
    {"AboveOfTheSameOwner", {{"x.example.com", "a"}}, {".example.com", "a"}, ""},
    {"AboveOfSeveralOwners",
     {{"a.example.com", "a"}, {"b.example.com", "a"}, {"c.example.com", "b"}},
     {".example.com", "a"},
     "c.example.com b"},
    {"SameEnd", {{".example.com", "a"}}, {"evilexample.com", "b"}, ""},
    {"SameEndAbove", {{"evilexample.com", "a"}}, {".example.com", "b"}, ""},
    {"Siblings", {{".x.example.com", "a"}}, {".y.example.com", "b"}, ""},
    {"ExactNeighbours", {{"x.example.com", "a"}}, {"y.x.example.com", "b"}, ""},
};

INSTANTIATE_TEST_SUITE_P(EmailDomainIndex, ClaimTest, ::testing::ValuesIn(kClaimCases),
                         [](const auto& test) { return std::string(test.param.name); });

std::string owner_of(const EmailDomainIndex& index, std::string_view domain) {
  const std::string* owner = index.find(domain);
  return owner == nullptr ? "" : *owner;
}

TEST(EmailDomainIndex, FindsTheOwner) {
  EmailDomainIndex index;
  EXPECT_EQ(index.find("example.com"), nullptr);
  for (const Entry& entry : std::vector<Entry>{
           {"example.com", "a"}, {".example.com", "b"}, {".x.example.com", "b"}, {"com", "c"}}) {
    ASSERT_FALSE(index.add(entry.pattern, entry.owner));
  }
  EXPECT_TRUE(index.add("mail.example.com", "c"));
  EXPECT_EQ(owner_of(index, "example.com"), "a");
  EXPECT_EQ(owner_of(index, "mail.example.com"), "b");
  EXPECT_EQ(owner_of(index, "mail.x.example.com"), "b");
  EXPECT_EQ(owner_of(index, "com"), "c");
  EXPECT_EQ(owner_of(index, "org"), "");
  EXPECT_EQ(owner_of(index, ".example.com"), "");
  EXPECT_EQ(owner_of(index, ""), "");
}

TEST(EmailDomainIndex, TakesBackWhatIsTheOwners) {
  EmailDomainIndex index;
  ASSERT_FALSE(index.add("example.com", "a"));
  ASSERT_FALSE(index.add(".example.com", "a"));
  index.remove("example.com", "b");
  index.remove("example.org", "a");
  EXPECT_TRUE(index.add("example.com", "b"));
  index.remove("example.com", "a");
  EXPECT_FALSE(index.add("example.com", "b"));
  EXPECT_TRUE(index.add("mail.example.com", "b"));
  index.remove(".example.com", "a");
  EXPECT_FALSE(index.add("mail.example.com", "b"));
  EXPECT_EQ(owner_of(index, "mail.example.com"), "b");
}

// A small world of domains, so that patterns meet often, against every pair looked at.
TEST(EmailDomainIndex, EqualsTheNaiveStatement) {
  Texts world;
  for (const char* a : {"a", "b", "ab"}) {
    world.push_back(a);
    for (const char* b : {"a", "b", "ab"}) {
      world.push_back(b + ("." + std::string(a)));
      for (const char* c : {"a", "b"}) world.push_back(c + ("." + world.back()));
    }
  }
  std::mt19937 random(20260101);
  for (int run = 0; run < 300; ++run) {
    EmailDomainIndex index;
    EmailDomains sets[3];
    for (int i = 0; i < 12; ++i) {
      const std::string pattern = (random() % 2 == 0 ? "." : "") + world[random() % world.size()];
      const std::size_t owner = random() % 3;
      EmailDomains added = sets[owner];
      if (!added.add(pattern).ok()) continue;
      bool meets = false;
      for (std::size_t other = 0; other < 3; ++other) {
        for (const std::string& each : world) {
          const std::string below = "z." + each;  // the world ends, sub-domains do not
          meets |= other != owner && ((added.covers(each) && sets[other].covers(each)) ||
                                      (added.covers(below) && sets[other].covers(below)));
        }
      }
      const auto claim = index.add(pattern, std::to_string(owner));
      ASSERT_EQ(claim.has_value(), meets) << pattern;
      if (!claim) sets[owner] = added;
    }
    for (const std::string& each : world) {
      std::string expected;
      for (int owner = 0; owner < 3; ++owner) {
        if (sets[owner].covers(each)) expected = std::to_string(owner);
      }
      ASSERT_EQ(owner_of(index, each), expected) << each;
    }
  }
}

TEST(EmailDomainIndex, ManyOwnersStayQuick) {
  EmailDomainIndex index;
  constexpr int kOwners = 100000;
  for (int i = 0; i < kOwners; ++i) {
    const std::string name = "tenant" + std::to_string(i) + ".example";
    ASSERT_FALSE(index.add(name, std::to_string(i)));
    ASSERT_FALSE(index.add("." + name, std::to_string(i)));
  }
  EXPECT_TRUE(index.add(".example", "all"));
  for (int i = 0; i < kOwners; ++i) {
    const std::string name = "mail.tenant" + std::to_string(i) + ".example";
    ASSERT_EQ(owner_of(index, name), std::to_string(i));
  }
}

}  // namespace
}  // namespace sallyport::policy
