// What a login writes to Redis, step by step and without I/O: it says which commands go out next, all at once, and is told
// the answers.
//
// An answer of an IdP is claimed by SET NX before anything else (decision 9), so that of all posts of it one at most gets a
// session. A claim that came to nothing (Redis or the node failed in between) does not burn the answer: the same
// attempt may go on with the next link of a chain of claims, seen:H(answer, n). That is allowed
//  - when the claim was released by whoever held it, or
//  - when its session does not exist and it is older than a lease: by then its holder has succeeded or given up, since it
//    lets nobody in whose writes were confirmed later than that.
// A claim is never deleted: a command that Redis carries out late would undo the claim of somebody else. After success it is
// closed, so that the end of the session does not open it again.
// Who can delete keys in Redis can undo claims. What bounds that: the attempt's sealed cookie, which only the browser of the
// attempt has, and the assertion's own lifetime.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/instant.h"
#include "redis/commands.h"
#include "redis/reply.h"

namespace sallyport::redis {

class LoginWrites {
 public:
  struct Login {
    Digest answer{};             // of issuer and assertion ID
    Digest attempt{};            // of the attempt's request ID
    Millis replay_until = 0;
    Millis skew = 0;             // how far each node's clock may be off
    Millis now = 0;
    Millis lease = 0;
    Digest session{};            // the store's key
    std::string record;          // sealed
    Millis ttl = 0;              // of the session's key: its idle time-out, or its end
    Millis ends = 0;             // absolute
    Digest user_index{};
    std::vector<Digest> idp_session_indexes;
    Digest memory_key{};         // of the user
    std::string memory;          // sealed
    Millis memory_ttl = 0;
  };

  enum class Outcome {
    kPending,
    kStored,
    kReplayed,
    kInProgress,   // another post of the same attempt is about to finish, or to be taken back: to be tried again later
    kUnavailable,  // to be tried again later
  };

  LoginWrites(const Keys& keys, Login login) : keys_(keys), login_(std::move(login)) {}

  // The first commands.
  std::vector<Command> start();
  // The answers to the last commands, in their order, null where Redis could not be asked, `elapsed` ms after start(). What
  // to send next; nothing: outcome() is final.
  std::vector<Command> go_on(const std::vector<const Reply*>& answers, Millis elapsed);
  Outcome outcome() const { return outcome_; }
  // What Redis said last when it was unavailable; for the log.
  const std::string& problem() const { return problem_; }

  // To be sent without waiting, after kStored: closes the claim.
  std::vector<Command> closing() const;
  // To be sent without waiting, where it ended otherwise or was given up: takes back what was written, and releases the
  // claim.
  std::vector<Command> leftovers() const;

 private:
  enum class Step { kClaim, kLookAtClaim, kLookAtSession, kWrite };
  static constexpr unsigned kMostLinks = 8;

  std::vector<Command> claim();
  std::vector<Command> write();
  std::vector<Command> on_claim(const std::vector<const Reply*>& answers);
  std::vector<Command> on_claim_of_another(const std::vector<const Reply*>& answers);
  std::vector<Command> on_session_of_another(const std::vector<const Reply*>& answers);
  std::vector<Command> on_written(const std::vector<const Reply*>& answers);
  std::vector<Command> end(Outcome outcome) {
    outcome_ = outcome;
    return {};
  }
  std::string claim_key() const;
  enum class ClaimState : std::uint8_t;
  struct Claim;
  static std::optional<Claim> parse_claim(std::string_view value);
  std::string claim_value(ClaimState state) const;
  Command change_claim(ClaimState state) const;
  Millis claim_lifetime() const;
  std::vector<Command> next_link();

  const Keys& keys_;
  Login login_;
  Step step_ = Step::kClaim;
  Outcome outcome_ = Outcome::kPending;
  unsigned link_ = 0;
  bool has_claimed_ = false;   // for certain
  bool vanished_once_ = false;
  Millis elapsed_ = 0;
  Millis claimed_at_ = 0;      // elapsed when the claim was sent
  Millis age_ = 0;             // of somebody else's claim
  std::string problem_;
};

}  // namespace sallyport::redis
