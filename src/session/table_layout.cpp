#include "session/table_layout.h"

#include <algorithm>
#include <cstring>

namespace sallyport::session {
namespace {

// A bucket for each 4 KB of the block: with records of 1.3 KB that is 2.7 sessions for 7 slots.
constexpr std::size_t kBytesPerBucket = 4096;
constexpr std::size_t kBytesPerMarkChain = 2048;
constexpr std::size_t kHeaderSize = 4096;
constexpr unsigned kCountRows = 4;

constexpr std::size_t round_up(std::size_t size) { return (size + kUnit - 1) / kUnit * kUnit; }

std::uint64_t mix(std::uint64_t word) noexcept {
  word *= 0x9E3779B97F4A7C15u;
  word ^= word >> 32;
  word *= 0xD6E8FEB86659FD93u;
  return word ^ (word >> 32);
}

// Maps the upper half of a hash to 0 .. count - 1 without a division.
std::uint32_t choose(std::uint64_t hash, std::uint32_t count) noexcept {
  return static_cast<std::uint32_t>(((hash >> 32) * count) >> 32);
}

void clear(Unit* words, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) store(words[i], 0);
}

}  // namespace

Geometry Geometry::of(std::size_t size) noexcept {
  Geometry g;
  g.buckets = static_cast<std::uint32_t>(size / kBytesPerBucket);
  g.mark_chains = static_cast<std::uint32_t>(size / kBytesPerMarkChain);
  g.counts = std::clamp<std::uint32_t>(g.buckets, 64, 16384);
  g.buckets_at = kHeaderSize;
  g.index_heads_at = g.buckets_at + g.buckets * sizeof(Bucket);
  g.mark_heads_at = round_up(g.index_heads_at + 2 * g.buckets * sizeof(Unit));
  g.counts_at = round_up(g.mark_heads_at + g.mark_chains * sizeof(Unit));
  g.arena_begin = static_cast<Unit>(round_up(g.counts_at + kCountRows * g.counts * sizeof(Unit)) / kUnit);
  g.arena_end = static_cast<Unit>(size / kUnit);
  return g;
}

Block::Block(void* base, std::size_t size) noexcept
    : base_(static_cast<unsigned char*>(base)), geometry_(Geometry::of(size)) {
  buckets_ = reinterpret_cast<Bucket*>(base_ + geometry_.buckets_at);
}

Unit& Block::index_head(IndexKind kind, std::uint64_t hash) const noexcept {
  auto* heads = reinterpret_cast<Unit*>(base_ + geometry_.index_heads_at);
  if (kind == IndexKind::kIdpSession) heads += geometry_.buckets;
  return heads[choose(mix(hash ^ seed()), geometry_.buckets)];
}

Unit& Block::mark_head(const Key& key) const noexcept {
  auto* heads = reinterpret_cast<Unit*>(base_ + geometry_.mark_heads_at);
  return heads[choose(hash(key), geometry_.mark_chains)];
}

std::uint32_t& Block::idp_count(Counted what, unsigned row, std::uint64_t idp) const noexcept {
  const std::uint64_t hash = mix(idp ^ seed());
  return idp_count_at(what, row, choose(row == 0 ? hash : hash << 32, geometry_.counts));
}

std::uint32_t& Block::idp_count_at(Counted what, unsigned row, std::uint32_t i) const noexcept {
  auto* counts = reinterpret_cast<std::uint32_t*>(base_ + geometry_.counts_at);
  const unsigned all_rows_before = (what == Counted::kMarks ? 0 : 2) + row;
  return counts[all_rows_before * geometry_.counts + i];
}

std::uint64_t Block::hash(const Key& key) const noexcept {
  std::uint64_t word;
  std::memcpy(&word, key.data(), sizeof word);
  return mix(word ^ seed());
}

Bucket& Block::bucket_of(std::uint64_t hash) const noexcept {
  return buckets_[choose(hash, geometry_.buckets)];
}

void Block::close_and_clear() const noexcept {
  for (std::uint32_t i = 0; i < geometry_.buckets; ++i) {
    buckets_[i].sequence.begin_write();
    store(buckets_[i].overflow, 0);
    for (std::uint64_t& slot : buckets_[i].slots) store(slot, 0);
  }
  clear(reinterpret_cast<Unit*>(base_ + geometry_.index_heads_at), 2 * geometry_.buckets);
  clear(reinterpret_cast<Unit*>(base_ + geometry_.mark_heads_at), geometry_.mark_chains);
  clear(reinterpret_cast<Unit*>(base_ + geometry_.counts_at), kCountRows * geometry_.counts);
  Header& header = this->header();
  store(header.sessions, 0);
  store(header.marks, 0);
  store(header.oldest_use, 0);
  store(header.newest_use, 0);
  store(header.session_heap, 0);
  store(header.mark_heap, 0);
}

void Block::open_buckets() const noexcept {
  for (std::uint32_t i = 0; i < geometry_.buckets; ++i) buckets_[i].sequence.end_write();
}

}  // namespace sallyport::session
