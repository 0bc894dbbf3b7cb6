#include "xml/evp.h"

#include <array>

namespace sallyport::xml {
namespace {

// Looking a digest up by name takes locks and costs more than a short hash.
const std::array<EVP_MD*, 4>& fetched_digests() {
  static const std::array<EVP_MD*, 4> digests = {
      EVP_MD_fetch(nullptr, "SHA1", nullptr), EVP_MD_fetch(nullptr, "SHA2-256", nullptr),
      EVP_MD_fetch(nullptr, "SHA2-384", nullptr), EVP_MD_fetch(nullptr, "SHA2-512", nullptr)};
  return digests;
}

}  // namespace

const EVP_MD* message_digest(DigestAlgorithm algorithm) {
  return fetched_digests()[static_cast<std::size_t>(algorithm)];
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
