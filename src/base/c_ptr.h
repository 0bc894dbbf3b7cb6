// Ownership of what C libraries allocate.
#pragma once

#include <memory>

namespace sallyport {

template <auto Free>
struct CDeleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

// CPtr<EVP_PKEY, EVP_PKEY_free>: a unique_ptr that costs one pointer.
template <class T, auto Free>
using CPtr = std::unique_ptr<T, CDeleter<Free>>;

}  // namespace sallyport
