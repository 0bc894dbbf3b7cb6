#include "xml/ciphers.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <climits>

#include "base/c_ptr.h"
#include "base/digest.h"
#include "xml/evp.h"

namespace sallyport::xml {
namespace {

using KeyContext = CPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using CipherContext = CPtr<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr std::size_t kGcmIv = 12;
constexpr std::size_t kGcmTag = 16;
constexpr std::size_t kBlock = 16;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// --- Keys ---

bool set_label(EVP_PKEY_CTX* context, const std::string& label) {
  if (label.empty()) return true;
  void* copy = OPENSSL_memdup(label.data(), label.size());
  if (copy == nullptr) return false;
  if (EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, static_cast<int>(label.size())) == 1) {
    return true;
  }
  OPENSSL_free(copy);
  return false;
}

bool set_up(EVP_PKEY_CTX* context, const WrappedKey& wrapped) {
  if (wrapped.transport == KeyTransport::kRsa15) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1;
  }
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_oaep_md(context, message_digest(wrapped.digest)) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, message_digest(wrapped.mask)) == 1 &&
         set_label(context, wrapped.label);
}

// Empty on failure. For RSA 1.5 the padding is still there.
std::string decrypt_rsa(const WrappedKey& wrapped, EVP_PKEY* key) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  std::string out(size, '\0');
  if (context == nullptr || EVP_PKEY_decrypt_init(context.get()) != 1 ||
      !set_up(context.get(), wrapped) ||
      EVP_PKEY_decrypt(context.get(), bytes_of(out), &size, bytes_of(wrapped.value),
                       wrapped.value.size()) != 1) {
    return {};
  }
  out.resize(size);
  return out;
}

// All bits set for 0, none for any other byte, without a branch.
unsigned char mask_if_zero(unsigned value) {
  return static_cast<unsigned char>((value - 1u) >> 8);
}

// 00 02, at least eight bytes other than zero, 00, the key (RFC 8017 section 7.2.2). Since the key's
// length is known, nothing depends on where the zero is. Who does not know the padded block does not
// know the key that comes instead either.
std::string take_padding_off(const std::string& padded, std::size_t size) {
  constexpr std::size_t kLeastPadding = 11;
  if (padded.size() < size + kLeastPadding) return {};
  const unsigned char* block = bytes_of(padded);
  const std::size_t zero = padded.size() - size - 1;
  unsigned wrong = block[0] | (block[1] ^ 2u) | block[zero];
  for (std::size_t i = 2; i < zero; ++i) wrong |= mask_if_zero(block[i]);
  const unsigned char keep = mask_if_zero(wrong);
  const Digest other = sha256(padded);
  std::string key(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    key[i] = static_cast<char>((block[zero + 1 + i] & keep) | (other[i] & ~keep));
  }
  return key;
}

// --- Content ---

// Looking a cipher up by name takes locks.
const EVP_CIPHER* evp_cipher(DataCipher cipher) {
  static const std::array<EVP_CIPHER*, 6> ciphers = {
      EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr),
      EVP_CIPHER_fetch(nullptr, "AES-192-GCM", nullptr),
      EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr),
      EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr),
      EVP_CIPHER_fetch(nullptr, "AES-192-CBC", nullptr),
      EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)};
  return ciphers[static_cast<std::size_t>(cipher)];
}

// Everything between IV and tag, deciphered; `tag` is empty for CBC. Empty bytes on failure.
std::string decipher(DataCipher cipher, std::string_view key, std::string_view iv,
                     std::string_view text, std::string tag) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::string out(text.size() + kBlock, '\0');
  int size = 0;
  int rest = 0;
  if (context == nullptr || evp_cipher(cipher) == nullptr ||
      EVP_DecryptInit_ex2(context.get(), evp_cipher(cipher), bytes_of(key), bytes_of(iv),
                          nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1 ||
      EVP_DecryptUpdate(context.get(), bytes_of(out), &size, bytes_of(text),
                        static_cast<int>(text.size())) != 1 ||
      (!tag.empty() && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG,
                                           static_cast<int>(tag.size()), tag.data()) != 1) ||
      EVP_DecryptFinal_ex(context.get(), bytes_of(out) + size, &rest) != 1) {
    return {};
  }
  out.resize(static_cast<std::size_t>(size + rest));
  return out;
}

Plaintext decrypt_gcm(std::string_view value, std::string_view key, DataCipher cipher) {
  if (value.size() <= kGcmIv + kGcmTag) return {};
  const std::string_view iv = value.substr(0, kGcmIv);
  const std::string_view text = value.substr(kGcmIv, value.size() - kGcmIv - kGcmTag);
  const std::string tag(value.substr(value.size() - kGcmTag));
  Plaintext out{decipher(cipher, key, iv, text, tag), true};
  out.is_sound = !out.bytes.empty();
  return out;
}

// The last byte says how many are padding; what the others hold is anybody's choice.
Plaintext decrypt_cbc(std::string_view value, std::string_view key, DataCipher cipher) {
  if (value.size() < 2 * kBlock || value.size() % kBlock != 0) return {};
  Plaintext out{decipher(cipher, key, value.substr(0, kBlock), value.substr(kBlock), {}), false};
  if (out.bytes.empty()) return out;
  const auto padding = static_cast<unsigned char>(out.bytes.back());
  out.is_sound = padding >= 1 && padding <= kBlock;
  if (out.is_sound) out.bytes.resize(out.bytes.size() - padding);
  return out;
}

}  // namespace

std::string unwrap_key(const WrappedKey& wrapped, const PrivateKey& key, std::size_t size) {
  const QuietErrors quiet;
  std::string opened = decrypt_rsa(wrapped, key.raw());
  std::string out;
  if (wrapped.transport == KeyTransport::kRsa15) {
    out = take_padding_off(opened, size);
  } else if (opened.size() == size) {
    out = opened;
  }
  OPENSSL_cleanse(opened.data(), opened.size());
  return out;
}

Plaintext decrypt_content(std::string_view value, std::string_view key, DataCipher cipher) {
  const QuietErrors quiet;
  if (key.size() != key_size(cipher) || value.size() > INT_MAX - kBlock) return {};
  return is_authenticated(cipher) ? decrypt_gcm(value, key, cipher)
                                  : decrypt_cbc(value, key, cipher);
}

}  // namespace sallyport::xml
