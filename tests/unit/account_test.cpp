#include <gtest/gtest.h>

#include <string>

#include "policy_fixture.h"

namespace sallyport::policy_test {
namespace {

using policy::Account;

struct EmailCase {
  const char* name;
  Texts domains;
  Texts sent;
  const char* expected;  // null: refused
};

class EmailDomainsOfLogin : public ::testing::TestWithParam<EmailCase> {};

TEST_P(EmailDomainsOfLogin, Decides) {
  const EmailCase& test = GetParam();
  policy::IdentityRules rules;
  for (const std::string& domain : test.domains) ASSERT_TRUE(rules.email_domains.add(domain).ok());
  std::vector<saml::Attribute> attributes;
  if (!test.sent.empty()) attributes.push_back({"email", "", test.sent});
  const Result<Account> account = policy::resolve_account(claims_with(attributes), rules);
  if (test.expected == nullptr) {
    ASSERT_FALSE(account.ok());
    EXPECT_EQ(account.error().reason, Reason::kEmailDomainNotAllowed);
    return;
  }
  ASSERT_TRUE(account.ok()) << account.error().detail;
  EXPECT_EQ(account->email, test.expected);
  EXPECT_EQ(account->email_is_covered, !test.domains.empty());
}

const EmailCase kEmails[] = {
    {"AnyWithoutDomains", {}, {"x@anywhere.example", "y@example.com"}, "x@anywhere.example"},
    {"NotEvenAnAddressWithoutDomains", {}, {"Ada <x@example.com>"}, "Ada <x@example.com>"},
    {"NoneWithoutDomains", {}, {}, ""},
    {"Exact", {"example.com"}, {"ada@example.com"}, "ada@example.com"},
    {"CaseOfTheDomain", {"Example.COM"}, {"Ada@eXample.com"}, "Ada@eXample.com"},
    {"BlankValuesDoNotCount", {"example.com"}, {" ", "ada@example.com"}, "ada@example.com"},
    {"SecondDomain", {"example.org", "example.com"}, {"ada@example.com"}, "ada@example.com"},
    {"SubdomainOnlyWithADot", {"example.com"}, {"ada@mail.example.com"}, nullptr},
    {"Subdomain", {".example.com"}, {"ada@mail.example.com"}, "ada@mail.example.com"},
    {"ADotMeansNotTheDomainItself", {".example.com"}, {"ada@example.com"}, nullptr},
    {"NoDotBetween", {".example.com"}, {"ada@evilexample.com"}, nullptr},
    {"Idna", {"bücher.example"}, {"ada@xn--bcher-kva.example"}, "ada@xn--bcher-kva.example"},
    {"IdnaTheOtherWay", {"xn--bcher-kva.example"}, {"ada@BÜCHER.example"}, "ada@BÜCHER.example"},
    {"Foreign", {"example.com"}, {"ada@evil.example"}, nullptr},
    {"None", {"example.com"}, {}, nullptr},
    {"OnlyBlanks", {"example.com"}, {" "}, nullptr},
    {"Several", {"example.com"}, {"ada@example.com", "eve@example.com"}, nullptr},
    {"TwoAts", {"example.com"}, {"ada@evil.example@example.com"}, nullptr},
    {"DisplayName", {"example.com"}, {"Ada <ada@example.com>"}, nullptr},
    {"Quoted", {"example.com"}, {"\"ada@evil.example\"@example.com"}, nullptr},
    {"Comment", {"example.com"}, {"ada@evil.example (ada@example.com)"}, nullptr},
    {"LineFeed", {"example.com"}, {"ada@example.com\n"}, nullptr},
    {"TrailingDot", {"example.com"}, {"ada@example.com."}, nullptr},
    {"FullWidth", {"example.com"}, {"ada@ｅxample.com"}, nullptr},
};
INSTANTIATE_TEST_SUITE_P(Account, EmailDomainsOfLogin, ::testing::ValuesIn(kEmails),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(AccountTest, ANameIdOfFormatEmailIsCheckedToo) {
  policy::IdentityRules rules;
  ASSERT_TRUE(rules.email_domains.add("example.com").ok());
  policy::Claims claims = claims_with({});
  claims.name_id = saml::NameId{"ada@example.com", std::string(saml::kFormatEmail), "", ""};
  const Result<Account> account = policy::resolve_account(claims, rules);
  ASSERT_TRUE(account.ok());
  EXPECT_EQ(account->email, "ada@example.com");
  EXPECT_TRUE(account->email_is_covered);
  EXPECT_TRUE(account->user_is_covered);
  claims.name_id->value = "ada@evil.example";
  EXPECT_EQ(policy::resolve_account(claims, rules).error().reason, Reason::kEmailDomainNotAllowed);
}

TEST(AccountTest, ADetailNamesWhatIsAllowed) {
  policy::IdentityRules rules;
  ASSERT_TRUE(rules.email_domains.add("example.com").ok());
  ASSERT_TRUE(rules.email_domains.add(".example.org").ok());
  const Result<Account> account =
      policy::resolve_account(claims_with({{"email", "", {"x@evil.example"}}}), rules);
  EXPECT_EQ(account.error().detail,
            "e-mail address: expected <one of example.com, .example.org>, received <x@evil.example>");
}

}  // namespace
}  // namespace sallyport::policy_test
