// The service provider's own metadata (SAML Metadata 2.4.4).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "xml/encryption_algorithms.h"
#include "xml/keys.h"

namespace sallyport::saml {

struct SpMetadata {
  std::string entity_id;
  std::vector<std::string> acs_urls;           // HTTP-POST; the first is the default
  std::vector<std::string> slo_urls;           // empty: no SingleLogoutService is published
  std::vector<const xml::Certificate*> certificates;
  // RSA keys are offered for encryption too. Many IdPs encrypt as soon as they see such a key.
  bool can_decrypt = false;
  xml::EncryptionSet encryption = xml::EncryptionSet::defaults();  // what such keys are good for
  bool authn_requests_signed = false;
  bool want_assertions_signed = true;
  std::vector<std::string> name_id_formats;
  std::vector<std::string> requested_attributes;  // attribute Names; NameFormat uri with a ':'
  std::string service_name;
};

// The document, valid against saml-schema-metadata-2.0.xsd. `id` becomes the root's ID.
std::string sp_metadata_document(const SpMetadata& sp, std::string_view id);

}  // namespace sallyport::saml
