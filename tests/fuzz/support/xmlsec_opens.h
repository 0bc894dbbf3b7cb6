// What is in an encrypted element, by xmlsec1.
#pragma once

#include <libxml/tree.h>
#include <openssl/evp.h>

#include "base/c_ptr.h"

namespace sallyport::fuzz {

// The document whose root holds what `holder` (EncryptedAssertion, EncryptedID, EncryptedAttribute) has encrypted for
// `recipient`; null when none of its EncryptedKeys leads to one element. Where xmlsec1 does not know how the key is wrapped
// (1.2 knows OAEP with SHA-1 only), OpenSSL unwraps it; the content is always xmlsec1's. The hints that stand beside the keys
// are left out: only what they are hints to is of interest.
CPtr<xmlDoc, xmlFreeDoc> xmlsec_opens(xmlNode* holder, EVP_PKEY* recipient);

}  // namespace sallyport::fuzz
