#include "user_memories.h"

#include <new>
#include <string>

#include "base/encoding.h"
#include "bridge.h"
#include "worker.h"

namespace sallyport::ngx {

namespace {

// Never throws, since the table calls it.
void* allocate_in_string(void* string, std::size_t size) {
  try {
    auto& bytes = *static_cast<std::string*>(string);
    bytes.resize(size);
    return bytes.data();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

session::InsertStatus store(ngx_log_t* log, SessionZone& zone, session::UserMemoryCodec& codec, const session::Key& key,
                            const login::Trust& trust, const session::UserMemory& memory) {
  const auto sealed = codec.seal(memory, key, worker()->random());
  if (!sealed) return session::InsertStatus::kNoRoom;
  const session::Owner owner = session::make_owner(hash_tag(trust.idp_name), 0);
  const session::InsertResult inserted =
      zone.table().insert(key, *sealed, memory.last_login + session::kUserMemoryLifetime, now(), owner, 0);
  zone.log_changes(log, inserted.live_evicted);
  return inserted.status;
}

std::optional<session::UserMemory> find(SessionZone& zone, session::UserMemoryCodec& codec, const session::Key& key) {
  std::string bytes;
  session::Found found;
  if (zone.table().find(key, now(), {allocate_in_string, &bytes}, &found) != session::FindResult::kFound) {
    return std::nullopt;
  }
  return codec.open(found.record, key);
}

}  // namespace

std::optional<session::UserMemory> recall_user(SessionZone& zone, session::UserMemoryCodec& codec,
                                               const login::Trust& trust, std::string_view user) {
  auto memory = find(zone, codec, codec.key_of(trust.binding, user));
  if (memory) return memory;
  const auto previous = codec.previous_key_of(trust.binding, user);
  return previous ? find(zone, codec, *previous) : std::nullopt;
}

void remember_user(ngx_log_t* log, SessionZone& zone, session::UserMemoryCodec& codec, const login::Trust& trust,
                   std::string_view user, const session::UserMemory& memory) {
  const session::Key key = codec.key_of(trust.binding, user);
  session::InsertStatus status = store(log, zone, codec, key, trust, memory);
  if (status == session::InsertStatus::kTooLarge) {
    // The last grants serve the log alone; the profile decides.
    session::UserMemory smaller = memory;
    smaller.groups.clear();
    smaller.spaces.clear();
    status = store(log, zone, codec, key, trust, smaller);
  }
  if (status == session::InsertStatus::kStored) return;
  ngx_log_error(NGX_LOG_WARN, log, 0, "saml: what is to be remembered of user=%s is lost: %s",
                log_escape(user).c_str(),
                status == session::InsertStatus::kTooLarge ? "it is too large" : "no room in saml_session_zone");
}

}  // namespace sallyport::ngx
