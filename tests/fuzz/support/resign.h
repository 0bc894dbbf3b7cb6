// Documents whose signatures are made good again, as an identity provider gone wrong would: whatever
// stands in them gets past the signature.
#pragma once

#include <openssl/evp.h>

#include <string>
#include <string_view>

namespace sallyport::fuzz {

// The document with the DigestValue and SignatureValue that xmlsec1 makes for each Signature as it stands,
// inner ones first, by `rsa` or `ec` as its SignatureMethod wants. A Signature that xmlsec1 cannot make
// stays as it is; so does a document that is not well-formed, or with elements inside of a value. Nothing
// outside of the document is read.
std::string resigned(std::string_view document, EVP_PKEY* ec, EVP_PKEY* rsa);

// The same, but the Assertion of a Response, both of them signed, is signed as a document of its own and put back then:
// what the Response declares around it may spoil its signature. Empty when there is no such Assertion.
std::string resigned_alone(std::string_view document, EVP_PKEY* ec, EVP_PKEY* rsa);

}  // namespace sallyport::fuzz
