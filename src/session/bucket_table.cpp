#include "session/bucket_table.h"

#include <algorithm>
#include <cstring>

#include "session/entries.h"
#include "session/prefetch.h"

namespace sallyport::session {
namespace {

constexpr std::uint64_t kTagMask = 0xFFFFFF;
constexpr unsigned kSizeShift = 24;
constexpr Unit kMostUnits = 0xFF;
constexpr unsigned kPlaceShift = 32;

constexpr Unit place_in(std::uint64_t slot) { return static_cast<Unit>(slot >> kPlaceShift); }
constexpr Unit size_in(std::uint64_t slot) { return (slot >> kSizeShift) & kMostUnits; }

void prefetch_lines(const Session& session, Unit lines) noexcept {
  constexpr Unit kMost = 24;
  const auto* at = reinterpret_cast<const unsigned char*>(&session);
  for (const auto* end = at + std::min(lines, kMost) * kUnit; at != end; at += kUnit) prefetch_line(at);
}

// What was read while a writer was at work must not lead out of the arena.
inline bool inside(const Geometry& geometry, Unit at) noexcept {
  return at >= geometry.arena_begin && at <= geometry.arena_end - sizeof(Session) / kUnit;
}

}  // namespace

Key key_of(const Entry& entry) noexcept {
  Key key;
  copy_out(key.data(), entry.key, key.size());
  return key;
}

bool has_key(const Entry& entry, const Key& key) noexcept {
  std::uint64_t words[4];
  static_assert(sizeof words == sizeof entry.key && sizeof words == sizeof key);
  std::memcpy(words, key.data(), sizeof words);
  std::uint64_t different = 0;
  for (unsigned i = 0; i < 4; ++i) different |= words[i] ^ load(entry.key[i]);
  return different == 0;
}

void set_key(Entry& entry, const Key& key) noexcept {
  copy_in(entry.key, key.data(), key.size());
}

Unit BucketTable::place_of(std::uint64_t slot) noexcept { return place_in(slot); }

Lookup BucketTable::look_up(const Bucket& bucket, std::uint64_t hash,
                            const Key& key) const noexcept {
  Lookup lookup;
  lookup.begun = bucket.sequence.begin_read();
  if ((lookup.begun & 1) != 0) return lookup;
  const Geometry& geometry = block_.geometry();
  for (const std::uint64_t& word : bucket.slots) {
    const std::uint64_t slot = load(word);
    if (slot == 0 || ((slot ^ hash) & kTagMask) != 0) continue;
    lookup.at = place_in(slot);
    if (!inside(geometry, lookup.at)) return lookup;
    if (!has_key(block_.entry(lookup.at), key)) continue;
    lookup.outcome = Lookup::Outcome::kHere;
    return lookup;
  }
  for (Unit at = load(bucket.overflow); at != 0; at = load(block_.session(at).overflow)) {
    // Tested at each step: a chain that changes under our feet could lead in a circle.
    if (!inside(geometry, at) || !bucket.sequence.unchanged(lookup.begun)) return lookup;
    if (!has_key(block_.entry(at), key)) continue;
    lookup.at = at;
    lookup.outcome = Lookup::Outcome::kHere;
    return lookup;
  }
  if (bucket.sequence.unchanged(lookup.begun)) lookup.outcome = Lookup::Outcome::kAbsent;
  return lookup;
}

void BucketTable::prefetch(const Bucket& bucket, std::uint64_t hash) const noexcept {
  for (const std::uint64_t& word : bucket.slots) {
    const std::uint64_t slot = load(word);
    if (slot == 0 || ((slot ^ hash) & kTagMask) != 0) continue;
    if (inside(block_.geometry(), place_in(slot))) {
      prefetch_lines(block_.session(place_in(slot)), size_in(slot));
    }
  }
}

Unit BucketTable::locate(const Key& key) const noexcept {
  const std::uint64_t hash = block_.hash(key);
  const Bucket& bucket = block_.bucket_of(hash);
  for (const std::uint64_t& word : bucket.slots) {
    const std::uint64_t slot = load(word);
    if (slot == 0 || ((slot ^ hash) & kTagMask) != 0) continue;
    if (has_key(block_.entry(place_in(slot)), key)) return place_in(slot);
  }
  Unit at = load(bucket.overflow);
  while (at != 0 && !has_key(block_.entry(at), key)) at = load(block_.session(at).overflow);
  return at;
}

Bucket& BucketTable::bucket_at(Unit at) const noexcept {
  return block_.bucket_of(block_.hash(key_of(block_.entry(at))));
}

// With 0: an empty slot, or else the end of the overflow chain.
BucketTable::Position BucketTable::position(Bucket& bucket, Unit at) const noexcept {
  for (std::uint64_t& slot : bucket.slots) {
    if (place_in(load(slot)) == at) return {&slot, nullptr};
  }
  Unit* link = &bucket.overflow;
  while (load(*link) != at) link = &block_.session(load(*link)).overflow;
  return {nullptr, link};
}

void BucketTable::put(Position position, Unit at) noexcept {
  if (position.slot == nullptr) {
    store(*position.link, at);
    return;
  }
  std::uint64_t slot = 0;
  if (at != 0) {
    const std::uint64_t hash = block_.hash(key_of(block_.entry(at)));
    const std::uint64_t size = std::min(session_units(load(block_.session(at).front)), kMostUnits);
    slot = (std::uint64_t{at} << kPlaceShift) | (size << kSizeShift) | (hash & kTagMask);
  }
  store(*position.slot, slot);
}

// From 0: an empty slot or the end of the chain.
void BucketTable::place(Bucket& bucket, Unit from, Unit to) noexcept {
  const Position position = this->position(bucket, from);
  store(block_.session(to).overflow, from == 0 ? 0 : load(block_.session(from).overflow));
  put(position, to);
}

void BucketTable::restore(Unit from, Unit to) noexcept { place(bucket_at(to), from, to); }

void BucketTable::add(Unit at) noexcept {
  Bucket& bucket = bucket_at(at);
  bucket.sequence.begin_write();
  place(bucket, 0, at);
  bucket.sequence.end_write();
}

void BucketTable::remove(Unit at) noexcept {
  Bucket& bucket = bucket_at(at);
  const Position position = this->position(bucket, at);
  const Unit spare = load(bucket.overflow);
  bucket.sequence.begin_write();
  if (position.slot == nullptr) {
    put(position, load(block_.session(at).overflow));
  } else {
    // The first one that waits for a slot gets this one.
    if (spare != 0) store(bucket.overflow, load(block_.session(spare).overflow));
    put(position, spare);
  }
  bucket.sequence.end_write();
}

void BucketTable::repoint(Unit from, Unit to) noexcept {
  Bucket& bucket = bucket_at(to);
  bucket.sequence.begin_write();
  place(bucket, from, to);
  bucket.sequence.end_write();
}

}  // namespace sallyport::session
