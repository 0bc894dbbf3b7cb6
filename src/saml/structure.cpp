#include "saml/structure.h"

#include "base/encoding.h"
#include "saml/names.h"

namespace sallyport::saml {

namespace {

std::string name_of(const xml::Element& element) { return std::string(element.local_name()); }

}  // namespace

Error structure_error(std::string detail) {
  return {Reason::kStructureInvalid, std::move(detail)};
}

Error unexpected_child(const xml::Element& child, const xml::Element& parent) {
  return structure_error("element " + name_of(child) + " is not expected at its place in " + name_of(parent));
}

Status check_no_stray_text(const xml::Element& parent) {
  if (!parent.has_stray_text()) return Done{};
  return structure_error("text between the elements of " + name_of(parent));
}

std::optional<std::string> attribute_string(const xml::Element& element, std::string_view name) {
  const auto value = element.attribute(name);
  if (!value) return std::nullopt;
  return std::string(*value);
}

Result<std::string> required_attribute(const xml::Element& element, std::string_view name) {
  const auto value = element.attribute(name);
  if (!value || trim_blanks(*value).empty()) {
    return structure_error(name_of(element) + " without " + std::string(name));
  }
  return std::string(*value);
}

Result<std::optional<Millis>> instant_attribute(const xml::Element& element,
                                                std::string_view name) {
  const auto value = element.attribute(name);
  if (!value) return std::optional<Millis>();
  const auto instant = parse_instant(*value);
  if (!instant) {
    return structure_error(expected_received(name_of(element) + " " + std::string(name),
                                             "a UTC time", *value));
  }
  return instant;
}

Result<Millis> required_instant(const xml::Element& element, std::string_view name) {
  auto instant = instant_attribute(element, name);
  if (!instant.ok()) return std::move(instant).error();
  if (!*instant) return structure_error(name_of(element) + " without " + std::string(name));
  return **instant;
}

Result<std::string> required_text(const xml::Element& element) {
  const auto text = element.text();
  if (!text) return structure_error(name_of(element) + " holds elements instead of text");
  if (trim_blanks(*text).empty()) return structure_error(name_of(element) + " is empty");
  return std::string(*text);
}

Status check_version(const xml::Element& element) {
  const std::string_view version = element.attribute("Version").value_or("");
  if (version == "2.0") return Done{};
  return Error{Reason::kVersionMismatch,
               expected_received(name_of(element) + " Version", "2.0", version)};
}

Result<std::string> read_issuer(const xml::Element& issuer) {
  const std::string_view format = issuer.attribute("Format").value_or(kFormatEntity);
  if (format != kFormatEntity) {
    return Error{Reason::kIssuerMismatch,
                 expected_received("Issuer Format", kFormatEntity, format)};
  }
  for (const char* qualifier : {"NameQualifier", "SPNameQualifier", "SPProvidedID"}) {
    if (issuer.attribute(qualifier)) {
      return Error{Reason::kIssuerMismatch, std::string("an Issuer with ") + qualifier};
    }
  }
  return required_text(issuer);
}

}  // namespace sallyport::saml
