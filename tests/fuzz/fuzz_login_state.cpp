// What a browser sends back of a login attempt: foreign bytes open nothing, our own come back, a
// changed byte opens nothing; and cookie headers of any shape are taken apart without loss.
#include <cstring>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "session/cookie.h"
#include "session/handover.h"
#include "session/login_state.h"
#include "support/fuzz_input.h"
#include "support/fuzz_target.h"

namespace {

using namespace sallyport;
using namespace sallyport::session;
using fuzz::FuzzInput;

constexpr Millis kNow = 1795296660000;
constexpr std::string_view kSp = "https://app.example.com/saml/metadata";
constexpr std::string_view kHandle = "awDDdAAAAAAAAAAA";

// Runs must be alike, or a finding could not be repeated.
class RepeatedRandom final : public Random {
 public:
  bool fill(void* out, std::size_t size) override {
    std::memset(out, 0x5A, size);
    return true;
  }
};

void open_foreign(LoginStateCodec& codec, std::string_view text) {
  REQUIRE(!codec.open_attempt(text, kSp, kHandle, kNow));
  REQUIRE(!codec.open_marker(text, kSp, kHandle, kNow));
  const std::string encoded = base64url_encode(text);
  REQUIRE(!codec.open_attempt(encoded, kSp, kHandle, kNow));
  REQUIRE(!codec.open_marker(encoded, kSp, kHandle, kNow));
  key_of_cookie(text);
  handle_time(text);
  REQUIRE(!is_handle(text) || text.size() == 16);
}

void seal_and_open(LoginStateCodec& codec, FuzzInput& input) {
  RepeatedRandom random;
  LoginAttempt attempt;
  attempt.started = static_cast<Millis>(input.number(0, ~std::uint64_t{0}));
  attempt.request_id = input.text(64);
  attempt.idp = input.text(64);
  attempt.return_url = input.text(2000);
  auto cookie = codec.seal_attempt(attempt, kSp, kHandle, random);
  REQUIRE(cookie.has_value() == (attempt.return_url.size() <= kMaxReturnUrl));
  if (!cookie) return;
  const auto opened = codec.open_attempt(*cookie, kSp, kHandle, kNow);
  const bool fresh = attempt.started >= kNow - kAttemptLifetime &&
                     attempt.started <= kNow + kAttemptLifetime;
  REQUIRE(opened.has_value() == fresh);
  REQUIRE(!opened || (opened->request_id == attempt.request_id && opened->idp == attempt.idp &&
                      opened->return_url == attempt.return_url));
  REQUIRE(!codec.open_marker(*cookie, kSp, kHandle, kNow));
  char& changed = (*cookie)[input.number(0, cookie->size() - 1)];
  changed = static_cast<char>(changed ^ input.number(1, 255));
  REQUIRE(!codec.open_attempt(*cookie, kSp, kHandle, kNow));
}

// What one host tells another by way of the browser.
void hand_over(HandoverCodec& codec, std::string_view foreign, FuzzInput& input) {
  RepeatedRandom random;
  REQUIRE(!codec.open_order(foreign, kSp, kNow) && !codec.open_order(base64url_encode(foreign), kSp, kNow));
  REQUIRE(!codec.open_ticket(foreign, kSp, kHandle, kNow));
  LoginTicket ticket;
  ticket.origin = {input.text(64), input.text(64), input.text(64)};
  ticket.idp = input.text(64);
  ticket.session_id = input.text(64);
  ticket.made = kNow;
  auto text = codec.seal_ticket(ticket, kSp, random);
  REQUIRE(text);
  const auto opened = codec.open_ticket(*text, kSp, ticket.origin.host, kNow);
  REQUIRE(opened && opened->origin.handle == ticket.origin.handle && opened->origin.nonce == ticket.origin.nonce);
  REQUIRE(opened->idp == ticket.idp && opened->session_id == ticket.session_id);
  REQUIRE(!codec.open_order(*text, kSp, kNow) && !codec.open_ticket(*text, kSp, ticket.origin.host + "x", kNow));
  char& changed = (*text)[input.number(0, text->size() - 1)];
  changed = static_cast<char>(changed ^ input.number(1, 255));
  REQUIRE(!codec.open_ticket(*text, kSp, ticket.origin.host, kNow));
}

void take_cookies_apart(std::string_view header) {
  CookieMatch match;
  find_cookie(header, "s", match);
  std::size_t own = 0;
  std::size_t other = 0;
  for_each_cookie(header, [&](std::string_view name, std::string_view) {
    ++(is_own_cookie(name, "s") ? own : other);
  });
  REQUIRE(match.count <= own);
  std::string room(header.size(), '\0');
  std::size_t taken = 0;
  const std::string_view rest = split_cookies(
      header, "s", room.data(), [&](std::string_view, std::string_view) { ++taken; });
  REQUIRE(taken == own);
  std::size_t left = 0;
  for_each_cookie(rest, [&](std::string_view name, std::string_view) {
    REQUIRE(!is_own_cookie(name, "s"));
    ++left;
  });
  REQUIRE(left == other && rest.size() <= header.size());
}

void make_room(FuzzInput& input) {
  std::vector<AttemptCookie> present;
  std::size_t total = 0;
  while (input.left() > 0 && present.size() < 40) {
    present.push_back({input.text(17), input.number(0, 5000)});
    total += present.back().bytes;
  }
  const auto expired = attempts_to_expire(present, 100);
  REQUIRE(expired.size() <= present.size());
  REQUIRE(expired.empty() == (total + 100 <= kMaxAttemptBytes || present.empty()));
}

}  // namespace

FUZZ_TARGET(login_state) {
  static LoginStateCodec codec(sha256("a secret of the fuzzer"));
  open_foreign(codec, input);
  take_cookies_apart(input);
  FuzzInput choices(input);
  seal_and_open(codec, choices);
  static HandoverCodec handovers({sha256("a secret of the fuzzer"), std::nullopt});
  hand_over(handovers, input, choices);
  make_room(choices);
}
