// Encrypted elements of any shape, made with OpenSSL, and xmlsec1 as second opinion in both directions.
// Independent of src/xml/ciphers on purpose.
#pragma once

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <xmlsec/keys.h>
#include <xmlsec/keysmngr.h>
#include <xmlsec/openssl/app.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/xmlenc.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "xml/names.h"
#include "xml_test_util.h"

namespace sallyport::test {

inline const std::string kXenc{xml::kNsXenc};
inline const std::string kXenc11{xml::kNsXenc11};
inline const std::string kDsig{xml::kNsDsig};

inline std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size));
  return bytes;
}

// How the content's key is wrapped.
struct KeyWrapping {
  EVP_PKEY* recipient = rsa_key();
  std::string method{xml::kRsaOaepMgf1p};
  std::string digest;  // OpenSSL's name, or empty: SHA-1, and no DigestMethod
  std::string digest_uri;
  std::string mask;  // OpenSSL's name, or empty: SHA-1, and no MGF
  std::string mask_uri;
  std::string label;
  std::string attributes;                                 // of EncryptedKey
  std::string key_info;                                   // of EncryptedKey
  std::string behind;                                     // behind its CipherData
};

// What is written, and where the keys go.
struct Encryption {
  std::string cipher = kXenc11 + "aes256-gcm";
  std::string cipher_name = "AES-256-GCM";  // OpenSSL's
  std::size_t key_size = 32;
  std::vector<KeyWrapping> keys{KeyWrapping()};
  bool keys_beside = false;
  std::string attributes = " Type=\"http://www.w3.org/2001/04/xmlenc#Element\"";
  std::string key_info;  // before the keys
  std::string method_children;
  std::string holder = "saml:EncryptedAssertion";

  static Encryption with(const std::string& cipher_uri, const std::string& name, std::size_t size) {
    Encryption out;
    out.cipher = cipher_uri;
    out.cipher_name = name;
    out.key_size = size;
    return out;
  }
};

inline std::string wrap_key(const std::string& secret, const KeyWrapping& how) {
  const CPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new(how.recipient, nullptr));
  EVP_PKEY_encrypt_init(context.get());
  if (how.method == xml::kRsa15Uri) {
    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING);
  } else {
    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING);
    const std::string digest = how.digest.empty() ? "SHA1" : how.digest;
    const std::string mask = how.mask.empty() ? "SHA1" : how.mask;
    EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_get_digestbyname(digest.c_str()));
    EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_get_digestbyname(mask.c_str()));
    if (!how.label.empty()) {
      EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(),
                                       OPENSSL_memdup(how.label.data(), how.label.size()),
                                       static_cast<int>(how.label.size()));
    }
  }
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(how.recipient));
  std::string out(size, '\0');
  if (EVP_PKEY_encrypt(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                       reinterpret_cast<const unsigned char*>(secret.data()), secret.size()) != 1) {
    std::abort();
  }
  out.resize(size);
  return out;
}

// IV | ciphertext [| tag], padded by us for CBC (XML Encryption 1.1 section 5.2).
inline std::string encrypt_bytes(std::string plain, const std::string& secret,
                                 const std::string& cipher_name) {
  const bool is_gcm = cipher_name.find("GCM") != std::string::npos;
  const std::string iv = random_bytes(is_gcm ? 12 : 16);
  if (!is_gcm) {
    const std::size_t padding = 16 - plain.size() % 16;
    plain += random_bytes(padding - 1) + static_cast<char>(padding);
  }
  const CPtr<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context(EVP_CIPHER_CTX_new());
  EVP_EncryptInit_ex(context.get(), EVP_get_cipherbyname(cipher_name.c_str()), nullptr,
                     reinterpret_cast<const unsigned char*>(secret.data()),
                     reinterpret_cast<const unsigned char*>(iv.data()));
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  std::string out(plain.size() + 32, '\0');
  int size = 0;
  int rest = 0;
  EVP_EncryptUpdate(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                    reinterpret_cast<const unsigned char*>(plain.data()),
                    static_cast<int>(plain.size()));
  EVP_EncryptFinal_ex(context.get(), reinterpret_cast<unsigned char*>(out.data()) + size, &rest);
  out.resize(static_cast<std::size_t>(size + rest));
  std::string tag(is_gcm ? 16 : 0, '\0');
  if (is_gcm) EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data());
  return iv + out + tag;
}

inline std::string cipher_data(const std::string& bytes) {
  return "<xenc:CipherData><xenc:CipherValue>" + base64_encode(bytes) +
         "</xenc:CipherValue></xenc:CipherData>";
}

inline std::string encrypted_key(const std::string& secret, const KeyWrapping& how) {
  std::string method = "<xenc:EncryptionMethod Algorithm=\"" + how.method + "\">";
  if (!how.label.empty()) {
    method += "<xenc:OAEPparams>" + base64_encode(how.label) + "</xenc:OAEPparams>";
  }
  if (!how.digest_uri.empty()) {
    method += "<ds:DigestMethod Algorithm=\"" + how.digest_uri + "\"/>";
  }
  if (!how.mask_uri.empty()) {
    method += "<xenc11:MGF xmlns:xenc11=\"" + kXenc11 + "\" Algorithm=\"" + how.mask_uri + "\"/>";
  }
  return "<xenc:EncryptedKey" + how.attributes + ">" + method + "</xenc:EncryptionMethod>" +
         how.key_info + cipher_data(wrap_key(secret, how)) + how.behind + "</xenc:EncryptedKey>";
}

// The holder element (an EncryptedAssertion unless told otherwise) around the plaintext.
inline std::string encrypted(const std::string& plain, const Encryption& how = {}) {
  const std::string secret = random_bytes(how.key_size);
  std::string keys;
  for (const KeyWrapping& each : how.keys) keys += encrypted_key(secret, each);
  const std::string inside = how.key_info + (how.keys_beside ? "" : keys);
  return "<" + how.holder + " xmlns:saml=\"" + std::string(xml::kNsSaml) + "\" xmlns:xenc=\"" +
         kXenc + "\" xmlns:ds=\"" + kDsig + "\"><xenc:EncryptedData" + how.attributes +
         "><xenc:EncryptionMethod Algorithm=\"" + how.cipher + "\">" + how.method_children +
         "</xenc:EncryptionMethod>" +
         (inside.empty() ? "" : "<ds:KeyInfo>" + inside + "</ds:KeyInfo>") +
         cipher_data(encrypt_bytes(plain, secret, how.cipher_name)) + "</xenc:EncryptedData>" +
         (how.keys_beside ? keys : "") + "</" + how.holder + ">";
}

// ---- the second opinion ----

using KeysManager = CPtr<xmlSecKeysMngr, xmlSecKeysMngrDestroy>;

inline KeysManager xmlsec_keys(EVP_PKEY* key) {
  if (!xml::initialize_signing().ok()) std::abort();
  KeysManager manager(xmlSecKeysMngrCreate());
  xmlSecOpenSSLAppDefaultKeysMngrInit(manager.get());
  xmlSecKey* own = xmlSecKeyCreate();
  EVP_PKEY_up_ref(key);
  xmlSecKeySetValue(own, xmlSecOpenSSLEvpKeyAdopt(key));
  xmlSecKeySetName(own, BAD_CAST "recipient");
  xmlSecOpenSSLAppDefaultKeysMngrAdoptKey(manager.get(), own);
  return manager;
}

using EncryptionContext = CPtr<xmlSecEncCtx, xmlSecEncCtxDestroy>;

// Messages do not name the key: xmlsec1 1.3 looks for others only when told.
inline EncryptionContext xmlsec_encryption(xmlSecKeysMngr* keys) {
  EncryptionContext context(xmlSecEncCtxCreate(keys));
#ifdef XMLSEC_KEYINFO_FLAGS_LAX_KEY_SEARCH
  context->keyInfoReadCtx.flags |= XMLSEC_KEYINFO_FLAGS_LAX_KEY_SEARCH;
#endif
  return context;
}

// What xmlsec1 finds in the first EncryptedData; nullopt when it cannot.
inline std::optional<std::string> xmlsec_decrypts(const std::string& text, EVP_PKEY* key) {
  const KeysManager manager = xmlsec_keys(key);
  const auto document = read_xml(text);
  xmlNode* data = find_element(xmlDocGetRootElement(document.get()), "EncryptedData");
  const EncryptionContext context = xmlsec_encryption(manager.get());
  xmlSecBuffer* plain = xmlSecEncCtxDecryptToBuffer(context.get(), data);
  if (plain == nullptr) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(xmlSecBufferGetData(plain)),
                     xmlSecBufferGetSize(plain));
}

// The document as xmlsec1 leaves it with what it found in the place of the first EncryptedData; empty
// when it cannot.
inline std::string xmlsec_decrypts_in_place(const std::string& text, EVP_PKEY* key) {
  const KeysManager manager = xmlsec_keys(key);
  const auto document = read_xml(text);
  xmlNode* root = xmlDocGetRootElement(document.get());
  const xmlChar* ids[] = {BAD_CAST "Id", nullptr};
  xmlSecAddIDs(document.get(), root, ids);
  xmlNode* data = find_element(root, "EncryptedData");
  const EncryptionContext context = xmlsec_encryption(manager.get());
  if (xmlSecEncCtxDecrypt(context.get(), data) != 0) return {};
  xmlChar* out = nullptr;
  int size = 0;
  xmlDocDumpMemory(document.get(), &out, &size);
  std::string decrypted(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  xmlFree(out);
  return decrypted;
}

// An EncryptedAssertion made by xmlsec1.
inline std::string encrypted_by_xmlsec(const std::string& plain, const Encryption& how,
                                       const std::string& transport, EVP_PKEY* recipient) {
  const KeysManager manager = xmlsec_keys(recipient);
  const std::string text =
      "<saml:EncryptedAssertion xmlns:saml=\"" + std::string(xml::kNsSaml) +
      "\"><xenc:EncryptedData xmlns:xenc=\"" + kXenc + "\" Type=\"" + kXenc +
      "Element\"><xenc:EncryptionMethod Algorithm=\"" + how.cipher +
      "\"/><ds:KeyInfo xmlns:ds=\"" + kDsig +
      "\"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm=\"" + transport +
      "\"/><ds:KeyInfo><ds:KeyName>recipient</ds:KeyName></ds:KeyInfo>"
      "<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey>"
      "</ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>"
      "</saml:EncryptedAssertion>";
  const auto document = read_xml(text);
  xmlNode* data = find_element(xmlDocGetRootElement(document.get()), "EncryptedData");
  const EncryptionContext context = xmlsec_encryption(manager.get());
  context->encKey = xmlSecKeyGenerateByName(BAD_CAST "aes",
                                            static_cast<xmlSecSize>(8 * how.key_size),
                                            xmlSecKeyDataTypeSession);
  if (context->encKey == nullptr ||
      xmlSecEncCtxBinaryEncrypt(context.get(), data,
                                reinterpret_cast<const xmlSecByte*>(plain.data()),
                                static_cast<xmlSecSize>(plain.size())) != 0) {
    return {};
  }
  xmlChar* out = nullptr;
  int size = 0;
  xmlDocDumpMemory(document.get(), &out, &size);
  std::string made(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  xmlFree(out);
  return made;
}

}  // namespace sallyport::test
