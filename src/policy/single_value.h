// Attributes of which one value is wanted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/attributes.h"
#include "saml/assertion.h"

namespace sallyport::policy {

bool is_blank(std::string_view text);

// The values of an alias or Name; none where it was not sent.
const std::vector<std::string>& values_of(const AttributeMap& map, const std::vector<saml::Attribute>& attributes,
                                          std::string_view alias_or_name);

// The first value that is not blank; empty when there is none.
std::string single_value(const AttributeMap& map, const std::vector<saml::Attribute>& attributes,
                         std::string_view alias_or_name);

}  // namespace sallyport::policy
