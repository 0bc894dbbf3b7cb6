#include "saml/metadata_update.h"

#include <algorithm>
#include <optional>

#include "xml/document.h"
#include "xml/signature.h"

namespace sallyport::saml {

namespace {

Error refusal(std::string detail) { return {Reason::kConfigInvalid, std::move(detail)}; }

Result<IdpMetadata> read_signed(std::string_view document, const MetadataExpectation& expected) {
  const xml::Limits limits = xml::metadata_limits(expected.max_bytes);
  const auto received = xml::Document::parse(document, limits);
  if (!received) return unreadable_metadata(received.error());
  const xml::SignatureVerifier verifier(*expected.signers, xml::AlgorithmSet::defaults());
  const auto verified = verifier.verify(received->root(), limits);
  if (!verified) {
    return refusal("the signature of the metadata is no good (" + std::string(reason_word(verified.error().reason)) + ": " +
                   verified.error().detail + "): it must be by the key of metadata_certificate");
  }
  return read_idp_metadata(verified->root().element(), expected.entity_id, expected.now);
}

Result<IdpMetadata> read(std::string_view document, const MetadataExpectation& expected) {
  if (expected.signers != nullptr) return read_signed(document, expected);
  return parse_idp_metadata(document, expected.entity_id, expected.now, expected.max_bytes);
}

constexpr Millis kShortestInterval = kMinute;

bool is_older(const IdpMetadata& idp, const IdpMetadata& current) {
  return current.valid_until && idp.valid_until && *idp.valid_until < *current.valid_until;
}

// A signature does not tell when it was made, and one without a date counts for ever. Who is believed for TLS alone says it now.
bool may_be_older(const IdpMetadata& idp, const IdpMetadata& current, bool is_signed) {
  return is_signed && current.valid_until && !idp.valid_until;
}

using Certificates = std::vector<xml::Certificate>;

bool has(const Certificates& certificates, const xml::Certificate& wanted) {
  return std::any_of(certificates.begin(), certificates.end(),
                     [&](const xml::Certificate& each) { return each.base64() == wanted.base64(); });
}

// Those of `some` that are not among `others`.
void add_certificates(std::string& out, char sign, const Certificates& some, const Certificates& others) {
  for (const xml::Certificate& each : some) {
    if (has(others, each)) continue;
    out += std::string(" ") + sign + "certificate " + each.fingerprint();
  }
}

std::string url_of(const IdpMetadata& idp) { return idp.single_sign_on.empty() ? "" : idp.single_sign_on.front().location; }

}  // namespace

Result<IdpMetadata> check_metadata(std::string_view document, const MetadataExpectation& expected) {
  auto idp = read(document, expected);
  if (!idp || expected.current == nullptr) return idp;
  const IdpMetadata& current = *expected.current;
  if (idp->entity_id != current.entity_id) {
    return refusal("the metadata is of " + idp->entity_id + ", and that in force of " + current.entity_id +
                   ": sessions and users belong to an entity ID; if the IdP has a new one, remove the copy and reload");
  }
  if (is_older(*idp, current)) {
    return refusal("the metadata is older than that in force: valid until " + format_instant(*idp->valid_until) +
                   " instead of " + format_instant(*current.valid_until));
  }
  if (may_be_older(*idp, current, expected.signers != nullptr)) {
    return refusal("the metadata has no validUntil, and that in force has (" + format_instant(*current.valid_until) +
                   "): the signature fits an older document as well; if the IdP no longer writes it, remove the copy and reload");
  }
  return idp;
}

Millis refresh_interval(const IdpMetadata& idp, Millis refresh, Millis now) {
  Millis interval = std::min(refresh, idp.cache_duration.value_or(refresh));
  // Half of what is left: there is time for more than one try.
  if (idp.valid_until) interval = std::min(interval, (*idp.valid_until - now) / 2);
  return std::max(interval, std::min(refresh, kShortestInterval));
}

std::string describe_changes(const IdpMetadata* before, const IdpMetadata& after) {
  static const IdpMetadata kNone;
  const IdpMetadata& old = before == nullptr ? kNone : *before;
  std::string changes;
  if (old.entity_id != after.entity_id) changes += " entity_id=" + after.entity_id;
  if (url_of(old) != url_of(after)) changes += " sso_url=" + url_of(after);
  add_certificates(changes, '+', after.signing, old.signing);
  add_certificates(changes, '-', old.signing, after.signing);
  if (old.want_authn_requests_signed != after.want_authn_requests_signed) {
    changes += after.want_authn_requests_signed ? " +signed requests wanted" : " -signed requests wanted";
  }
  return changes.empty() ? changes : changes.substr(1);
}

}  // namespace sallyport::saml
