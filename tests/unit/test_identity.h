// A key with its certificate, as a peer has them; made anew in each run, so that no private key
// lies in the tree.
#pragma once

#include "xml/keys.h"
#include "xml_test_util.h"

namespace sallyport::testing {

struct Identity {
  xml::PrivateKey key;
  xml::Certificate certificate;
};

// `key` outlives the process's tests.
inline Identity make_identity(EVP_PKEY* key) {
  return {test::private_key_of(key), test::certificate_of(key)};
}

// Made once per process.
inline const Identity& rsa_identity() {
  static const Identity identity = make_identity(test::rsa_key());
  return identity;
}
inline const Identity& other_rsa_identity() {
  static const Identity identity = make_identity(test::other_rsa_key());
  return identity;
}
inline const Identity& ec_identity() {
  static const Identity identity = make_identity(test::ec_key());
  return identity;
}

}  // namespace sallyport::testing
