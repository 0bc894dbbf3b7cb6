#include "redis/login_writes.h"

#include <algorithm>

#include "base/flat.h"

namespace sallyport::redis {

namespace {

bool is_integer(const Reply* reply) { return reply != nullptr && reply->kind() == ReplyKind::kInteger; }

}  // namespace

// A claim's value: state, attempt, session, and the time to live that it was given (PTTL tells its age by that).
enum class LoginWrites::ClaimState : std::uint8_t { kHeld = 1, kReleased, kClosed };

struct LoginWrites::Claim {
  ClaimState state;
  Digest attempt;
  Digest session;
  Millis ttl;
};

std::optional<LoginWrites::Claim> LoginWrites::parse_claim(std::string_view value) {
  FlatReader reader(value);
  Claim claim{};
  claim.state = static_cast<ClaimState>(reader.number<std::uint8_t>());
  claim.attempt = reader.digest();
  claim.session = reader.digest();
  claim.ttl = reader.number<Millis>();
  if (!reader.complete()) return std::nullopt;
  return claim;
}

std::string LoginWrites::claim_value(ClaimState state) const {
  std::string value;
  append_number(value, static_cast<std::uint8_t>(state));
  append_digest(value, login_.attempt);
  append_digest(value, login_.session);
  append_number(value, claim_lifetime());
  return value;
}

// Another node may still accept the answer when it is over here: its clock is behind, and this one's ahead.
Millis LoginWrites::claim_lifetime() const { return login_.replay_until - login_.now + 2 * login_.skew; }

Command LoginWrites::change_claim(ClaimState state) const {
  return set_if_present(claim_key(), claim_value(state), claim_lifetime());
}

std::string LoginWrites::claim_key() const {
  if (link_ == 0) return keys_.answer(login_.answer);
  return keys_.answer(sha256(std::string(as_view(login_.answer)) + std::to_string(link_)));
}

std::vector<Command> LoginWrites::start() { return claim(); }

std::vector<Command> LoginWrites::claim() {
  step_ = Step::kClaim;
  claimed_at_ = elapsed_;
  return {set_if_absent(claim_key(), claim_value(ClaimState::kHeld), claim_lifetime())};
}

std::vector<Command> LoginWrites::go_on(const std::vector<const Reply*>& answers, Millis elapsed) {
  elapsed_ = elapsed;
  for (const Reply* answer : answers) {
    if (answer == nullptr) problem_ = "no answer";
    if (answer != nullptr && answer->is_error()) problem_ = answer->text().substr(0, 200);
  }
  switch (step_) {
    case Step::kClaim:
      return on_claim(answers);
    case Step::kLookAtClaim:
      return on_claim_of_another(answers);
    case Step::kLookAtSession:
      return on_session_of_another(answers);
    case Step::kWrite:
      break;
  }
  return on_written(answers);
}

std::vector<Command> LoginWrites::on_claim(const std::vector<const Reply*>& answers) {
  const Reply* answer = answers[0];
  if (answer != nullptr && answer->is_ok()) return write();
  if (answer == nullptr || !answer->is_nil()) return end(Outcome::kUnavailable);
  step_ = Step::kLookAtClaim;
  return {get(claim_key()), time_to_live(claim_key())};
}

std::vector<Command> LoginWrites::on_claim_of_another(const std::vector<const Reply*>& answers) {
  const Reply* value = answers[0];
  if (value == nullptr || value->is_error() || !is_integer(answers[1])) return end(Outcome::kUnavailable);
  if (value->is_nil()) {
    // Taken back, or expired, since it was in our way.
    if (vanished_once_) return end(Outcome::kInProgress);
    vanished_once_ = true;
    return claim();
  }
  const auto claim = parse_claim(value->text());
  if (!claim || claim->attempt != login_.attempt) return end(Outcome::kReplayed);
  if (claim->state == ClaimState::kReleased) return next_link();
  if (claim->state != ClaimState::kHeld) return end(Outcome::kReplayed);
  age_ = claim->ttl - answers[1]->integer();
  step_ = Step::kLookAtSession;
  return {exists(keys_.session(claim->session))};
}

std::vector<Command> LoginWrites::on_session_of_another(const std::vector<const Reply*>& answers) {
  if (!is_integer(answers[0])) return end(Outcome::kUnavailable);
  // A session whose claim is not closed is about to be let in, or to be taken back.
  if (answers[0]->integer() != 0 || age_ < login_.lease) return end(Outcome::kInProgress);
  return next_link();
}

std::vector<Command> LoginWrites::next_link() {
  if (++link_ == kMostLinks) return end(Outcome::kReplayed);
  vanished_once_ = false;
  return claim();
}

std::vector<Command> LoginWrites::write() {
  step_ = Step::kWrite;
  has_claimed_ = true;
  std::vector<Command> commands;
  commands.push_back(set(keys_.session(login_.session), login_.record, login_.ttl));
  const auto index = [&](const std::string& key) {
    for (Command& command : add_to_index(key, login_.session, login_.ends, login_.now)) {
      commands.push_back(std::move(command));
    }
  };
  index(keys_.user_sessions(login_.user_index));
  for (const Digest& each : login_.idp_session_indexes) index(keys_.idp_session(each));
  commands.push_back(set(keys_.user_memory(login_.memory_key), login_.memory, login_.memory_ttl));
  return commands;
}

std::vector<Command> LoginWrites::on_written(const std::vector<const Reply*>& answers) {
  const auto is_done = [](const Reply* answer) {
    return answer != nullptr && (answer->is_ok() || answer->kind() == ReplyKind::kInteger);
  };
  // Whoever came behind us may have gone on in the meantime.
  const bool is_in_time = elapsed_ - claimed_at_ < login_.lease;
  if (!is_in_time && problem_.empty()) problem_ = "the answers came too late";
  const bool is_stored = is_in_time && std::all_of(answers.begin(), answers.end(), is_done);
  return end(is_stored ? Outcome::kStored : Outcome::kUnavailable);
}

std::vector<Command> LoginWrites::closing() const { return {change_claim(ClaimState::kClosed)}; }

// The session goes before the claim is released: it must not be there when somebody else has one.
std::vector<Command> LoginWrites::leftovers() const {
  std::vector<Command> commands;
  if (outcome_ == Outcome::kStored || !has_claimed_) return commands;
  commands.push_back(remove(keys_.session(login_.session)));
  commands.push_back(remove_from_index(keys_.user_sessions(login_.user_index), login_.session));
  for (const Digest& each : login_.idp_session_indexes) {
    commands.push_back(remove_from_index(keys_.idp_session(each), login_.session));
  }
  commands.push_back(change_claim(ClaimState::kReleased));
  return commands;
}

}  // namespace sallyport::redis
