#include "redis_activity.h"

#include <algorithm>
#include <cstring>

#include "bridge.h"

namespace sallyport::ngx {

namespace {

constexpr std::int64_t kNoSuchKey = -2;

Millis interval_of(Millis idle_timeout) { return std::min<Millis>(kMinute, idle_timeout / 10); }

}  // namespace

RedisActivity::Next& RedisActivity::next_of(const session::SessionKey& key, std::uint64_t* tag) {
  std::memcpy(tag, key.data(), sizeof(*tag));
  return next_[*tag % kPlaces];
}

void RedisActivity::note(const session::SessionKey& key, Millis idle_timeout, Millis ends) {
  if (idle_timeout == 0) return;
  std::uint64_t tag = 0;
  Next& next = next_of(key, &tag);
  const Millis time = now();
  if (next.tag == tag && time < next.at) return;
  next = {tag, time + interval_of(idle_timeout)};
  // Another worker or node may have told it already.
  client_.post(redis::time_to_live(keys_.session(key)),
               [this, key, idle_timeout, ends](const redis::Reply* reply) {
                 if (reply == nullptr || reply->kind() != redis::ReplyKind::kInteger) return;
                 on_time_to_live(key, idle_timeout, ends, reply->integer());
               });
}

void RedisActivity::on_time_to_live(const session::SessionKey& key, Millis idle_timeout, Millis ends, Millis left) {
  const Millis time = now();
  if (left == kNoSuchKey) {
    zone_.table().erase(key);
    return;
  }
  const Millis wanted = std::min(idle_timeout, ends - time);
  if (wanted <= 0) return;
  const Millis interval = interval_of(idle_timeout);
  if (left >= 0 && wanted - left < interval) {
    std::uint64_t tag = 0;
    Next& next = next_of(key, &tag);
    if (next.tag == tag) next.at = time + interval - std::max<Millis>(wanted - left, 0);
    return;
  }
  client_.post(redis::prolong(keys_.session(key), wanted));
}

}  // namespace sallyport::ngx
