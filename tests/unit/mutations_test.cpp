// The mutation run (tests/fuzz/README.md) over messages of real and test identity providers: accepted implies
// exactly the signed identity. And that it would see it if it were otherwise.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/genuine.h"
#include "support/mutation_run.h"
#include "support/resign.h"
#include "support/second_opinion.h"
#include "support/xml_edits.h"
#include "support/xml_tree.h"
#include "xml_test_util.h"

namespace sallyport::fuzz {
namespace {

constexpr std::uint64_t kSeed = 3;

TEST(Mutations, TenThousandSignedMessagesSayWhatWasSignedOrAreRefused) {
  const MutationReport report = run_mutations(kSeed, 0, 10'000);
  for (const Violation& violation : report.violations) {
    ADD_FAILURE() << "seed " << kSeed << ", number " << violation.number << ", "
                  << violation.message << '\n' << violation.why << violation.text;
  }
  // All kinds of edits did something, and some of them nothing that matters.
  for (const Edit edit : kAllEdits) {
    const auto counts = report.by_kind.find(name_of(edit));
    ASSERT_NE(counts, report.by_kind.end()) << name_of(edit);
    EXPECT_GT(counts->second.refused, 300u) << name_of(edit);
    EXPECT_GT(counts->second.accepted, 5u) << name_of(edit);
  }
  const MutationCounts total = report.total();
  EXPECT_EQ(total.tried, 10'000u);
  EXPECT_EQ(total.tried, total.unchanged + total.refused + total.accepted);
  EXPECT_GT(report.reasons.at("signature_invalid"), 1'000u);
  EXPECT_GT(report.reasons.at("signature_malformed"), 500u);
}

TEST(Mutations, TheSameSeedMakesTheSameMessages) {
  const MutationReport first = run_mutations(kSeed, 0, 200);
  const MutationReport again = run_mutations(kSeed, 0, 200);
  const MutationReport other = run_mutations(kSeed + 1, 0, 200);
  EXPECT_EQ(first.reasons, again.reasons);
  EXPECT_NE(first.reasons, other.reasons);
}

saml::VerifiedResponse accepted(const Genuine& message) {
  auto response = read_message(message.text, genuine_messages().certificates);
  if (!response.ok()) ADD_FAILURE() << message.name << ": " << response.error().detail;
  return std::move(*response);
}

TEST(GenuineMessages, AreAcceptedAndConfirmedAsTheyAre) {
  const GenuineMessages& genuine = genuine_messages();
  EXPECT_EQ(genuine.messages.size(), 15u);
  for (const Genuine& message : genuine.messages) {
    SCOPED_TRACE(message.name);
    const saml::VerifiedResponse response = accepted(message);
    std::string why_not;
    EXPECT_TRUE(is_confirmed(message.text, response, genuine.keys, why_not)) << why_not;
    ASSERT_NE(genuine.find(response), nullptr);
    EXPECT_EQ(genuine.find(response)->name, message.name);
  }
}

// What the oracle must notice: each fact of the answer, read otherwise than it was signed.
TEST(GenuineMessages, ReadOtherwiseAreNoticed) {
  using Change = void (*)(saml::Assertion&);
  const Change changes[] = {
      [](saml::Assertion& a) { a.name_id->value = "admin"; },
      [](saml::Assertion& a) { a.name_id->format = "urn:x"; },
      [](saml::Assertion& a) { a.id += "x"; },
      [](saml::Assertion& a) { a.issuer = "https://other.example"; },
      [](saml::Assertion& a) { a.issue_instant += 1; },
      [](saml::Assertion& a) { a.attributes[0].values.push_back("admins"); },
      [](saml::Assertion& a) { a.attributes[0].name = "role"; },
      [](saml::Assertion& a) { a.attributes.pop_back(); },
      [](saml::Assertion& a) { a.confirmations[0].recipient = "https://x.example"; },
      [](saml::Assertion& a) { a.confirmations[0].in_response_to.reset(); },
      [](saml::Assertion& a) { a.not_on_or_after = 1; },
      [](saml::Assertion& a) { a.audience_restrictions[0][0] = "urn:x"; },
      [](saml::Assertion& a) { a.authn_statements[0].authn_instant += 1; },
  };
  const GenuineMessages& genuine = genuine_messages();
  for (const Genuine& message : genuine.messages) {
    SCOPED_TRACE(message.name);
    for (const Change change : changes) {
      saml::VerifiedResponse changed = accepted(message);
      change(changed.assertion);
      std::string why_not;
      EXPECT_FALSE(is_confirmed(message.text, changed, genuine.keys, why_not));
      EXPECT_EQ(genuine.find(changed), nullptr) << describe(changed.assertion);
    }
  }
}

TEST(GenuineMessages, ForgedAreRefusedByTheSecondOpinionToo) {
  for (const Genuine& message : genuine_messages().messages) {
    SCOPED_TRACE(message.name);
    std::string forged = message.text;
    const std::size_t at = forged.rfind("student@example.com");
    ASSERT_NE(at, std::string::npos);
    forged.replace(at, 7, "teacher");
    EXPECT_FALSE(second_opinion(forged, genuine_messages().keys).accepted);
    EXPECT_FALSE(read_message(forged, genuine_messages().certificates).ok());
  }
}

TEST(GenuineMessages, KeepTheirSignaturesAsTrees) {
  for (const Genuine& message : genuine_messages().messages) {
    SCOPED_TRACE(message.name);
    const auto tree = parse_tree(message.text);
    ASSERT_TRUE(tree.has_value());
    EXPECT_TRUE(read_message(write_tree(*tree), genuine_messages().certificates).ok());
  }
}

// Without this the target `resigned` would try nothing but refusals.
TEST(GenuineMessages, EditedAndSignedAgainAreAccepted) {
  EVP_PKEY* const ec = test::ec_key();
  EVP_PKEY* const rsa = test::rsa_key();
  const std::vector<xml::Certificate> certificates = {test::certificate_of(ec),
                                                      test::certificate_of(rsa)};
  int signed_alone = 0;
  for (const Genuine& message : genuine_messages().messages) {
    SCOPED_TRACE(message.name);
    std::string edited = message.text;
    for (std::size_t at = edited.find("student@"); at != std::string::npos;
         at = edited.find("student@", at + 1)) {
      edited.replace(at, 7, "teacher");
    }
    const std::string alone = resigned_alone(edited, ec, rsa);
    EXPECT_EQ(!alone.empty(), message.name.find("-both") != std::string::npos);
    signed_alone += alone.empty() ? 0 : 1;
    for (const std::string& again : {resigned(edited, ec, rsa), alone}) {
      if (again.empty()) continue;
      const auto response = read_message(again, certificates);
      ASSERT_TRUE(response.ok()) << response.error().detail;
      EXPECT_EQ(response->assertion.name_id->value, "teacher@example.com");
      std::string why_not;
      EXPECT_TRUE(is_confirmed(again, *response, {ec, rsa}, why_not)) << why_not;
    }
  }
  EXPECT_GE(signed_alone, 5);
}

}  // namespace
}  // namespace sallyport::fuzz
