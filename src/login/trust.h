// One IdP as one service provider sees it: everything that a login between the two needs, prepared
// once per configuration.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/instant.h"
#include "policy/identity.h"
#include "saml/authn_request.h"
#include "saml/idp_metadata.h"
#include "saml/response.h"
#include "xml/decryption.h"
#include "xml/keys.h"

namespace sallyport::login {

struct HeaderLimits {
  std::size_t one = 4096;     // bytes per injected value
  std::size_t total = 16384;  // bytes of all standard values of a user
  bool cut_lists = false;     // saml_header_overflow cut
};

// What metadata says may be replaced between two turns of the event loop: certificates, validUntil, request and its binding and
// key, and at first the IdP's entity ID. Of a saml_idp_directory all but the name may.
struct Trust {
  std::string idp_name;      // of the saml_idp block
  std::string display_name;
  std::string sp_entity_id;
  std::string acs_url;
  std::string idp_entity_id;
  std::vector<xml::Certificate> certificates;
  xml::AlgorithmSet algorithms = xml::AlgorithmSet::defaults();
  saml::RequireSigned require_signed = saml::RequireSigned::kAny;
  saml::Binding request_binding = saml::Binding::kRedirect;
  saml::AuthnRequestTemplate request;
  std::vector<std::string> authn_contexts;  // asked for, so checked in the answer too
  saml::AuthnContextComparison comparison = saml::AuthnContextComparison::kExact;
  std::shared_ptr<const policy::IdentityRules> rules;  // shared by all servers that name the IdP
  const xml::PrivateKey* signing_key = nullptr;  // null: requests are unsigned
  const xml::Certificate* signing_certificate = nullptr;
  Digest binding{};                         // session::session_binding of the two
  std::vector<xml::DecryptionKey> decryption_keys{};  // empty: nothing encrypted is taken
  xml::EncryptionSet encryption = xml::EncryptionSet::defaults();
  bool require_encrypted = false;
  std::uint64_t rules_digest = 0;           // policy::digest_of the rules
  bool allow_unsolicited = false;           // IdP-initiated logins (Profiles 4.1.5)
  // When the saml_idp was seen to have changed, by the node's clock that is never set, where that needs no new configuration; 0
  // for all others. Between workers who looks first and who looks later tell by it whose rules are newer.
  std::uint32_t generation = 0;
  bool is_vacant = false;                   // a name whose IdP is not there now: no session counts, nobody logs in
  std::optional<Millis> valid_until{};      // of metadata that is looked at again while nginx runs: by URL

  // Why nobody can log in there now; none: the IdP's metadata has come, and counts. Reason: idp_unavailable.
  std::optional<Error> unavailable(Millis now) const {
    if (certificates.empty()) return Error{Reason::kIdpUnavailable, "its metadata has not come yet"};
    if (!valid_until || now < *valid_until) return std::nullopt;
    return Error{Reason::kIdpUnavailable, "its metadata expired at " + format_instant(*valid_until) +
                                              " (validUntil), and no newer document has come"};
  }
};

// The digest of all that decides what a user gets, with the user's own lines where a store keeps the list (else null).
inline std::uint64_t rules_digest_of(const Trust& trust, const policy::UserList* listed) {
  if (listed == nullptr) return trust.rules_digest;
  return hash_tag(std::to_string(trust.rules_digest) + std::string(as_view(listed->digest())));
}

}  // namespace sallyport::login
