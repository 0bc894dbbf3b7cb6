// The parts of users.h that look up: the table of KEYs, and who is meant by a login.
#include <algorithm>
#include <string>
#include <string_view>

#include "policy/email.h"
#include "policy/statements.h"
#include "policy/users.h"

namespace sallyport::policy {

namespace {

bool has_at(std::string_view key) { return key.find('@') != std::string_view::npos; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// Numbers that differ in little become numbers that differ everywhere (SplitMix64).
std::uint64_t spread(std::uint64_t number) {
  number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9;
  number = (number ^ (number >> 27)) * 0x94D049BB133111EB;
  return number ^ (number >> 31);
}

std::string in_lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

// Whether a domain in it may have several spellings (IDNA); nearly always it has not.
bool may_be_idna(std::string_view address) {
  const auto is_beyond_ascii = [](char c) { return static_cast<unsigned char>(c) > 0x7E; };
  if (std::any_of(address.begin(), address.end(), is_beyond_ascii)) return true;
  return address.find("--") != std::string_view::npos;
}

std::string comparable(std::string_view address) {
  if (may_be_idna(address)) {
    if (const auto parsed = parse_email(address)) return in_lower_case(parsed->local) + "@" + parsed->domain;
  }
  return in_lower_case(address);
}

// Whether the line gives its KEY this meaning: the key was compared, one with "@" in lower case, and the line's
// idp= is that of the query, or none, or "*". Who is disabled does not get in by another spelling.
bool counts(const ListedUser& user, const UserQuery& query, bool by_email) {
  if (by_email) {
    return query.email_is_covered || (user.is_disabled() && (query.is_sole_idp || !user.idp().empty()));
  }
  if (user.key() != query.user && !user.is_disabled()) return false;
  return !user.idp().empty() || query.is_sole_idp || (query.user_is_covered && has_at(query.user));
}

}  // namespace

std::string UserList::comparable_key(std::string_view key) {
  return has_at(key) ? comparable(key) : std::string(key);
}

// One with "@" is compared in lower case, its domain in the canonical spelling where it can have others.
struct UserList::Key {
  // `room` is where the spelling to compare is kept; it outlives the key.
  Key(const HashKey& hash_key, std::string_view written, std::string& room)
      : text(written), is_address(has_at(written)) {
    if (is_address) {
      room = comparable(written);
      text = room;
    }
    hash = keyed_hash(hash_key, text);
  }

  bool equals(std::string_view written) const {
    if (!is_address) return written == text;
    if (may_be_idna(written)) return comparable(written) == text;
    return std::equal(written.begin(), written.end(), text.begin(), text.end(),
                      [](char a, char lowered) { return lower(a) == lowered; });
  }

  std::string_view text;
  bool is_address;
  std::uint64_t hash;
};

Problem UserList::fill_slots() {
  if (size_ == 0) return std::nullopt;
  slots_.assign(size_ + size_ / 2 + 1, Slot{});
  std::string room;
  const std::uint32_t* const end = records_.data() + records_.size();
  for (const std::uint32_t* at = records_.data(); at != end; at = ListedUser(*this, at).end()) {
    const ListedUser user(*this, at);
    const Place place = place_of(Key(hash_key_, user.key(), room), user.idp_number());
    Slot& slot = slots_[place.slot];
    if (slot.record != 0) {
      return LineError{user.line(), "the KEY " + shown(user.key()) + " stands already in line " +
                                        std::to_string(user_of(slot).line()) +
                                        (user.idp().empty() ? "" : " with the same idp=") +
                                        ": make one line of the two"};
    }
    slot = {static_cast<std::uint32_t>(at - records_.data() + 1), place.tag};
  }
  return std::nullopt;
}

// The slot of a KEY, or the empty one where it belongs. There are slots, a third of them empty.
UserList::Place UserList::place_of(const Key& key, std::uint32_t idp) const {
  const std::uint64_t hash = spread(key.hash + idp);
  Place place{static_cast<std::size_t>((hash >> 32) * slots_.size() >> 32), static_cast<std::uint32_t>(hash)};
  for (;; place.slot = place.slot + 1 == slots_.size() ? 0 : place.slot + 1) {
    const Slot& slot = slots_[place.slot];
    if (slot.record == 0) return place;
    if (slot.tag != place.tag) continue;
    const ListedUser user = user_of(slot);
    if (user.idp_number() == idp && key.equals(user.key())) return place;
  }
}

std::optional<UserMatch> UserList::find(const UserQuery& query) const {
  if (size_ == 0) return std::nullopt;
  std::string room;
  std::optional<UserMatch> match;
  if (query.user.size() < StatementReader::kMaxStatement) {
    match = find_by(Key(hash_key_, query.user, room), query, false);
  }
  const bool asks_email = has_at(query.email) && query.email.size() < StatementReader::kMaxStatement;
  if (!asks_email || (match && match->user.is_disabled())) return match;
  const std::optional<UserMatch> other = find_by(Key(hash_key_, query.email, room), query, true);
  return !match || (other && other->user.is_disabled()) ? other : match;
}

std::optional<UserMatch> UserList::find_by(const Key& key, const UserQuery& query, bool by_email) const {
  std::optional<UserMatch> match;
  const auto consider = [&](std::uint32_t idp) {
    const Slot& slot = slots_[place_of(key, idp).slot];
    if (slot.record == 0 || (match && match->user.is_disabled())) return;
    const ListedUser user = user_of(slot);
    if (!counts(user, query, by_email)) return;
    if (!match || user.is_disabled()) match = UserMatch{user, by_email};
  };
  // From the most specific on.
  if (const auto idp = idps_.find(query.idp)) consider(*idp);
  if (has_no_idp_) consider(ListedUser::kNoName);
  if (has_any_idp_) consider(ListedUser::kAnyIdp);
  return match;
}

std::optional<ListedUser> UserList::first_ambiguous() const {
  std::optional<ListedUser> first;
  for_each([&first](const ListedUser& user) {
    if (!first && user.idp().empty() && !has_at(user.key())) first = user;
  });
  return first;
}

}  // namespace sallyport::policy
