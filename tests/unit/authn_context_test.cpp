#include "saml/authn_context.h"

#include <gtest/gtest.h>

namespace sallyport::saml {
namespace {

constexpr auto kExact = AuthnContextComparison::kExact;
constexpr auto kMinimum = AuthnContextComparison::kMinimum;
constexpr auto kBetter = AuthnContextComparison::kBetter;
constexpr auto kMaximum = AuthnContextComparison::kMaximum;

std::string ac(const std::string& name) {
  return "urn:oasis:names:tc:SAML:2.0:ac:classes:" + name;
}

struct Case {
  const char* name;
  std::string actual;
  std::vector<std::string> requested;
  AuthnContextComparison comparison;
  bool satisfied;
};

const std::string kPassword = ac("Password");
const std::string kTransport = ac("PasswordProtectedTransport");
const std::string kKerberos = ac("Kerberos");
const std::string kX509 = ac("X509");
const std::string kSmartcard = ac("SmartcardPKI");
const std::string kNone = ac("unspecified");
const std::string kMfa = "https://refeds.org/profile/mfa";

const Case kCases[] = {
    {"exact, the one", kTransport, {kTransport}, kExact, true},
    {"exact, the second of two", kTransport, {kX509, kTransport}, kExact, true},
    {"exact, a stronger one", kX509, {kTransport}, kExact, false},
    {"exact, equally strong", kKerberos, {kTransport}, kExact, false},
    {"exact, a prefix", kPassword, {kTransport}, kExact, false},
    {"exact, longer", kTransport, {kPassword}, kExact, false},
    {"exact, other case", ac("passwordprotectedtransport"), {kTransport}, kExact, false},
    {"exact, trailing blank", kTransport + " ", {kTransport}, kExact, false},
    {"exact, none in the answer", "", {kTransport}, kExact, false},
    {"exact, unknown", kMfa, {kMfa}, kExact, true},
    {"minimum, the same", kTransport, {kTransport}, kMinimum, true},
    {"minimum, equally strong", kKerberos, {kTransport}, kMinimum, true},
    {"minimum, stronger", kSmartcard, {kTransport}, kMinimum, true},
    {"minimum, weaker", kPassword, {kTransport}, kMinimum, false},
    {"minimum, weaker than one of two", kTransport, {kX509, kPassword}, kMinimum, true},
    {"minimum, nothing is weaker than unspecified", kNone, {kNone}, kMinimum, true},
    {"minimum, unspecified", kNone, {kPassword}, kMinimum, false},
    {"minimum, unknown and the same", kMfa, {kMfa}, kMinimum, true},
    {"minimum, unknown answer", kMfa, {kPassword}, kMinimum, false},
    {"minimum, unknown request", kSmartcard, {kMfa}, kMinimum, false},
    {"minimum, none in the answer", "", {kNone}, kMinimum, false},
    {"better, the same", kTransport, {kTransport}, kBetter, false},
    {"better, equally strong", kKerberos, {kTransport}, kBetter, false},
    {"better, stronger", kX509, {kTransport}, kBetter, true},
    {"better, than one of two only", kX509, {kTransport, kX509}, kBetter, false},
    {"better, than both", kSmartcard, {kTransport, kX509}, kBetter, true},
    {"better, unknown request", kSmartcard, {kTransport, kMfa}, kBetter, false},
    {"maximum, the same", kTransport, {kTransport}, kMaximum, true},
    {"maximum, weaker", kPassword, {kTransport}, kMaximum, true},
    {"maximum, stronger", kX509, {kTransport}, kMaximum, false},
    {"maximum, stronger than one of two", kX509, {kTransport, kX509}, kMaximum, true},
    {"maximum, unknown and the same", kMfa, {kMfa}, kMaximum, true},
    {"maximum, unknown answer", kMfa, {kSmartcard}, kMaximum, false},
    {"unknown name behind the prefix", ac("Magic"), {kNone}, kMinimum, false},
};

TEST(AuthnContext, Satisfies) {
  for (const Case& c : kCases) {
    EXPECT_EQ(context_satisfies(c.actual, c.requested, c.comparison), c.satisfied) << c.name;
  }
}

TEST(AuthnContext, NothingSatisfiesAnEmptyRequest) {
  for (const auto comparison : {kExact, kMinimum, kBetter, kMaximum}) {
    EXPECT_FALSE(context_satisfies(kSmartcard, {}, comparison)) << comparison_word(comparison);
  }
}

}  // namespace
}  // namespace sallyport::saml
