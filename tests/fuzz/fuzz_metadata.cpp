// Metadata of any kind: what is taken names one IdP with a key and a place to send users to, and
// asking for it by name finds the same.
#include <string>

#include "base/encoding.h"
#include "base/url.h"
#include "saml/aggregate_index.h"
#include "saml/idp_metadata.h"
#include "support/fuzz_target.h"
#include "support/xml_edits.h"
#include "xml/document.h"

namespace {

using namespace sallyport;

constexpr std::size_t kMaxBytes = 1024 * 1024;
constexpr Millis kNow = 1795296660000;  // 2026-11-21T21:31:00Z

void check(const saml::IdpMetadata& idp) {
  REQUIRE(!trim_blanks(idp.entity_id).empty());
  REQUIRE(!idp.signing.empty());
  REQUIRE(!idp.single_sign_on.empty());
  REQUIRE(!idp.valid_until || *idp.valid_until > kNow);
  for (const saml::Endpoint& endpoint : idp.single_sign_on) {
    REQUIRE(parse_url(endpoint.location).has_value());
  }
  for (const saml::Endpoint& endpoint : idp.single_logout) {
    REQUIRE(parse_url(endpoint.location).has_value());
  }
  for (const xml::Certificate& certificate : idp.signing) {
    const auto again = xml::Certificate::from_base64(certificate.base64());
    REQUIRE(again.ok() && again->fingerprint() == certificate.fingerprint());
    REQUIRE(certificate.key().is_rsa() ? certificate.key().bits() >= 2048
                                       : certificate.key().is_ec());
  }
}

// The same IdP, found without a tree of the whole.
void check_streamed(std::string_view document, const saml::IdpMetadata& idp) {
  const saml::ReadAt read = [&](std::uint64_t offset, std::size_t size) -> Result<std::string> {
    return std::string(offset < document.size() ? document.substr(static_cast<std::size_t>(offset), size) : "");
  };
  const auto index = saml::AggregateIndex::build(read);
  if (!index.ok()) {
    // The only thing that it is stricter with.
    REQUIRE(index.error().detail.find("a tag of over 64 KB") != std::string::npos ||
            index.error().detail.find("too many EntitiesDescriptors") != std::string::npos);
    return;
  }
  const auto alone = index->document_of(idp.entity_id, read);
  REQUIRE(alone.ok());
  const auto again = saml::parse_idp_metadata(*alone, idp.entity_id, kNow, alone->size());
  REQUIRE(again.ok() && again->entity_id == idp.entity_id && again->valid_until == idp.valid_until);
  REQUIRE(again->cache_duration == idp.cache_duration && again->signing.size() == idp.signing.size());
  REQUIRE(again->single_sign_on.size() == idp.single_sign_on.size());
  for (std::size_t i = 0; i < idp.signing.size(); ++i) REQUIRE(again->signing[i].base64() == idp.signing[i].base64());
  for (std::size_t i = 0; i < idp.single_sign_on.size(); ++i) {
    REQUIRE(again->single_sign_on[i].location == idp.single_sign_on[i].location);
  }
}

[[maybe_unused]] std::string mutate(std::string_view document, unsigned seed) {
  fuzz::Dice dice(seed);
  return fuzz::edited(document, dice.pick(fuzz::kAllEdits), {}, dice);
}

}  // namespace

FUZZ_MUTATOR(mutate);

FUZZ_TARGET(metadata) {
  xml::initialize_parser();
  const auto idp = saml::parse_idp_metadata(input, "", kNow, kMaxBytes);
  if (!idp.ok()) {
    REQUIRE(idp.error().reason == Reason::kConfigInvalid && !idp.error().detail.empty());
    // A document of several is asked for the one that its first name stands for.
    const auto named = saml::parse_idp_metadata(input, "https://idp.example.com/metadata", kNow,
                                                kMaxBytes);
    if (named.ok()) {
      REQUIRE(named->entity_id == "https://idp.example.com/metadata");
      check(*named);
      check_streamed(input, *named);
    }
    return;
  }
  check(*idp);
  const auto named = saml::parse_idp_metadata(input, idp->entity_id, kNow, kMaxBytes);
  // The same name may stand twice when only one of the two is an IdP.
  if (!named.ok()) return;
  REQUIRE(named->entity_id == idp->entity_id);
  check_streamed(input, *named);
}
