// Metadata of any kind: what is taken names one IdP with a key and a place to send users to, and
// asking for it by name finds the same.
#include <cstdlib>

#include "base/encoding.h"
#include "base/url.h"
#include "saml/idp_metadata.h"
#include "xml/document.h"

namespace {

using namespace sallyport;

constexpr std::size_t kMaxBytes = 1024 * 1024;

void require(bool promise) {
  if (!promise) std::abort();
}

void check(const saml::IdpMetadata& idp, Millis now) {
  require(!trim_blanks(idp.entity_id).empty());
  require(!idp.signing.empty());
  require(!idp.single_sign_on.empty());
  require(!idp.valid_until || *idp.valid_until > now);
  for (const saml::Endpoint& endpoint : idp.single_sign_on) {
    require(parse_url(endpoint.location).has_value());
  }
  for (const saml::Endpoint& endpoint : idp.single_logout) {
    require(parse_url(endpoint.location).has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  xml::initialize_parser();
  constexpr Millis kNow = 1795296660000;
  const std::string_view document(reinterpret_cast<const char*>(data), size);
  const auto idp = saml::parse_idp_metadata(document, "", kNow, kMaxBytes);
  if (!idp.ok()) {
    require(idp.error().reason == Reason::kConfigInvalid && !idp.error().detail.empty());
    return 0;
  }
  check(*idp, kNow);
  const auto named = saml::parse_idp_metadata(document, idp->entity_id, kNow, kMaxBytes);
  // The same name may stand twice when only one of the two is an IdP.
  if (named.ok()) require(named->entity_id == idp->entity_id);
  return 0;
}
