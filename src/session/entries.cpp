#include "session/entries.h"

#include "session/bucket_table.h"

namespace sallyport::session {
namespace {

// Only has to tell a whole entry from a torn one: nobody forges it who can write to the block.
class Checksum {
 public:
  void add(std::uint64_t word) noexcept {
    sum_ = (sum_ ^ word) * 0x9E3779B97F4A7C15u;
    sum_ ^= sum_ >> 29;
  }
  void add(const std::uint64_t* words, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) add(load(words[i]));
  }
  std::uint32_t value() const noexcept { return static_cast<std::uint32_t>(sum_ >> 16); }

 private:
  std::uint64_t sum_ = 0x5A11;
};

void add_entry(const Entry& entry, Checksum* sum) noexcept {
  sum->add(entry.key, 4);
  sum->add(static_cast<std::uint64_t>(load(entry.expires_at)));
}

std::uint32_t checksum(const Session& session) noexcept {
  Checksum sum;
  const std::uint32_t length = load(session.length);
  add_entry(session.entry, &sum);
  sum.add(length);
  sum.add(load(session.front));
  sum.add(load(session.owner));
  sum.add(load(session.idp_session));
  sum.add(session.record(), (length + 7) / 8);
  return sum.value();
}

std::uint32_t checksum(const Mark& mark) noexcept {
  Checksum sum;
  add_entry(mark.entry, &sum);
  sum.add(load(mark.attempt));
  sum.add(load(mark.idp));
  return sum.value();
}

}  // namespace

void fill(Session& session, const NewSession& from) noexcept {
  set_key(session.entry, from.key);
  store(session.entry.expires_at, from.expires_at);
  store(session.entry.version, from.version);
  store(session.last_used, from.last_used);
  store(session.length, static_cast<std::uint16_t>(from.record.bytes.size()));
  store(session.front, static_cast<std::uint16_t>(from.record.front));
  store(session.owner, from.owner);
  store(session.idp_session, from.idp_session);
  copy_in(session.record(), from.record.bytes.data(), from.record.bytes.size());
  store(session.checksum, checksum(session));
  session.entry.chunk.set_state(ChunkState::kSession);
}

void fill(Mark& mark, const NewMark& from) noexcept {
  set_key(mark.entry, from.answer);
  store(mark.entry.expires_at, from.expires_at);
  store(mark.entry.version, 0);
  store(mark.attempt, from.attempt);
  store(mark.idp, from.idp);
  store(mark.checksum, checksum(mark));
  mark.entry.chunk.set_state(ChunkState::kMark);
}

void copy_entry(const Entry& from, Entry& to) noexcept {
  const auto* source = reinterpret_cast<const std::uint64_t*>(&from);
  auto* target = reinterpret_cast<std::uint64_t*>(&to);
  const std::size_t words = from.chunk.size() * kUnit / sizeof(std::uint64_t);
  for (std::size_t i = sizeof(Chunk) / 8; i < words; ++i) store(target[i], load(source[i]));
  store(to.version, static_cast<std::uint16_t>(load(from.version) + 1));
  to.chunk.set_state(from.chunk.state());
}

bool intact(const Session& session) noexcept {
  return session_units(load(session.length)) == session.entry.chunk.size() &&
         load(session.front) <= load(session.length) &&
         load(session.checksum) == checksum(session);
}

bool intact(const Mark& mark) noexcept {
  return mark.entry.chunk.size() == kMarkUnits && load(mark.checksum) == checksum(mark);
}

bool newer(const Entry& a, const Entry& b) noexcept {
  const auto ahead = static_cast<std::uint16_t>(load(a.version) - load(b.version));
  return ahead != 0 && ahead < 0x8000;
}

}  // namespace sallyport::session
