#include "session/cached_record.h"

#include <algorithm>

#include "session/record.h"

namespace sallyport::session {

std::optional<CachedRecord> CachedRecord::open(std::string_view bytes) {
  CachedRecord cached{};
  if (bytes.size() < cached.seal_id.size()) return std::nullopt;
  std::copy_n(bytes.begin(), cached.seal_id.size(), cached.seal_id.begin());
  cached.record = bytes.substr(cached.seal_id.size());
  return cached;
}

std::string make_cached_record(const SealId& seal_id, std::string_view record) {
  std::string out(seal_id.data(), seal_id.size());
  out += record;
  return out;
}

Record cached_with_front(std::string_view bytes) {
  constexpr std::size_t kId = std::tuple_size<SealId>::value;
  if (bytes.size() < kId) return Record(bytes);
  return {bytes, kId + with_front(bytes.substr(kId)).front};
}

}  // namespace sallyport::session
