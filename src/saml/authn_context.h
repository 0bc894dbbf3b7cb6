// How an IdP authenticated the user, and whether that is as asked (SAML Core 3.3.2.2.1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::saml {

enum class AuthnContextComparison { kExact, kMinimum, kBetter, kMaximum };

// "exact", "minimum", "better", "maximum".
std::string_view comparison_word(AuthnContextComparison comparison);

// Whether `actual`, the AuthnContextClassRef of a statement, is what was asked for:
//   exact    one of `requested`;
//   minimum  as strong as one of them or stronger;
//   better   stronger than each of them;
//   maximum  no stronger than one of them.
// SAML leaves the order of strength to the deployment. Here, by the last part of the class URI
// (urn:oasis:names:tc:SAML:2.0:ac:classes:), from weak to strong:
//   0  unspecified
//   1  InternetProtocol
//   2  Password, InternetProtocolPassword
//   3  PasswordProtectedTransport, SecureRemotePassword, Kerberos
//   4  TLSClient, X509, SoftwarePKI, PGP, SPKI, XMLDSig
//   5  TimeSyncToken, MobileTwoFactorUnregistered, MobileTwoFactorContract, Smartcard
//   6  SmartcardPKI
// Any other context equals itself and is neither stronger nor weaker than another. URIs are
// compared byte for byte.
bool context_satisfies(std::string_view actual, const std::vector<std::string>& requested,
                       AuthnContextComparison comparison);

}  // namespace sallyport::saml
