// Keys with self-signed certificates, made anew in each run so that no private key lies in the tree.
#pragma once

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <string>

#include "base/c_ptr.h"
#include "xml/keys.h"

namespace sallyport::testing {

struct Identity {
  std::string key_pem;
  std::string certificate_pem;
  xml::PrivateKey key;
  xml::Certificate certificate;
};

// The text that a PEM_write_bio function writes.
template <class Write>
std::string to_pem(Write write) {
  const CPtr<BIO, BIO_free_all> bio(BIO_new(BIO_s_mem()));
  write(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// Takes the key over.
inline Identity make_identity(EVP_PKEY* raw_key) {
  const CPtr<EVP_PKEY, EVP_PKEY_free> key(raw_key);
  const CPtr<X509, X509_free> certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24L * 3600);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());

  std::string key_pem = to_pem([&](BIO* bio) {
    PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  std::string pem = to_pem([&](BIO* bio) { PEM_write_bio_X509(bio, certificate.get()); });
  auto private_key = xml::PrivateKey::from_pem(key_pem);
  auto parsed = xml::Certificate::from_pem(pem, true);
  if (!private_key.ok() || !parsed.ok()) std::abort();
  return {std::move(key_pem), std::move(pem), std::move(*private_key), std::move(*parsed)};
}

// Made once per process; `other` is a second one of the same kind.
inline const Identity& rsa_identity() {
  static const Identity identity = make_identity(EVP_RSA_gen(2048));
  return identity;
}
inline const Identity& other_rsa_identity() {
  static const Identity identity = make_identity(EVP_RSA_gen(2048));
  return identity;
}
inline const Identity& ec_identity() {
  static const Identity identity = make_identity(EVP_EC_gen("P-256"));
  return identity;
}

}  // namespace sallyport::testing
