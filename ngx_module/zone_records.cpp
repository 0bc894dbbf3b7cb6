#include "zone_records.h"

#include "bridge.h"

namespace sallyport::ngx {

bool find_record(SessionZone& zone, const session::SessionKey& key, const session::Memory& memory, session::Part part,
                 ZoneRecord& record) {
  if (zone.table().find(key, now(), memory, &record.found, part) != session::FindResult::kFound) return false;
  record.bytes = record.found.record;
  if (!zone.is_cache()) return true;
  const auto cached = session::CachedRecord::open(record.found.record);
  if (!cached) return false;
  record.bytes = cached->record;
  record.seal_id = cached->seal_id;
  return true;
}

void store_record(ngx_log_t* log, SessionZone& zone, const session::SessionKey& key, const session::SealId& seal_id,
                  std::string_view bytes, Millis ends, Millis confirmed) {
  const std::string cached = session::make_cached_record(seal_id, bytes);
  // No indexes: what ends by them is told by key.
  const session::InsertResult inserted =
      zone.table().insert(key, session::cached_with_front(cached), ends, now(), 0, 0, confirmed);
  zone.log_changes(log, inserted.live_evicted);
}

session::InsertResult replace_record(SessionZone& zone, const session::SessionKey& key, const session::SealId& seal_id,
                                     std::string_view bytes, std::optional<std::uint16_t> version) {
  if (!zone.is_cache()) return zone.table().replace(key, session::with_front(bytes), now(), version);
  const std::string cached = session::make_cached_record(seal_id, bytes);
  return zone.table().replace(key, session::cached_with_front(cached), now(), version);
}

}  // namespace sallyport::ngx
