// Sessions' records in the zone: as they are where the zone is the store; behind the id of their sealing where it is the
// cache of one.
#pragma once

#include "ngx.h"

#include <string_view>

#include "session/cached_record.h"
#include "session/cookie.h"
#include "session_zone.h"

namespace sallyport::ngx {

struct ZoneRecord {
  session::Found found;
  std::string_view bytes;      // of the record, in the memory that was given
  session::SealId seal_id{};   // where the zone is a cache
};

// False: it is not there, or memory is short.
bool find_record(SessionZone& zone, const session::SessionKey& key, const session::Memory& memory, session::Part part,
                 ZoneRecord& record);

// Puts a record that a store behind the zone confirmed at that time into it. Where it finds no room the store alone has it.
void store_record(ngx_log_t* log, SessionZone& zone, const session::SessionKey& key, const session::SealId& seal_id,
                  std::string_view bytes, Millis ends, Millis confirmed);

// Exchanges the record of a session that is there (SessionTable::replace).
session::InsertResult replace_record(SessionZone& zone, const session::SessionKey& key, const session::SealId& seal_id,
                                     std::string_view bytes, std::optional<std::uint16_t> version);

}  // namespace sallyport::ngx
