// Namespace and algorithm URIs.
#pragma once

#include <string_view>

namespace sallyport::xml {

constexpr std::string_view kNsSamlp = "urn:oasis:names:tc:SAML:2.0:protocol";
constexpr std::string_view kNsSaml = "urn:oasis:names:tc:SAML:2.0:assertion";
constexpr std::string_view kNsMetadata = "urn:oasis:names:tc:SAML:2.0:metadata";
constexpr std::string_view kNsDsig = "http://www.w3.org/2000/09/xmldsig#";
constexpr std::string_view kNsXenc = "http://www.w3.org/2001/04/xmlenc#";
constexpr std::string_view kNsXsi = "http://www.w3.org/2001/XMLSchema-instance";
constexpr std::string_view kExclusiveC14n = "http://www.w3.org/2001/10/xml-exc-c14n#";
constexpr std::string_view kEnvelopedSignature =
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

}  // namespace sallyport::xml
