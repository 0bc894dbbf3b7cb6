// The operator's list of users (`users FILE` of a saml_policy): who is provisioned or disabled, and what an
// operator gave by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/keyed_hash.h"
#include "base/result.h"
#include "policy/line_error.h"
#include "policy/name_table.h"
#include "policy/user_line.h"

namespace sallyport::policy {

// Who logs in, as far as the list is asked. What is left out makes the answer narrower.
struct UserQuery {
  std::string_view idp;           // the saml_idp block's name
  std::string_view user;          // the user id, not encoded
  std::string_view email;         // not encoded; may be empty
  bool user_is_covered = false;   // `user` is an address of a domain in this IdP's email_domains
  bool email_is_covered = false;  // `email` is one
  bool is_sole_idp = false;       // no other IdP uses this list
};

class UserList;

// A line of the list: a small view that lives as long as the list stays where it is. The texts that it gives
// live as long as the list.
class ListedUser {
 public:
  std::string_view key() const;
  std::string_view idp() const;  // empty: none was named; "*": every IdP of the policy
  bool is_disabled() const { return (words_[3] >> 16) != 0; }
  unsigned line() const { return words_[1]; }
  std::size_t group_count() const { return words_[2] >> 16; }
  std::string_view group(std::size_t i) const;
  std::size_t space_count() const { return words_[3] & 0xFFFF; }
  ListedSpace space(std::size_t i) const;

 private:
  friend class UserList;

  // A record of the list: the number of its IdP, the line, sizes of the key (low) and the groups, number of
  // the spaces (low) and 1 if disabled; the key, filled up with zeros; numbers of the groups, then of each
  // space and its role.
  static constexpr std::size_t kHead = 4;
  static constexpr std::uint32_t kNoName = 0xFFFFFFFF;  // no IdP, no role
  static constexpr std::uint32_t kAnyIdp = 0xFFFFFFFE;

  ListedUser(const UserList& list, const std::uint32_t* words) : list_(&list), words_(words) {}

  static std::size_t words_for(std::size_t bytes) { return (bytes + 3) / 4; }
  std::uint32_t idp_number() const { return words_[0]; }
  const std::uint32_t* items() const { return words_ + kHead + words_for(words_[2] & 0xFFFF); }
  const std::uint32_t* end() const { return items() + group_count() + 2 * space_count(); }

  const UserList* list_;
  const std::uint32_t* words_;
};

struct UserMatch {
  ListedUser user;
  bool by_email;  // else by user id
};

// Read-only once parsed: processes forked afterwards share its memory.
class UserList {
 public:
  static constexpr std::size_t kMaxFile = std::size_t{1} << 30;  // bytes

  UserList(UserList&&) = default;
  UserList& operator=(UserList&&) = default;

  // Reads the text of a users file (statements.h and user_line.h tell the syntax); a byte order mark in
  // front is passed over. No two lines have the same KEY (one with "@" in any ASCII letter case, its domain in any
  // spelling of IDNA) and the same idp=. Reason: config_invalid, the detail says what is wrong and what to write instead,
  // without the place: `line` is set to that, counted from 1. Time and memory grow with the text's size alone.
  static Result<UserList> parse(std::string_view text, unsigned& line);
  // A list of these lines alone, each with another KEY.
  static UserList of(const std::vector<UserLine>& lines);
  // What is compared of a KEY or of what comes from the IdP: one with "@" in lower case, its domain in its ASCII spelling; else
  // as it is.
  static std::string comparable_key(std::string_view key);

  std::size_t size() const { return size_; }

  // The line that counts for a login; nullopt: the login is not listed. Lines are compared
  //  1. with the user id, byte for byte: a line with this idp= or with "idp=*"; one without idp= if the
  //     list has one IdP only, or if the KEY has an "@" and `user_is_covered`;
  //  2. a KEY with "@" with the e-mail address too, in any ASCII letter case, if `email_is_covered`: a line
  //     with this idp=, with "idp=*" or without.
  //  3. A line that is disabled is compared with a user id that has an "@" in any ASCII letter case too, and with an
  //     e-mail address that is not covered where it has an idp= or the list has one IdP only.
  // Of several, one that is disabled counts. Else one by user id before one by e-mail address, and among
  // these idp=NAME before none before "idp=*".
  std::optional<UserMatch> find(const UserQuery& query) const;

  // The first line that would never count in a list of several IdPs: without idp= and "@" in its KEY.
  std::optional<ListedUser> first_ambiguous() const;

  // Calls visit(ListedUser) for each line, in order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    const std::uint32_t* const end = records_.data() + records_.size();
    for (const std::uint32_t* at = records_.data(); at != end; at = ListedUser(*this, at).end()) {
      visit(ListedUser(*this, at));
    }
  }

  // The names that lines hold, each once with the line where it stands first: to check them against the
  // policy without a visit of each line. "*" is not among the IdPs.
  const NameTable& idps() const { return idps_; }
  const NameTable& groups() const { return groups_; }
  const NameTable& spaces() const { return spaces_; }
  const NameTable& roles() const { return roles_; }

  // SHA-256 of what the lines say, in their order. Comments, blanks, quotes and line numbers do not change
  // it.
  const Digest& digest() const { return digest_; }

  // Memory in use.
  std::size_t bytes() const;

 private:
  friend class ListedUser;

  struct Key;  // a KEY, user id or e-mail address as it is looked up

  // Where a record begins in records_, plus 1 (0: the slot is empty), and a part of its hash.
  struct Slot {
    std::uint32_t record;
    std::uint32_t tag;
  };
  struct Place {
    std::size_t slot;
    std::uint32_t tag;
  };

  explicit UserList(const HashKey& key)
      : hash_key_(key), idps_(key), groups_(key), spaces_(key), roles_(key) {}

  Problem read(std::string_view text);
  void add(const UserLine& line);
  std::uint32_t idp_number(const UserLine& line);
  Problem complete();
  void shrink();
  Problem fill_slots();
  Digest digest_of_lines() const;
  Place place_of(const Key& key, std::uint32_t idp) const;
  std::optional<UserMatch> find_by(const Key& key, const UserQuery& query, bool by_email) const;

  ListedUser user_of(const Slot& slot) const { return {*this, records_.data() + (slot.record - 1)}; }

  HashKey hash_key_;
  std::size_t size_ = 0;
  std::vector<std::uint32_t> records_;
  std::vector<Slot> slots_;
  NameTable idps_;
  NameTable groups_;
  NameTable spaces_;
  NameTable roles_;
  bool has_no_idp_ = false;   // any line without idp=
  bool has_any_idp_ = false;  // any line with "idp=*"
  Digest digest_{};
};

}  // namespace sallyport::policy
