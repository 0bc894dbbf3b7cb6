// AuthnRequests (SAML Core 3.4.1) over HTTP-Redirect (Bindings 3.4) and HTTP-POST (Bindings 3.5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/random.h"
#include "base/result.h"
#include "saml/authn_context.h"
#include "saml/redirect_encoding.h"
#include "xml/keys.h"

namespace sallyport::saml {

struct AuthnRequestSettings {
  std::string sp_entity_id;
  std::string acs_url;
  std::string destination;        // the IdP's SSO URL, may hold a query of its own
  std::string name_id_format;     // a URI; empty or unspecified: NameIDPolicy without Format
  std::vector<std::string> authn_contexts;
  AuthnContextComparison comparison = AuthnContextComparison::kExact;
  bool force_authn = false;
};

// "_" and 40 hexadecimal digits (160 random bits); nullopt when randomness fails.
std::optional<std::string> make_request_id(Random& random);

// Everything of a request that does not change from one to the next, prepared once per
// configuration: the XML around ID and IssueInstant, and its DEFLATE form around a stored block, so
// that a redirect costs no compression.
//
// An `id` below is an xs:ID of at most 256 bytes, as make_request_id makes it; it is written as it
// is.
class AuthnRequestTemplate {
 public:
  // Of no IdP: not to be used before another one is put in its place.
  AuthnRequestTemplate() = default;
  explicit AuthnRequestTemplate(const AuthnRequestSettings& settings);

  // The document. ForceAuthn is asked for when the settings or the caller want it.
  std::string document(std::string_view id, Millis issue_instant, bool force_authn = false) const;

  // The URL to redirect to:
  // destination?SAMLRequest=...[&RelayState=...][&SigAlg=...&Signature=...]. An empty RelayState is
  // left out. `key` null: unsigned; else the signature is over the query as it is sent (Bindings
  // 3.4.4.1), its value as XML-DSig writes it. Reason: internal (signing failed).
  Result<std::string> redirect_url(std::string_view id, Millis issue_instant,
                                   std::string_view relay_state, const xml::PrivateKey* key,
                                   bool force_authn = false) const;

  // The SAMLRequest field of the form: base64 of the document, with an enveloped signature where a
  // key is given (`certificate` is that key's and goes into KeyInfo). Reason: internal.
  Result<std::string> post_field(std::string_view id, Millis issue_instant,
                                 const xml::PrivateKey* key, const xml::Certificate* certificate,
                                 bool force_authn = false) const;

  const std::string& destination() const { return settings_.destination; }

 private:
  struct Variant {             // without and with ForceAuthn
    std::string before;        // XML up to the ID's value
    std::string after;         // XML behind IssueInstant's value
    SplicedDeflate deflated;   // both, for the redirect
  };
  const Variant& variant(bool force_authn) const;

  AuthnRequestSettings settings_;
  Variant plain_;
  Variant forced_;
  std::string query_prefix_;   // destination with "?" or "&" and "SAMLRequest="
};

}  // namespace sallyport::saml
