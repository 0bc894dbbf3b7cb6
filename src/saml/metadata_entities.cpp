#include "saml/metadata_entities.h"

#include <algorithm>
#include <vector>

#include "base/encoding.h"
#include "xml/names.h"

namespace sallyport::saml {

namespace {

constexpr std::size_t kMaxEntityId = 1024;  // Metadata 2.2.1
constexpr std::string_view kIdpRole = "IDPSSODescriptor";

Error invalid(std::string detail) { return {Reason::kConfigInvalid, std::move(detail)}; }

// Angle brackets, as in other details: the log would escape quotes.
std::string quoted(std::string_view text) {
  constexpr std::size_t kMaxShown = 256;
  return "<" + std::string(text.substr(0, kMaxShown)) + ">";
}

// Until when an element and what it holds may be used.
struct Lifetime {
  std::optional<Millis> valid_until;
  std::optional<Millis> cache_duration;
};

void keep_smaller(std::optional<Millis>& kept, std::optional<Millis> other) {
  if (other && (!kept || *other < *kept)) kept = other;
}

// Narrows `lifetime` by the element's own attributes. A cacheDuration with years or months is a
// hint of no use here and is passed over.
Status narrow(Lifetime& lifetime, const xml::Element& element) {
  if (const auto text = element.attribute("validUntil")) {
    const auto instant = parse_instant(*text);
    if (!instant) return invalid("validUntil " + quoted(*text) + " is not a UTC time");
    keep_smaller(lifetime.valid_until, instant);
  }
  if (const auto text = element.attribute("cacheDuration")) {
    keep_smaller(lifetime.cache_duration, parse_duration(*text));
  }
  return Done{};
}

struct Found {
  xml::Element element;
  Lifetime around;  // of the EntitiesDescriptors that hold it
};

// All EntityDescriptors in document order. The document's depth is bounded, so recursion is too.
Status collect(const xml::Element& element, Lifetime around, std::vector<Found>& out) {
  if (element.is(xml::kNsMetadata, "EntityDescriptor")) {
    out.push_back({element, around});
    return Done{};
  }
  if (!element.is(xml::kNsMetadata, "EntitiesDescriptor")) return Done{};
  SALLYPORT_TRY(narrow(around, element));
  for (const xml::Element& child : element.children()) {
    SALLYPORT_TRY(collect(child, around, out));
  }
  return Done{};
}

bool has_role(const Found& found, std::string_view role) {
  return found.element.count_children(xml::kNsMetadata, role) > 0;
}

std::string_view entity_id_of(const Found& found) {
  return found.element.attribute("entityID").value_or("");
}

// The first few names, for a message.
std::string list_names(const std::vector<Found>& entities) {
  constexpr std::size_t kShown = 5;
  std::string out;
  for (std::size_t i = 0; i < entities.size() && i < kShown; ++i) {
    out += (i == 0 ? "" : ", ") + quoted(entity_id_of(entities[i]));
  }
  if (entities.size() > kShown) {
    out += " and " + std::to_string(entities.size() - kShown) + " more";
  }
  return out;
}

Result<Found> choose_by_name(const std::vector<Found>& entities, std::string_view entity_id) {
  std::vector<Found> named;
  for (const Found& found : entities) {
    if (entity_id_of(found) == entity_id) named.push_back(found);
  }
  if (named.size() == 1) return named.front();
  if (named.size() > 1) {
    return invalid("the metadata holds the entity " + quoted(entity_id) + " more than once");
  }
  return invalid("the metadata holds no entity " + quoted(entity_id) + ", but " +
                 list_names(entities) + ": correct metadata_entity or entity_id");
}

Result<Found> choose_only_idp(const std::vector<Found>& entities) {
  std::vector<Found> idps;
  for (const Found& found : entities) {
    if (has_role(found, kIdpRole)) idps.push_back(found);
  }
  // A lone entity without the role gets its own words in choose_idp_role.
  if (idps.empty() && entities.size() == 1) return entities.front();
  if (idps.size() == 1) return idps.front();
  if (idps.empty()) return invalid("the metadata holds no identity provider (no IDPSSODescriptor)");
  return invalid("the metadata holds " + std::to_string(idps.size()) + " identity providers (" +
                 list_names(idps) + "): choose one with metadata_entity");
}

Result<MetadataEntity> read_entity(const Found& found) {
  const std::string_view entity_id = entity_id_of(found);
  if (trim_blanks(entity_id).empty()) return invalid("an EntityDescriptor without entityID");
  if (entity_id.size() > kMaxEntityId) return invalid("an entityID of over 1024 bytes");
  Lifetime lifetime = found.around;
  auto status = narrow(lifetime, found.element);
  if (!status.ok()) return in_entity(entity_id, status.error());
  return MetadataEntity{found.element, std::string(entity_id), lifetime.valid_until,
                        lifetime.cache_duration};
}

Error wrong_root(const xml::Element& root) {
  return invalid("this is not SAML 2.0 metadata: the root element is " + quoted(root.local_name()) +
                 (root.namespace_uri().empty() ? " without namespace"
                                               : " in " + quoted(root.namespace_uri())) +
                 ", expected EntityDescriptor or EntitiesDescriptor in " +
                 quoted(xml::kNsMetadata));
}

// Whether a list of blank-separated URIs holds SAML 2.0's.
bool supports_saml2(const xml::Element& role) {
  std::string_view list = role.attribute("protocolSupportEnumeration").value_or("");
  while (!(list = trim_blanks(list)).empty()) {
    const std::size_t end = std::min(list.find_first_of(" \t\r\n"), list.size());
    if (list.substr(0, end) == xml::kNsSamlp) return true;
    list.remove_prefix(end);
  }
  return false;
}

Error no_idp_role(const xml::Element& entity) {
  if (entity.count_children(xml::kNsMetadata, kIdpRole) > 0) {
    return invalid("its IDPSSODescriptor does not support the protocol " + quoted(xml::kNsSamlp) +
                   ": the IdP must speak SAML 2.0");
  }
  if (entity.count_children(xml::kNsMetadata, "SPSSODescriptor") > 0) {
    return invalid(
        "this is the metadata of a service provider (SPSSODescriptor): use the identity "
        "provider's");
  }
  return invalid("no IDPSSODescriptor: this is not the metadata of an identity provider");
}

}  // namespace

Error in_entity(std::string_view entity_id, const Error& error) {
  return {error.reason, "entity " + quoted(entity_id) + ": " + error.detail};
}

Result<MetadataEntity> choose_idp_entity(const xml::Element& root, std::string_view entity_id) {
  if (!root.is(xml::kNsMetadata, "EntityDescriptor") &&
      !root.is(xml::kNsMetadata, "EntitiesDescriptor")) {
    return wrong_root(root);
  }
  std::vector<Found> entities;
  SALLYPORT_TRY(collect(root, {}, entities));
  if (entities.empty()) return invalid("the metadata holds no EntityDescriptor");
  auto chosen = entity_id.empty() ? choose_only_idp(entities) : choose_by_name(entities, entity_id);
  if (!chosen.ok()) return std::move(chosen).error();
  return read_entity(*chosen);
}

Result<xml::Element> choose_idp_role(MetadataEntity& entity) {
  std::optional<xml::Element> chosen;
  for (const xml::Element& child : entity.element.children()) {
    if (!child.is(xml::kNsMetadata, kIdpRole) || !supports_saml2(child)) continue;
    if (chosen) return invalid("two IDPSSODescriptors for SAML 2.0");
    chosen = child;
  }
  if (!chosen) return no_idp_role(entity.element);
  Lifetime lifetime{entity.valid_until, entity.cache_duration};
  SALLYPORT_TRY(narrow(lifetime, *chosen));
  entity.valid_until = lifetime.valid_until;
  entity.cache_duration = lifetime.cache_duration;
  return *chosen;
}

}  // namespace sallyport::saml
