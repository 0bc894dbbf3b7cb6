#include "user_memories.h"

#include <new>
#include <string>

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

}  // namespace

std::optional<session::UserMemory> recall_user(SessionZone& zone, std::string_view idp_name, std::string_view user) {
  session::UserMemoryCodec& codec = worker()->user_memories();
  const session::Key key = codec.key_of(idp_name, user);
  std::string bytes;
  session::Found found;
  if (zone.table().find(key, now(), {allocate_in_string, &bytes}, &found) != session::FindResult::kFound) {
    return std::nullopt;
  }
  return codec.open(found.record, key);
}

void remember_user(ngx_log_t* log, SessionZone& zone, std::string_view idp_name, std::string_view user,
                   const session::UserMemory& memory) {
  session::UserMemoryCodec& codec = worker()->user_memories();
  const session::Key key = codec.key_of(idp_name, user);
  const auto sealed = codec.seal(memory, key, worker()->random());
  if (!sealed) return;
  const session::InsertResult inserted =
      zone.table().insert(key, *sealed, memory.last_login + session::kUserMemoryLifetime, now(), 0, 0);
  if (inserted.status == session::InsertStatus::kStored) return;
  ngx_log_error(NGX_LOG_WARN, log, 0, "saml: no room in saml_session_zone to remember a user's login");
}

}  // namespace sallyport::ngx
