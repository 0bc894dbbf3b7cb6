#include "large_pages.h"

#include <sys/mman.h>

#include <cstdint>
#include <fstream>

namespace sallyport::ngx {

namespace {

// Of Linux 6.1; not in the headers of every C library that runs on it.
constexpr int kCollapse = 25;

// What is smaller has its page tables in the processor's caches anyway, and is used as sessions come.
constexpr std::size_t kWorthwhile = 32 * 1024 * 1024;

// 0: this kernel has none.
std::uintptr_t large_page_size() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
  std::uintptr_t size = 0;
  return file >> size && size > 0 && (size & (size - 1)) == 0 ? size : 0;
}

}  // namespace

bool use_large_pages(void* block, std::size_t size) {
  const std::uintptr_t page = size < kWorthwhile ? 0 : large_page_size();
  if (page == 0) return true;
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  const std::uintptr_t begin = (address + page - 1) & ~(page - 1);
  const std::uintptr_t end = (address + size) & ~(page - 1);
  if (begin >= end) return true;
  // nginx's mapping begins anywhere; only one that begins at a large page's border can have any.
  auto* start = reinterpret_cast<void*>(begin);
  if (::mmap(start, end - begin, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) return false;
  ::madvise(start, end - begin, MADV_HUGEPAGE);
  // A page is made larger, not made.
  for (std::uintptr_t each = begin; each < end; each += page) *reinterpret_cast<volatile char*>(each) = 0;
  ::madvise(start, end - begin, kCollapse);
  return true;
}

}  // namespace sallyport::ngx
