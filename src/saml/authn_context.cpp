#include "saml/authn_context.h"

#include <algorithm>
#include <optional>

namespace sallyport::saml {

namespace {

struct ContextClass {
  std::string_view name;
  int strength;
};

constexpr std::string_view kClassPrefix = "urn:oasis:names:tc:SAML:2.0:ac:classes:";

constexpr ContextClass kClasses[] = {
    {"unspecified", 0},
    {"InternetProtocol", 1},
    {"Password", 2},
    {"InternetProtocolPassword", 2},
    {"PasswordProtectedTransport", 3},
    {"SecureRemotePassword", 3},
    {"Kerberos", 3},
    {"TLSClient", 4},
    {"X509", 4},
    {"SoftwarePKI", 4},
    {"PGP", 4},
    {"SPKI", 4},
    {"XMLDSig", 4},
    {"TimeSyncToken", 5},
    {"MobileTwoFactorUnregistered", 5},
    {"MobileTwoFactorContract", 5},
    {"Smartcard", 5},
    {"SmartcardPKI", 6},
};

std::optional<int> strength_of(std::string_view uri) {
  if (uri.substr(0, kClassPrefix.size()) != kClassPrefix) return std::nullopt;
  const std::string_view name = uri.substr(kClassPrefix.size());
  for (const ContextClass& known : kClasses) {
    if (known.name == name) return known.strength;
  }
  return std::nullopt;
}

// The difference in strength, when both contexts have one.
std::optional<int> stronger_by(std::string_view actual, std::string_view requested) {
  const auto a = strength_of(actual);
  const auto b = strength_of(requested);
  if (!a || !b) return std::nullopt;
  return *a - *b;
}

}  // namespace

std::string_view comparison_word(AuthnContextComparison comparison) {
  switch (comparison) {
    case AuthnContextComparison::kExact:
      return "exact";
    case AuthnContextComparison::kMinimum:
      return "minimum";
    case AuthnContextComparison::kBetter:
      return "better";
    case AuthnContextComparison::kMaximum:
      return "maximum";
  }
  return "exact";
}

bool context_satisfies(std::string_view actual, const std::vector<std::string>& requested,
                       AuthnContextComparison comparison) {
  const auto meets = [actual, comparison](const std::string& one) {
    const auto difference = stronger_by(actual, one);
    switch (comparison) {
      case AuthnContextComparison::kExact:
        return actual == one;
      case AuthnContextComparison::kMinimum:
        return actual == one || (difference && *difference >= 0);
      case AuthnContextComparison::kBetter:
        return difference && *difference > 0;
      case AuthnContextComparison::kMaximum:
        return actual == one || (difference && *difference <= 0);
    }
    return false;
  };
  if (comparison == AuthnContextComparison::kBetter) {
    return !requested.empty() && std::all_of(requested.begin(), requested.end(), meets);
  }
  return std::any_of(requested.begin(), requested.end(), meets);
}

}  // namespace sallyport::saml
