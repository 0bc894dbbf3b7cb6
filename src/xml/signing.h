// Our own enveloped signatures (AuthnRequest over HTTP-POST, signed metadata), made by xmlsec1.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "xml/keys.h"

namespace sallyport::xml {

// Once per worker; loads xmlsec1's OpenSSL backend without touching OpenSSL's own set-up. Safe to
// call again.
Status initialize_signing();

// `document` is a message of our own making whose root has an `ID`. Returns it with an enveloped
// signature over the root (exclusive C14N, SHA-256), placed behind the root's first child when that is
// saml:Issuer, else as first child; the certificate goes into KeyInfo. Reason: internal.
Result<std::string> sign_enveloped(std::string_view document, const PrivateKey& key,
                                   const Certificate& certificate);

}  // namespace sallyport::xml
