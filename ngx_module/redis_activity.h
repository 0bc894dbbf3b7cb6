// The idle time-out of sessions in Redis: a key's time to live, prolonged while its session is in use.
#pragma once

#include "ngx.h"

#include <array>

#include "redis/commands.h"
#include "redis_client.h"
#include "session/cookie.h"
#include "session_zone.h"

namespace sallyport::ngx {

class RedisActivity {
 public:
  RedisActivity(RedisClient& client, const redis::Keys& keys, SessionZone& zone)
      : client_(client), keys_(keys), zone_(zone) {}

  // The session is in use. At most once a minute (a tenth of the idle time-out, if that is less) for all nodes together
  // Redis is told so. `ends` is its absolute end; without an idle time-out (0) there is nothing to tell.
  void note(const session::SessionKey& key, Millis idle_timeout, Millis ends);

 private:
  // When a session may be asked about next. Sessions that share a place ask too often, which costs a PTTL.
  struct Next {
    std::uint64_t tag = 0;
    Millis at = 0;
  };
  static constexpr std::size_t kPlaces = 4096;

  void on_time_to_live(const session::SessionKey& key, Millis idle_timeout, Millis ends, Millis left);
  Next& next_of(const session::SessionKey& key, std::uint64_t* tag);

  RedisClient& client_;
  const redis::Keys& keys_;
  SessionZone& zone_;
  std::array<Next, kPlaces> next_{};
};

}  // namespace sallyport::ngx
