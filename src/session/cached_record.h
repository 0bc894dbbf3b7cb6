// A session's record as the zone keeps it where it is the cache of a store: behind the id of its sealing, so that what the
// store has need not be opened again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "session/sealed_record.h"
#include "session/table_layout.h"

namespace sallyport::session {

struct CachedRecord {
  SealId seal_id;
  std::string_view record;  // all of it or its front

  // nullopt: the bytes are too few.
  static std::optional<CachedRecord> open(std::string_view bytes);
};

std::string make_cached_record(const SealId& seal_id, std::string_view record);

// The bytes of a cached record as the table of sessions wants them: the id belongs to the front.
Record cached_with_front(std::string_view bytes);

}  // namespace sallyport::session
