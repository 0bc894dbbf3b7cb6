// Memory in the processor's large pages (2 MB on most machines).
#pragma once

#include <cstddef>

namespace sallyport::ngx {

// Has the kernel put large pages under `block`, shared memory that nothing has been written to yet, all of them at once: with
// many sessions a look-up waits less, since fewer entries of the processor's page tables have to be read. From Linux 6.1 on no
// administrator's permission is needed for that; what the kernel does not grant stays in small pages, and so does what is
// small. To be called before the first fork. False: the kernel took the memory away and had none to give instead; the block
// must not be used.
bool use_large_pages(void* block, std::size_t size);

}  // namespace sallyport::ngx
