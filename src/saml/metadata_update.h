// Metadata that was fetched: whether it may replace what is in force (SAML Metadata 4.3), and what that changes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "saml/idp_metadata.h"
#include "xml/keys.h"

namespace sallyport::saml {

struct MetadataExpectation {
  const std::vector<xml::Certificate>* signers = nullptr;  // of the document's root; null: it need not be signed
  std::string_view entity_id;                              // chooses one of several; empty: there is one
  const IdpMetadata* current = nullptr;                    // what is in force; null: nothing yet
  Millis now = 0;
  std::size_t max_bytes = 0;
};

// The IdP of a document that may take the place of `current`: signed by one of the signers where there are such, of which only
// the verified octets are read; whatever parse_idp_metadata asks; of the same entity ID; and valid for at least as long, so that
// nobody can bring back an older one with a key that was given up (one that is signed may not lose its validUntil: it may be
// from before there was one). Reason: config_invalid, with an operator's words.
Result<IdpMetadata> check_metadata(std::string_view document, const MetadataExpectation& expected);

// How long after `now` to ask for it again: as often as `refresh` and cacheDuration say, and before it expires; but not more than
// once a minute where `refresh` does not say so.
Millis refresh_interval(const IdpMetadata& idp, Millis refresh, Millis now);

// What is new, for the log: certificates by fingerprint, URLs; empty: nothing of it. `before` may be null.
std::string describe_changes(const IdpMetadata* before, const IdpMetadata& after);

}  // namespace sallyport::saml
