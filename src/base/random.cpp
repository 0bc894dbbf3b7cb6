#include "base/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <climits>
#include <cstring>

namespace sallyport {

SystemRandom::~SystemRandom() { OPENSSL_cleanse(buffer_.data(), buffer_.size()); }

bool SystemRandom::fill(void* out, std::size_t size) {
  if (size > buffer_.size()) {
    return size <= INT_MAX &&
           RAND_bytes(static_cast<unsigned char*>(out), static_cast<int>(size)) == 1;
  }
  if (size > left_) {
    left_ = 0;
    if (RAND_bytes(buffer_.data(), static_cast<int>(buffer_.size())) != 1) return false;
    left_ = buffer_.size();
  }
  left_ -= size;
  if (size != 0) std::memcpy(out, buffer_.data() + left_, size);
  OPENSSL_cleanse(buffer_.data() + left_, size);
  return true;
}

}  // namespace sallyport
