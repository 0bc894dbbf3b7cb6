// AuthnRequests (SAML Core 3.4.1) over HTTP-Redirect (Bindings 3.4) and HTTP-POST (Bindings 3.5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/random.h"
#include "base/result.h"
#include "saml/idp_metadata.h"
#include "xml/keys.h"

namespace sallyport::saml {

enum class AuthnContextComparison { kExact, kMinimum, kBetter, kMaximum };

struct AuthnRequestSettings {
  std::string sp_entity_id;
  std::string acs_url;
  std::string destination;        // the IdP's SSO URL, may hold a query of its own
  std::string name_id_format;     // a URI; empty: NameIDPolicy without Format
  std::vector<std::string> authn_contexts;
  AuthnContextComparison comparison = AuthnContextComparison::kExact;
  bool force_authn = false;
};

// "_" and 40 hexadecimal digits (160 random bits); nullopt when randomness fails.
std::optional<std::string> make_request_id(Random& random);

// Everything of a request that does not change from one to the next, prepared once per configuration:
// the XML around ID and IssueInstant, and its DEFLATE form around a stored block, so that a redirect
// costs no compression (measured: 11 us instead of 31 to 106).
class AuthnRequestTemplate {
 public:
  explicit AuthnRequestTemplate(const AuthnRequestSettings& settings);

  // The document.
  std::string document(std::string_view id, Millis issue_instant, bool force_authn = false) const;

  // The URL to redirect to: destination?SAMLRequest=...&RelayState=...[&SigAlg=...&Signature=...]. `key`
  // null: unsigned. Reason: internal (signing failed).
  Result<std::string> redirect_url(std::string_view id, Millis issue_instant,
                                   std::string_view relay_state, const xml::PrivateKey* key,
                                   bool force_authn = false) const;

  // The SAMLRequest field of the form: base64 of the document, with an enveloped signature where a
  // key is given.
  Result<std::string> post_field(std::string_view id, Millis issue_instant,
                                 const xml::PrivateKey* key, const xml::Certificate* certificate,
                                 bool force_authn = false) const;

  const std::string& destination() const { return settings_.destination; }

 private:
  AuthnRequestSettings settings_;
  struct Variant {              // without and with ForceAuthn
    std::string before;         // XML before the ID attribute
    std::string after;          // XML behind IssueInstant
    std::string deflated_before;  // byte-aligned DEFLATE blocks of `before`
    std::string deflated_after;   // the same of `after`, ending the stream
  };
  Variant plain_;
  Variant forced_;
  std::string query_prefix_;    // destination with "?" or "&" and "SAMLRequest="
};

}  // namespace sallyport::saml
