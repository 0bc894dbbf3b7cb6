// Finding the one IdP that is meant among the entities of a metadata document (SAML Metadata 2.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "xml/document.h"

namespace sallyport::saml {

// An EntityDescriptor; valid as long as its document.
struct MetadataEntity {
  xml::Element element;
  std::string entity_id;
  std::optional<Millis> valid_until;     // the earliest of its own and of all around it
  std::optional<Millis> cache_duration;  // the shortest of them
};

// The entity named `entity_id` when that is not empty, else the only one with an IDPSSODescriptor.
// Reason: config_invalid.
Result<MetadataEntity> choose_idp_entity(const xml::Element& root, std::string_view entity_id);

// The entity's IDPSSODescriptor for SAML 2.0; its validUntil and cacheDuration are taken into
// `entity`. Reason: config_invalid.
Result<xml::Element> choose_idp_role(MetadataEntity& entity);

// The error with the entity it is about in front.
Error in_entity(std::string_view entity_id, const Error& error);

}  // namespace sallyport::saml
