#include "base/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>

#include "base/c_ptr.h"

namespace sallyport {

namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kHalfNonce = Sealer::kNonceSize / 2;
// A key is for 4,096 messages at most: few enough for 96 random bits never to be the same twice (2^-73).
constexpr unsigned kMessagesOfKey = 4096;

using Block = std::array<unsigned char, kBlock>;
using CipherContext = CPtr<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* octets(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

// Fetched once: a look-up by name costs more than sealing a cookie.
const EVP_CIPHER* block_cipher() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr);
  return cipher;
}

const EVP_CIPHER* gcm_cipher() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
}

// A context for one direction, with the cipher set and the key left for later.
CipherContext gcm_context(int encrypting) {
  CipherContext context(EVP_CIPHER_CTX_new());
  if (context == nullptr || gcm_cipher() == nullptr ||
      EVP_CipherInit_ex2(context.get(), gcm_cipher(), nullptr, nullptr, encrypting, nullptr) != 1) {
    return nullptr;
  }
  return context;
}

// `out` null: the bytes are authenticated only.
bool update(EVP_CIPHER_CTX* context, unsigned char* out, std::string_view bytes) {
  if (bytes.empty()) return true;
  int written = 0;
  return bytes.size() <= INT_MAX && EVP_CipherUpdate(context, out, &written, octets(bytes),
                                                     static_cast<int>(bytes.size())) == 1;
}

}  // namespace

struct Sealer::Impl {
  explicit Impl(const Digest& key);
  ~Impl() { OPENSSL_cleanse(mask.data(), mask.size()); }

  // Sets the key that the nonce names, and the rest of the nonce (steps 3 to 6 of the specification).
  bool begin(EVP_CIPHER_CTX* context, const unsigned char* nonce);
  // Draws a nonce and sets it and its key for sealing. The half that names the key stays for some messages.
  bool begin_sealing(unsigned char* nonce, Random& random);
  bool begin_key(unsigned char* nonce, Random& random);

  CipherContext blocks;  // AES-256 under the input key
  CipherContext sealing;
  CipherContext opening;
  std::array<unsigned char, kHalfNonce> key_nonce{};  // names the key that `sealing` has
  unsigned messages_left = 0;  // for that key
  Block mask{};  // K1, the CMAC subkey: the same for every message
  bool ready = false;
};

Sealer::Impl::Impl(const Digest& key)
    : blocks(EVP_CIPHER_CTX_new()), sealing(gcm_context(1)), opening(gcm_context(0)) {
  if (blocks == nullptr || sealing == nullptr || opening == nullptr || block_cipher() == nullptr ||
      EVP_EncryptInit_ex2(blocks.get(), block_cipher(), key.data(), nullptr, nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(blocks.get(), 0) != 1) {
    return;
  }
  Block zeros{};
  Block whole{};
  int written = 0;
  if (EVP_EncryptUpdate(blocks.get(), whole.data(), &written, zeros.data(), kBlock) != 1) return;
  // Doubling in GF(2^128), without a branch on the key.
  unsigned carry = (whole[0] >> 7) * 0x87u;
  for (std::size_t i = kBlock; i-- > 0;) {
    mask[i] = static_cast<unsigned char>((whole[i] << 1 ^ carry) & 0xFF);
    carry = whole[i] >> 7;
  }
  OPENSSL_cleanse(whole.data(), whole.size());
  ready = true;
}

bool Sealer::Impl::begin(EVP_CIPHER_CTX* context, const unsigned char* nonce) {
  unsigned char input[2 * kBlock];
  for (std::size_t counter = 0; counter < 2; ++counter) {
    unsigned char* block = input + counter * kBlock;
    const unsigned char prefix[] = {0, static_cast<unsigned char>(counter + 1), 'X', 0};
    for (std::size_t i = 0; i < kBlock; ++i) {
      block[i] = mask[i] ^ (i < sizeof(prefix) ? prefix[i] : nonce[i - sizeof(prefix)]);
    }
  }
  unsigned char key[2 * kBlock];
  int written = 0;
  const bool done =
      EVP_EncryptUpdate(blocks.get(), key, &written, input, sizeof(input)) == 1 &&
      EVP_CipherInit_ex2(context, nullptr, key, nonce + kHalfNonce, -1, nullptr) == 1;
  OPENSSL_cleanse(key, sizeof(key));
  return done;
}

bool Sealer::Impl::begin_key(unsigned char* nonce, Random& random) {
  // How many messages a key is for is random too: nonces are public, and nobody shall count others' logins by them.
  std::uint16_t messages = 0;
  if (!random.fill(nonce, Sealer::kNonceSize) || !random.fill(&messages, sizeof(messages)) || !begin(sealing.get(), nonce)) {
    return false;
  }
  std::copy_n(nonce, kHalfNonce, key_nonce.begin());
  messages_left = messages % kMessagesOfKey;
  return true;
}

bool Sealer::Impl::begin_sealing(unsigned char* nonce, Random& random) {
  if (messages_left == 0) return begin_key(nonce, random);
  --messages_left;
  std::copy(key_nonce.begin(), key_nonce.end(), nonce);
  return random.fill(nonce + kHalfNonce, kHalfNonce) &&
         EVP_CipherInit_ex2(sealing.get(), nullptr, nullptr, nonce + kHalfNonce, -1, nullptr) == 1;
}

Sealer::Sealer(const Digest& key) : impl_(std::make_unique<Impl>(key)) {}
Sealer::~Sealer() = default;
Sealer::Sealer(Sealer&&) noexcept = default;
Sealer& Sealer::operator=(Sealer&&) noexcept = default;

std::optional<std::string> Sealer::seal(std::string_view plaintext, std::string_view context,
                                        Random& random) {
  if (impl_ == nullptr || !impl_->ready) return std::nullopt;
  std::string out(plaintext.size() + kOverhead, '\0');
  unsigned char* const nonce = octets(out);
  unsigned char* const ciphertext = nonce + kNonceSize;
  unsigned char* const tag = ciphertext + plaintext.size();
  EVP_CIPHER_CTX* const cipher = impl_->sealing.get();
  int written = 0;
  if (!impl_->begin_sealing(nonce, random) || !update(cipher, nullptr, context) || !update(cipher, ciphertext, plaintext) ||
      EVP_EncryptFinal_ex(cipher, tag, &written) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) != 1) {
    impl_->messages_left = 0;  // whatever the context is in, the next message begins anew
    return std::nullopt;
  }
  return out;
}

std::optional<std::string> Sealer::open(std::string_view sealed, std::string_view context) {
  if (impl_ == nullptr || !impl_->ready || sealed.size() < kOverhead) return std::nullopt;
  const std::string_view nonce = sealed.substr(0, kNonceSize);
  const std::string_view ciphertext = sealed.substr(kNonceSize, sealed.size() - kOverhead);
  std::string tag(sealed.substr(sealed.size() - kTagSize));
  std::string out(ciphertext.size(), '\0');
  EVP_CIPHER_CTX* const cipher = impl_->opening.get();
  unsigned char rest[kBlock];
  int written = 0;
  if (!impl_->begin(cipher, octets(nonce)) || !update(cipher, nullptr, context) ||
      !update(cipher, octets(out), ciphertext) ||
      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) != 1 ||
      EVP_DecryptFinal_ex(cipher, rest, &written) != 1) {
    OPENSSL_cleanse(out.data(), out.size());
    return std::nullopt;
  }
  return out;
}

RotatingSealer::RotatingSealer(const Secret& secret, std::string_view purpose)
    : current_(derive_key(as_view(secret.current), purpose)) {
  if (secret.previous) previous_.emplace(derive_key(as_view(*secret.previous), purpose));
}

std::optional<std::string> RotatingSealer::open(std::string_view sealed, std::string_view context) {
  auto plaintext = current_.open(sealed, context);
  if (!plaintext && previous_) plaintext = previous_->open(sealed, context);
  return plaintext;
}

}  // namespace sallyport
