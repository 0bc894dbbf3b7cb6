// URIs of SAML 2.0.
#pragma once

#include <string_view>

namespace sallyport::saml {

constexpr std::string_view kBindingRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
constexpr std::string_view kBindingPost = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
constexpr std::string_view kStatusSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success";
constexpr std::string_view kMethodBearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
constexpr std::string_view kFormatEntity = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";
constexpr std::string_view kFormatTransient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
constexpr std::string_view kFormatPersistent =
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
constexpr std::string_view kFormatEmail = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
constexpr std::string_view kFormatUnspecified =
    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
constexpr std::string_view kNameFormatUri = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";

}  // namespace sallyport::saml
