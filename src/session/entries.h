// Writing sessions and marks into their chunks, and telling whole ones from torn ones.
#pragma once

#include <string_view>

#include "session/table_layout.h"

namespace sallyport::session {

inline constexpr Unit kMarkUnits = sizeof(Mark) / kUnit;

// The units that a session with a record of this many bytes takes.
constexpr Unit session_units(std::size_t record_size) noexcept {
  return static_cast<Unit>((sizeof(Session) + record_size + kUnit - 1) / kUnit);
}

struct NewSession {
  const Key& key;
  const Record& record;
  Milliseconds expires_at;
  Milliseconds last_used;
  Owner owner;
  std::uint64_t idp_session;
  std::uint16_t version;
};

struct NewMark {
  const Key& answer;
  Milliseconds expires_at;
  std::uint64_t attempt;
  std::uint64_t idp;
};

// Makes a reserved chunk a session (a mark): its state is the last thing written.
void fill(Session& session, const NewSession& from) noexcept;
void fill(Mark& mark, const NewMark& from) noexcept;

// Makes a reserved chunk of the same size a later version of the session or mark, links included.
void copy_entry(const Entry& from, Entry& to) noexcept;

// Whether the chunk holds what was once written whole.
bool intact(const Session& session) noexcept;
bool intact(const Mark& mark) noexcept;

// Whether `a` was written after `b`, which has the same key.
bool newer(const Entry& a, const Entry& b) noexcept;

}  // namespace sallyport::session
