#include "xml/evp.h"

#include <array>
#include <atomic>

namespace sallyport::xml {
namespace {

constexpr std::array<const char*, 4> kNames = {"SHA1", "SHA2-256", "SHA2-384", "SHA2-512"};

}  // namespace

// Looking a digest up by name takes locks and costs more than a short hash. A look-up that failed, for
// want of memory perhaps, is done again.
const EVP_MD* message_digest(DigestAlgorithm algorithm) {
  static std::array<std::atomic<EVP_MD*>, kNames.size()> fetched{};
  const auto index = static_cast<std::size_t>(algorithm);
  if (EVP_MD* known = fetched[index].load(std::memory_order_acquire)) return known;
  EVP_MD* mine = EVP_MD_fetch(nullptr, kNames[index], nullptr);
  EVP_MD* earlier = nullptr;
  if (mine == nullptr || fetched[index].compare_exchange_strong(earlier, mine)) return mine;
  EVP_MD_free(mine);
  return earlier;
}

std::string digest_bytes(std::string_view bytes, DigestAlgorithm algorithm) {
  const EVP_MD* method = message_digest(algorithm);
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (method == nullptr ||
      EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                 method, nullptr) != 1) {
    return {};
  }
  digest.resize(size);
  return digest;
}

}  // namespace sallyport::xml
