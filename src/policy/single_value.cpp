#include "policy/single_value.h"

#include "base/encoding.h"

namespace sallyport::policy {

bool is_blank(std::string_view text) { return trim_blanks(text).empty(); }

const std::vector<std::string>& values_of(const AttributeMap& map, const std::vector<saml::Attribute>& attributes,
                                          std::string_view alias_or_name) {
  static const std::vector<std::string> kNone;
  const saml::Attribute* attribute = map.find(attributes, alias_or_name);
  return attribute == nullptr ? kNone : attribute->values;
}

std::string single_value(const AttributeMap& map, const std::vector<saml::Attribute>& attributes,
                         std::string_view alias_or_name) {
  for (const std::string& value : values_of(map, attributes, alias_or_name)) {
    if (!is_blank(value)) return value;
  }
  return {};
}

}  // namespace sallyport::policy
