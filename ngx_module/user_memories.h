// What is remembered of users from login to login, kept in the zone beside the sessions while there is room.
#pragma once

#include "ngx.h"

#include <optional>
#include <string_view>

#include "login/trust.h"
#include "session/user_memory.h"
#include "session_zone.h"

namespace sallyport::ngx {

// nullopt: nothing is.
std::optional<session::UserMemory> recall_user(SessionZone& zone, session::UserMemoryCodec& codec,
                                                const login::Trust& trust, std::string_view user);

// What finds no room is lost, which the log says.
void remember_user(ngx_log_t* log, SessionZone& zone, session::UserMemoryCodec& codec, const login::Trust& trust,
                   std::string_view user, const session::UserMemory& memory);

}  // namespace sallyport::ngx
