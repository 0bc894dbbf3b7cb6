// The signature of a federation's metadata: a tree of all of it needs a gigabyte, which a process of its own gives back.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "xml/keys.h"

namespace sallyport::ngx {

class OpenFile;

// The octets that one of the signers signed, of the whole document in `descriptor` of `size` bytes: in a file without a name.
// Waits for the child. For the master while it reads its configuration, which has no other thread. Reason: config_invalid.
Result<std::shared_ptr<OpenFile>> check_aggregate(int descriptor, std::uint64_t size,
                                                  const std::vector<xml::Certificate>& signers);

}  // namespace sallyport::ngx
