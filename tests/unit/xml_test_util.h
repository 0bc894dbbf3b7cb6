// Keys, signed messages of any algorithm and shape, and xmlsec1 as second opinion, for tests of the
// XML layer and above. Independent of src/xml/canonical and src/xml/signature_value on purpose:
// what those do wrong must not be done wrong here too.
#pragma once

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/errors.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmltree.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/c_ptr.h"
#include "base/encoding.h"
#include "xml/keys.h"
#include "xml/signing.h"

namespace sallyport::test {

using Key = CPtr<EVP_PKEY, EVP_PKEY_free>;

// ---- keys ----

inline Key make_rsa(unsigned bits) { return Key(EVP_RSA_gen(bits)); }
inline Key make_ec(const char* curve) { return Key(EVP_EC_gen(curve)); }

inline std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

inline std::string private_pem(EVP_PKEY* key) {
  const CPtr<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(out.get());
}

// A certificate with fixed dates (2020-01-01 to 2040-01-01), by its own key or, with another issuer's name, as if by a CA's.
inline CPtr<X509, X509_free> make_certificate(EVP_PKEY* key, const X509* issuer = nullptr) {
  CPtr<X509, X509_free> certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate.get()), "20200101000000Z");
  ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate.get()), "20400101000000Z");
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("idp.example"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), issuer == nullptr ? name : X509_get_subject_name(issuer));
  const bool has_digest = EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519;
  X509_sign(certificate.get(), key, has_digest ? EVP_sha256() : nullptr);
  return certificate;
}

inline std::string pem_of(X509* certificate) {
  const CPtr<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  return text_of(out.get());
}

inline std::string certificate_pem(EVP_PKEY* key) { return pem_of(make_certificate(key).get()); }

// One key of each kind for all tests of a process: making an RSA key takes a while.
inline EVP_PKEY* rsa_key() {
  static const Key key = make_rsa(2048);
  return key.get();
}
inline EVP_PKEY* other_rsa_key() {
  static const Key key = make_rsa(2048);
  return key.get();
}
inline EVP_PKEY* ec_key(const char* curve = "P-256") {
  static const Key p256 = make_ec("P-256");
  static const Key p384 = make_ec("P-384");
  static const Key p521 = make_ec("P-521");
  const std::string_view name = curve;
  return (name == "P-384" ? p384 : name == "P-521" ? p521 : p256).get();
}

// Aborts the process when the key is refused.
inline xml::Certificate certificate_of(EVP_PKEY* key, bool allow_weak = false) {
  auto certificate = xml::Certificate::from_pem(certificate_pem(key), allow_weak);
  if (!certificate.ok()) std::abort();
  return std::move(certificate).value();
}

inline xml::PrivateKey private_key_of(EVP_PKEY* key) {
  auto made = xml::PrivateKey::from_pem(private_pem(key));
  if (!made.ok()) std::abort();
  return std::move(made).value();
}

// ---- text ----

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  if (at == text.npos) std::abort();  // a test that edits nothing tests nothing
  return text.replace(at, from.size(), to);
}

// ---- a test-only signer ----

// What a Signature looks like. Each part may be edited before signing, so that odd shapes carry
// right digests and right values.
struct SignatureTemplate {
  std::string signature =
      "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">@SIGNED_INFO@"
      "<ds:SignatureValue>@VALUE@</ds:SignatureValue></ds:Signature>";
  std::string signed_info =
      "<ds:SignedInfo><ds:CanonicalizationMethod "
      "Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>"
      "<ds:SignatureMethod Algorithm=\"@METHOD@\"/>"
      "<ds:Reference URI=\"#@ID@\"><ds:Transforms>"
      "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>"
      "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>"
      "<ds:DigestMethod Algorithm=\"@DIGEST_METHOD@\"/><ds:DigestValue>@DIGEST@</ds:DigestValue>"
      "</ds:Reference></ds:SignedInfo>";
  std::string method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
  std::string digest_method = "http://www.w3.org/2001/04/xmlenc#sha256";
  // What the signer really does, by OpenSSL's names.
  std::string value_digest = "SHA256";
  std::string digest = "SHA256";
  bool pss = false;
  int pss_salt = RSA_PSS_SALTLEN_DIGEST;
  bool ecdsa_as_der = false;
  std::string hmac_key;  // not empty: HMAC instead of the key
  int canonical_mode = XML_C14N_EXCLUSIVE_1_0;
  std::string inclusive_prefix;  // the one prefix of the reference's PrefixList, as signed
};

struct CanonicalScope {
  const xmlNode* apex;
  const xmlNode* without;
};

inline int is_in_scope(void* data, xmlNodePtr node, xmlNodePtr parent) {
  const auto* scope = static_cast<const CanonicalScope*>(data);
  const bool is_namespace = node != nullptr && node->type == XML_NAMESPACE_DECL;
  for (const xmlNode* at = is_namespace ? parent : node; at != nullptr; at = at->parent) {
    if (at == scope->without) return 0;
    if (at == scope->apex) return 1;
  }
  return 0;
}

inline std::string canonical(xmlDoc* document, const xmlNode* apex, const xmlNode* without,
                             int mode, const std::string& prefix) {
  std::string octets;
  const auto write = [](void* out, const char* data, int size) {
    static_cast<std::string*>(out)->append(data, static_cast<std::size_t>(size));
    return size;
  };
  xmlOutputBuffer* buffer = xmlOutputBufferCreateIO(write, nullptr, &octets, nullptr);
  CanonicalScope scope{apex, without};
  std::string prefix_copy = prefix;
  xmlChar* prefixes[] = {reinterpret_cast<xmlChar*>(prefix_copy.data()), nullptr};
  xmlC14NExecute(document, is_in_scope, &scope, mode, prefix.empty() ? nullptr : prefixes, 0,
                 buffer);
  xmlOutputBufferClose(buffer);
  return octets;
}

inline xmlNode* find_element(xmlNode* from, std::string_view name, std::string_view id = {}) {
  for (xmlNode* node = from; node != nullptr; node = node->next) {
    if (node->type != XML_ELEMENT_NODE) continue;
    xmlChar* value = xmlGetNoNsProp(node, BAD_CAST "ID");
    const bool same_id =
        id.empty() || (value != nullptr && id == reinterpret_cast<const char*>(value));
    xmlFree(value);
    const bool same_name = name.empty() || name == reinterpret_cast<const char*>(node->name);
    if (same_id && same_name) return node;
    if (xmlNode* found = find_element(node->children, name, id)) return found;
  }
  return nullptr;
}

inline CPtr<xmlDoc, xmlFreeDoc> read_xml(std::string_view text) {
  return CPtr<xmlDoc, xmlFreeDoc>(
      xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                    XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
}

inline std::string digest_of_bytes(std::string_view bytes, const std::string& name) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
             EVP_get_digestbyname(name.c_str()), nullptr);
  digest.resize(size);
  return digest;
}

// r|s of a DER signature, each half padded to the curve's size.
inline std::string raw_ecdsa(const std::string& der, EVP_PKEY* key) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const CPtr<ECDSA_SIG, ECDSA_SIG_free> value(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  const int half = (EVP_PKEY_get_bits(key) + 7) / 8;
  std::string raw(static_cast<std::size_t>(2 * half), '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(value.get()), out, half);
  BN_bn2binpad(ECDSA_SIG_get0_s(value.get()), out + half, half);
  return raw;
}

inline std::string signature_value(std::string_view bytes, const SignatureTemplate& how,
                                   EVP_PKEY* key) {
  const EVP_MD* method = EVP_get_digestbyname(how.value_digest.c_str());
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  if (!how.hmac_key.empty()) {
    std::string value(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    HMAC(method, how.hmac_key.data(), static_cast<int>(how.hmac_key.size()), data, bytes.size(),
         reinterpret_cast<unsigned char*>(value.data()), &size);
    value.resize(size);
    return value;
  }
  const CPtr<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  EVP_DigestSignInit(context.get(), &key_context, method, nullptr, key);
  if (how.pss) {
    EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, how.pss_salt);
  }
  std::size_t size = 0;
  EVP_DigestSign(context.get(), nullptr, &size, data, bytes.size());
  std::string value(size, '\0');
  EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(value.data()), &size, data,
                 bytes.size());
  value.resize(size);
  const bool raw = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && !how.ecdsa_as_der;
  return raw ? raw_ecdsa(value, key) : value;
}

// The SignedInfo of the Signature that is a direct child of the element with `id`.
inline xmlNode* find_signed_info(xmlDoc* document, std::string_view id) {
  xmlNode* element = find_element(xmlDocGetRootElement(document), "", id);
  xmlNode* signature =
      element == nullptr ? nullptr : xmlSecFindChild(element, xmlSecNodeSignature, xmlSecDSigNs);
  return signature == nullptr ? nullptr : find_element(signature->children, "SignedInfo");
}

// Puts a Signature over the element with `id` where the mark stands ("@SIGN:id@").
inline std::string sign(std::string document, const std::string& id, EVP_PKEY* key,
                        const SignatureTemplate& how = {}) {
  const std::string mark = "@SIGN:" + id + "@";
  std::string signed_info = how.signed_info;
  const auto fill = [](std::string& text, std::string_view name, const std::string& value) {
    for (std::size_t at = text.find(name); at != text.npos;
         at = text.find(name, at + value.size())) {
      text.replace(at, name.size(), value);
    }
  };
  {
    const auto plain = read_xml(replaced(document, mark, ""));
    const xmlNode* element = find_element(xmlDocGetRootElement(plain.get()), "", id);
    const std::string octets =
        canonical(plain.get(), element, nullptr, how.canonical_mode, how.inclusive_prefix);
    fill(signed_info, "@DIGEST@", base64_encode(digest_of_bytes(octets, how.digest)));
  }
  fill(signed_info, "@ID@", id);
  fill(signed_info, "@METHOD@", how.method);
  fill(signed_info, "@DIGEST_METHOD@", how.digest_method);
  document = replaced(document, mark, replaced(how.signature, "@SIGNED_INFO@", signed_info));
  const auto unsigned_yet = read_xml(document);
  const xmlNode* info =
      unsigned_yet == nullptr ? nullptr : find_signed_info(unsigned_yet.get(), id);
  // Where an edit left nothing to sign, any value will do.
  const std::string octets =
      info == nullptr ? "" : canonical(unsigned_yet.get(), info, nullptr, how.canonical_mode, "");
  fill(document, "@VALUE@", base64_encode(signature_value(octets, how, key)));
  return document;
}

// ---- messages ----

// A Response "_r" with one Assertion "_a", with marks for both signatures. `groups` values of an
// attribute make it as long as wished.
inline std::string response_to_sign(int groups = 3) {
  std::string text =
      "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
      "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_r\" Version=\"2.0\" "
      "IssueInstant=\"2026-11-21T21:00:00Z\" Destination=\"https://app.example.com/saml/acs\" "
      "InResponseTo=\"_q\"><saml:Issuer>https://idp.example/metadata</saml:Issuer>@SIGN:_r@"
      "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>"
      "</samlp:Status><saml:Assertion xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" ID=\"_a\" Version=\"2.0\" "
      "IssueInstant=\"2026-11-21T21:00:00Z\"><saml:Issuer>https://idp.example/metadata</"
      "saml:Issuer>"
      "@SIGN:_a@<saml:Subject><saml:NameID "
      "Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">ana@example.com</"
      "saml:NameID>"
      "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">"
      "<saml:SubjectConfirmationData NotOnOrAfter=\"2026-11-21T21:05:00Z\" "
      "Recipient=\"https://app.example.com/saml/acs\" InResponseTo=\"_q\"/>"
      "</saml:SubjectConfirmation></saml:Subject><saml:Conditions "
      "NotBefore=\"2026-11-21T20:59:30Z\" NotOnOrAfter=\"2026-11-21T21:05:00Z\">"
      "<saml:AudienceRestriction><saml:Audience>https://app.example.com/saml/metadata"
      "</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement "
      "AuthnInstant=\"2026-11-21T21:00:00Z\" SessionIndex=\"_s\"><saml:AuthnContext>"
      "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
      "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"
      "<saml:AttributeStatement><saml:Attribute Name=\"groups\" "
      "NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\">";
  for (int i = 0; i < groups; ++i) {
    text += "<saml:AttributeValue xsi:type=\"xs:string\">group " + std::to_string(i) +
            " &amp; friends</saml:AttributeValue>";
  }
  return text + "</saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>";
}

enum class Signed { kNone, kResponse, kAssertion, kBoth };

inline std::string signed_response(Signed what, EVP_PKEY* key, const SignatureTemplate& how = {},
                                   int groups = 3) {
  std::string text = response_to_sign(groups);
  const bool assertion = what == Signed::kAssertion || what == Signed::kBoth;
  const bool response = what == Signed::kResponse || what == Signed::kBoth;
  // The Response's digest covers the Assertion's Signature, so the Assertion goes first.
  const std::string without_response = replaced(text, "@SIGN:_r@", "");
  if (!response) {
    return assertion ? sign(without_response, "_a", key, how)
                     : replaced(without_response, "@SIGN:_a@", "");
  }
  if (!assertion) return sign(replaced(text, "@SIGN:_a@", ""), "_r", key, how);
  const std::string inner = sign(without_response, "_a", key, how);
  constexpr std::string_view kIssuerEnd = "</saml:Issuer>";
  const std::size_t at = inner.find(kIssuerEnd) + kIssuerEnd.size();
  return sign(inner.substr(0, at) + "@SIGN:_r@" + inner.substr(at), "_r", key, how);
}

// ---- the second opinion ----

// Whether xmlsec1, left to itself with nothing but the key, takes the Signature that is a direct
// child of the element with `id`.
inline bool xmlsec_accepts(std::string_view text, const std::string& id, EVP_PKEY* key) {
  if (!xml::initialize_signing().ok()) std::abort();
  const auto document = read_xml(text);
  if (document == nullptr) return false;
  xmlNode* root = xmlDocGetRootElement(document.get());
  const xmlChar* ids[] = {BAD_CAST "ID", BAD_CAST "Id", nullptr};
  xmlSecAddIDs(document.get(), root, ids);
  xmlNode* element = find_element(root, "", id);
  xmlNode* signature =
      element == nullptr ? nullptr : xmlSecFindChild(element, xmlSecNodeSignature, xmlSecDSigNs);
  if (signature == nullptr) return false;
  const CPtr<xmlSecDSigCtx, xmlSecDSigCtxDestroy> context(xmlSecDSigCtxCreate(nullptr));
  context->signKey = xmlSecKeyCreate();
  EVP_PKEY_up_ref(key);
  xmlSecKeySetValue(context->signKey, xmlSecOpenSSLEvpKeyAdopt(key));
  return xmlSecDSigCtxVerify(context.get(), signature) == 0 &&
         context->status == xmlSecDSigStatusSucceeded &&
         xmlSecPtrListGetSize(&context->signedInfoReferences) == 1;
}

}  // namespace sallyport::test
