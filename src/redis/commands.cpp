#include "redis/commands.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <initializer_list>
#include <new>

#include "base/encoding.h"
#include "redis/topology.h"

namespace sallyport::redis {

namespace {

using Words = std::vector<std::string_view>;

std::string format(const Words& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(words.size());
  sizes.reserve(words.size());
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* bytes = nullptr;
  const long long size =
      redisFormatCommandArgv(&bytes, static_cast<int>(words.size()), texts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  std::string out(bytes, static_cast<std::size_t>(size));
  redisFreeCommand(bytes);
  return out;
}

Command plain(const Words& words) { return {format(words), kAnySlot}; }

// The key is the second word.
Command of_key(const Words& words) { return {format(words), key_slot(words[1])}; }

std::string_view bytes_of(const Digest& digest) { return as_view(digest); }

}  // namespace

std::string Keys::session(const Digest& key) const { return prefix_ + "sess:" + hex_encode(as_view(key)); }
std::string Keys::answer(const Digest& answer) const { return prefix_ + "seen:" + hex_encode(as_view(answer)); }
std::string Keys::idp_session(const Digest& hash) const { return prefix_ + "idx:" + hex_encode(as_view(hash)); }
std::string Keys::user_sessions(const Digest& hash) const { return prefix_ + "who:" + hex_encode(as_view(hash)); }
std::string Keys::user_memory(const Digest& key) const { return prefix_ + "profile:" + hex_encode(as_view(key)); }
std::string Keys::user(std::string_view name) const { return prefix_ + "user:" + std::string(name); }
std::string Keys::channel() const { return prefix_ + "events"; }

Command get(std::string_view key) { return of_key({"GET", key}); }

Command set(std::string_view key, std::string_view value, Millis ttl) {
  const std::string time = std::to_string(std::max<Millis>(ttl, 1));
  return of_key({"SET", key, value, "PX", time});
}

Command set_if_absent(std::string_view key, std::string_view value, Millis ttl) {
  const std::string time = std::to_string(std::max<Millis>(ttl, 1));
  return of_key({"SET", key, value, "PX", time, "NX"});
}

Command set_if_present(std::string_view key, std::string_view value, Millis ttl) {
  const std::string time = std::to_string(std::max<Millis>(ttl, 1));
  return of_key({"SET", key, value, "PX", time, "XX"});
}

Command remove(std::string_view key) { return of_key({"DEL", key}); }
Command exists(std::string_view key) { return of_key({"EXISTS", key}); }
Command time_to_live(std::string_view key) { return of_key({"PTTL", key}); }

Command prolong(std::string_view key, Millis ttl) {
  return of_key({"PEXPIRE", key, std::to_string(std::max<Millis>(ttl, 1))});
}

Command hash_fields(std::string_view key, const std::vector<std::string_view>& fields) {
  Words words = {"HMGET", key};
  words.insert(words.end(), fields.begin(), fields.end());
  return of_key(words);
}

std::vector<Command> add_to_index(std::string_view key, const Digest& session, Millis ends, Millis now) {
  const std::string end = std::to_string(ends);
  const std::string time = std::to_string(std::max<Millis>(ends - now, 1));
  // GT takes a set without an expiry for one that never ends, so the first one is set by NX.
  return {of_key({"ZREMRANGEBYSCORE", key, "-inf", std::to_string(now)}),
          of_key({"ZADD", key, end, bytes_of(session)}),
          of_key({"PEXPIRE", key, time, "NX"}),
          of_key({"PEXPIRE", key, time, "GT"})};
}

Command index_page(std::string_view key, Millis now, std::size_t offset) {
  const std::string after = "(" + std::to_string(now);
  return of_key({"ZRANGEBYSCORE", key, after, "+inf", "LIMIT", std::to_string(offset), "16"});
}

Command remove_from_index(std::string_view key, const Digest& session) {
  return of_key({"ZREM", key, bytes_of(session)});
}

Command publish(std::string_view channel, std::string_view message) { return plain({"PUBLISH", channel, message}); }
Command subscribe(std::string_view channel) { return plain({"SUBSCRIBE", channel}); }
Command ping() { return plain({"PING"}); }

Command authenticate(std::string_view username, std::string_view password) {
  return username.empty() ? plain({"AUTH", password}) : plain({"AUTH", username, password});
}

Command select(unsigned database) { return plain({"SELECT", std::to_string(database)}); }
Command asking() { return plain({"ASKING"}); }
Command cluster_nodes() { return plain({"CLUSTER", "NODES"}); }
Command sentinel_master(std::string_view name) { return plain({"SENTINEL", "get-master-addr-by-name", name}); }
Command replication_info() { return plain({"INFO", "replication"}); }

}  // namespace sallyport::redis
