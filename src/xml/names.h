// Namespace and algorithm URIs.
#pragma once

#include <string_view>

namespace sallyport::xml {

constexpr std::string_view kNsSamlp = "urn:oasis:names:tc:SAML:2.0:protocol";
constexpr std::string_view kNsSaml = "urn:oasis:names:tc:SAML:2.0:assertion";
constexpr std::string_view kNsMetadata = "urn:oasis:names:tc:SAML:2.0:metadata";
constexpr std::string_view kNsDsig = "http://www.w3.org/2000/09/xmldsig#";
constexpr std::string_view kNsXenc = "http://www.w3.org/2001/04/xmlenc#";
constexpr std::string_view kNsXenc11 = "http://www.w3.org/2009/xmlenc11#";
constexpr std::string_view kNsXsi = "http://www.w3.org/2001/XMLSchema-instance";
constexpr std::string_view kExclusiveC14n = "http://www.w3.org/2001/10/xml-exc-c14n#";
constexpr std::string_view kEnvelopedSignature =
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
constexpr std::string_view kRsaOaepMgf1p = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
constexpr std::string_view kRsaOaep11 = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
constexpr std::string_view kRsa15Uri = "http://www.w3.org/2001/04/xmlenc#rsa-1_5";
constexpr std::string_view kEncryptedElement = "http://www.w3.org/2001/04/xmlenc#Element";
constexpr std::string_view kEncryptedKeyType = "http://www.w3.org/2001/04/xmlenc#EncryptedKey";

}  // namespace sallyport::xml
