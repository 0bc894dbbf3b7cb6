#include "failing_allocators.h"

#include <libxml/xmlmemory.h>
#include <openssl/crypto.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace {

using sallyport::testing::Allocator;

// Leaks are counted here, by each failure; LeakSanitizer would report at the end what libraries are known to
// lose.
struct NoLeakReport {
#if defined(__SANITIZE_ADDRESS__)
  NoLeakReport() { __lsan_disable(); }
  ~NoLeakReport() { __lsan_enable(); }
#else
  NoLeakReport() {}
#endif
};

struct State {
  std::size_t live = 0;
  // Of the FailAllocation that lives.
  bool armed = false;
  std::size_t calls = 0;
  std::size_t nth = 0;
  bool all_later = false;
  bool failed = false;
  std::size_t failed_size = 0;
};

State states[3];

State& state_of(Allocator allocator) { return states[static_cast<std::size_t>(allocator)]; }

bool must_fail(State& state, std::size_t size) {
  if (!state.armed) return false;
  ++state.calls;
  if (state.nth == 0 || state.calls < state.nth) return false;
  if (state.calls > state.nth && !state.all_later) return false;
  if (!state.failed) state.failed_size = size;
  state.failed = true;
  return true;
}

void* allocate(Allocator allocator, std::size_t size) {
  State& state = state_of(allocator);
  if (must_fail(state, size)) return nullptr;
  const NoLeakReport quiet;
  void* block = std::malloc(size == 0 ? 1 : size);
  if (block != nullptr) ++state.live;
  return block;
}

void release(Allocator allocator, void* block) {
  if (block == nullptr) return;
  --state_of(allocator).live;
  std::free(block);
}

void* reallocate(Allocator allocator, void* block, std::size_t size) {
  if (block == nullptr) return allocate(allocator, size);
  if (must_fail(state_of(allocator), size)) return nullptr;
  const NoLeakReport quiet;
  return std::realloc(block, size == 0 ? 1 : size);
}

void* xml_malloc(std::size_t size) { return allocate(Allocator::kLibxml2, size); }
void* xml_realloc(void* block, std::size_t size) {
  return reallocate(Allocator::kLibxml2, block, size);
}
void xml_free(void* block) { release(Allocator::kLibxml2, block); }
char* xml_strdup(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  void* copy = xml_malloc(size);
  return copy == nullptr ? nullptr : static_cast<char*>(std::memcpy(copy, text, size));
}

void* ssl_malloc(std::size_t size, const char*, int) { return allocate(Allocator::kOpenSsl, size); }
void* ssl_realloc(void* block, std::size_t size, const char*, int) {
  return reallocate(Allocator::kOpenSsl, block, size);
}
void ssl_free(void* block, const char*, int) { release(Allocator::kOpenSsl, block); }

}  // namespace

void* operator new(std::size_t size) {
  void* block = allocate(Allocator::kNew, size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(Allocator::kNew, size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(Allocator::kNew, size);
}
void operator delete(void* block) noexcept { release(Allocator::kNew, block); }
void operator delete[](void* block) noexcept { release(Allocator::kNew, block); }
void operator delete(void* block, std::size_t) noexcept { release(Allocator::kNew, block); }
void operator delete[](void* block, std::size_t) noexcept { release(Allocator::kNew, block); }
void operator delete(void* block, const std::nothrow_t&) noexcept {
  release(Allocator::kNew, block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
  release(Allocator::kNew, block);
}

namespace sallyport::testing {

const char* name_of(Allocator allocator) {
  constexpr const char* kNames[] = {"operator new", "libxml2", "OpenSSL"};
  return kNames[static_cast<std::size_t>(allocator)];
}

void install_failing_allocators() {
  if (xmlMemSetup(xml_free, xml_malloc, xml_realloc, xml_strdup) != 0 ||
      CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free) != 1) {
    std::fprintf(stderr, "failing_allocators: somebody was earlier\n");
    std::abort();
  }
}

std::size_t live_blocks(Allocator allocator) { return state_of(allocator).live; }

namespace {
State* armed = nullptr;
}

FailAllocation::FailAllocation(Allocator allocator, std::size_t nth, bool all_later) {
  armed = &state_of(allocator);
  armed->armed = true;
  armed->calls = 0;
  armed->nth = nth;
  armed->all_later = all_later;
  armed->failed = false;
}

FailAllocation::~FailAllocation() { armed->armed = false; }

std::size_t FailAllocation::calls() const { return armed->calls; }
bool FailAllocation::has_failed() const { return armed->failed; }
std::size_t FailAllocation::failed_size() const { return armed->failed_size; }

}  // namespace sallyport::testing
