#include "session/session_index.h"

namespace sallyport::session {

void SessionIndex::link(Unit at) noexcept {
  restore_in_lists(at);
  buckets_.add(at);
}

void SessionIndex::restore_in_lists(Unit at) noexcept {
  link_lists(at);
  add(header_.sessions, 1);
}

void SessionIndex::unlink(Unit at) noexcept {
  buckets_.remove(at);
  unlink_lists(at);
  store(header_.sessions, load(header_.sessions) - 1);
}

void SessionIndex::exchange(Unit from, Unit to) noexcept {
  unlink_lists(from);
  link_lists(to);
  buckets_.repoint(from, to);
}

void SessionIndex::repoint(Unit from, Unit to) noexcept {
  store(use_link_to(to), to);
  store(use_link_back_to(to), to);
  repoint_by(IndexKind::kUser, to);
  repoint_by(IndexKind::kIdpSession, to);
  heap_.repoint(from, to);
  buckets_.repoint(from, to);
}

void SessionIndex::move_to_front(Unit at) noexcept {
  unlink_use(at);
  link_use(at);
}

void SessionIndex::link_lists(Unit at) noexcept {
  link_use(at);
  link_by(IndexKind::kUser, at);
  link_by(IndexKind::kIdpSession, at);
  heap_.insert(at);
  count(at, 1);
}

void SessionIndex::unlink_lists(Unit at) noexcept {
  unlink_use(at);
  unlink_by(IndexKind::kUser, at);
  unlink_by(IndexKind::kIdpSession, at);
  heap_.remove(at);
  count(at, -1);
}

void SessionIndex::count(Unit at, int sign) noexcept {
  const Owner owner = load(block_.session(at).owner);
  if (owner != 0) units_.change(idp_of(owner), sign * static_cast<std::int64_t>(block_.chunk(at).size()));
}

// The order of use: one list, from the oldest to the newest.

Unit& SessionIndex::use_link_to(Unit at) const noexcept {
  const Unit previous = load(block_.session(at).use.previous);
  return previous != 0 ? block_.session(previous).use.next : header_.oldest_use;
}

Unit& SessionIndex::use_link_back_to(Unit at) const noexcept {
  const Unit next = load(block_.session(at).use.next);
  return next != 0 ? block_.session(next).use.previous : header_.newest_use;
}

void SessionIndex::link_use(Unit at) noexcept {
  Session& session = block_.session(at);
  store(session.use.previous, load(header_.newest_use));
  store(session.use.next, 0);
  store(use_link_to(at), at);
  store(header_.newest_use, at);
  store(session.moved, load(header_.insertions));
}

void SessionIndex::unlink_use(Unit at) noexcept {
  const Links use = {load(block_.session(at).use.previous), load(block_.session(at).use.next)};
  store(use_link_to(at), use.next);
  store(use_link_back_to(at), use.previous);
}

// The lists by user and by IdP session: from heads that the hash chooses.

Links& SessionIndex::links(IndexKind kind, Unit at) const noexcept {
  Session& session = block_.session(at);
  return kind == IndexKind::kUser ? session.by_user : session.by_idp_session;
}

std::uint64_t SessionIndex::hash_of(IndexKind kind, Unit at) const noexcept {
  const Session& session = block_.session(at);
  if (kind == IndexKind::kIdpSession) return load(session.idp_session);
  const Owner owner = load(session.owner);
  return has_user(owner) ? owner : 0;
}

Unit SessionIndex::first(IndexKind kind, std::uint64_t hash) const noexcept {
  return hash == 0 ? 0 : load(block_.index_head(kind, hash));
}

Unit& SessionIndex::link_to(IndexKind kind, Unit at) const noexcept {
  const Unit previous = load(links(kind, at).previous);
  return previous != 0 ? links(kind, previous).next : block_.index_head(kind, hash_of(kind, at));
}

void SessionIndex::link_by(IndexKind kind, Unit at) noexcept {
  const std::uint64_t hash = hash_of(kind, at);
  if (hash == 0) return;
  const Unit next = first(kind, hash);
  store(links(kind, at).previous, 0);
  store(links(kind, at).next, next);
  if (next != 0) store(links(kind, next).previous, at);
  store(link_to(kind, at), at);
}

void SessionIndex::unlink_by(IndexKind kind, Unit at) noexcept {
  if (hash_of(kind, at) == 0) return;
  const Unit next = load(links(kind, at).next);
  store(link_to(kind, at), next);
  if (next != 0) store(links(kind, next).previous, load(links(kind, at).previous));
}

void SessionIndex::repoint_by(IndexKind kind, Unit to) noexcept {
  if (hash_of(kind, to) == 0) return;
  const Unit next = load(links(kind, to).next);
  store(link_to(kind, to), to);
  if (next != 0) store(links(kind, next).previous, to);
}

bool SessionIndex::holds_by(IndexKind kind, Unit at) const noexcept {
  if (hash_of(kind, at) == 0) return true;
  const Unit next = load(links(kind, at).next);
  return load(link_to(kind, at)) == at && (next == 0 || load(links(kind, next).previous) == at);
}

bool SessionIndex::holds(Unit at) const noexcept {
  return locate(key_of(block_.entry(at))) == at && load(use_link_to(at)) == at &&
         load(use_link_back_to(at)) == at && holds_by(IndexKind::kUser, at) &&
         holds_by(IndexKind::kIdpSession, at) && heap_.holds(at);
}

}  // namespace sallyport::session
