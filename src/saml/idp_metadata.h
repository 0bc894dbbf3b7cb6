// What an IdP says of itself in metadata (SAML Metadata 2.4.3), or what the operator wrote by hand.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "xml/document.h"
#include "xml/keys.h"

namespace sallyport::saml {

enum class Binding { kRedirect, kPost };

struct Endpoint {
  Binding binding;
  std::string location;  // an absolute http(s) URL, checked
};

struct IdpMetadata {
  std::string entity_id;
  std::vector<Endpoint> single_sign_on;    // in document order, Redirect and POST only
  std::vector<Endpoint> single_logout;     // ResponseLocation is not used yet
  std::vector<xml::Certificate> signing;   // KeyDescriptors with use="signing" or without use
  bool want_authn_requests_signed = false;
  std::optional<Millis> valid_until;       // the earliest of the EntityDescriptor's and the role's
  std::optional<Millis> cache_duration;
};

// Reads an EntityDescriptor, or an EntitiesDescriptor that holds exactly one IdP or the one named
// `entity_id`. An IdP without a usable signing key or without an SSO URL is refused; unusable
// certificates beside usable ones are passed over. Reason: config_invalid, the detail says in an
// operator's words what is wrong and what to do.
Result<IdpMetadata> parse_idp_metadata(std::string_view document, std::string_view entity_id,
                                       Millis now, std::size_t max_bytes);
// The same of a document's root.
Result<IdpMetadata> read_idp_metadata(const xml::Element& root, std::string_view entity_id, Millis now);
// Why a document could not be parsed, in an operator's words.
Error unreadable_metadata(const Error& error);

}  // namespace sallyport::saml
