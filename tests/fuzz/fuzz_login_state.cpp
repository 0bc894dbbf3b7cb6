// What a browser sends back of a login attempt: foreign bytes open nothing, our own come back, a
// changed byte opens nothing; and cookie headers of any shape are taken apart without loss.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/encoding.h"
#include "session/cookie.h"
#include "session/login_state.h"

namespace {

using namespace sallyport;
using namespace sallyport::session;

constexpr Millis kNow = 1795296660000;
constexpr std::string_view kSp = "https://app.example.com/saml/metadata";
constexpr std::string_view kHandle = "awDDdAAAAAAAAAAA";

void require(bool promise) {
  if (!promise) std::abort();
}

// Runs must be alike, or a finding could not be repeated.
class RepeatedRandom final : public Random {
 public:
  bool fill(void* out, std::size_t size) override {
    std::memset(out, 0x5A, size);
    return true;
  }
};

void open_foreign(LoginStateCodec& codec, std::string_view text) {
  require(!codec.open_attempt(text, kSp, kHandle, kNow));
  require(!codec.open_marker(text, kSp, kHandle, kNow));
  const std::string encoded = base64url_encode(text);
  require(!codec.open_attempt(encoded, kSp, kHandle, kNow));
  require(!codec.open_marker(encoded, kSp, kHandle, kNow));
  key_of_cookie(text);
  handle_time(text);
  require(!is_handle(text) || text.size() == 16);
}

void seal_and_open(LoginStateCodec& codec, FuzzedDataProvider& input) {
  RepeatedRandom random;
  LoginAttempt attempt;
  attempt.started = input.ConsumeIntegral<Millis>();
  attempt.request_id = input.ConsumeRandomLengthString(64);
  attempt.idp = input.ConsumeRandomLengthString(64);
  attempt.return_url = input.ConsumeRandomLengthString(2000);
  auto cookie = codec.seal_attempt(attempt, kSp, kHandle, random);
  require(cookie.has_value() == (attempt.return_url.size() <= kMaxReturnUrl));
  if (!cookie) return;
  const auto opened = codec.open_attempt(*cookie, kSp, kHandle, kNow);
  const bool fresh = attempt.started >= kNow - kAttemptLifetime &&
                     attempt.started <= kNow + kAttemptLifetime;
  require(opened.has_value() == fresh);
  require(!opened || (opened->request_id == attempt.request_id && opened->idp == attempt.idp &&
                      opened->return_url == attempt.return_url));
  require(!codec.open_marker(*cookie, kSp, kHandle, kNow));
  char& changed = (*cookie)[input.ConsumeIntegralInRange<std::size_t>(0, cookie->size() - 1)];
  changed = static_cast<char>(changed ^ input.ConsumeIntegralInRange<int>(1, 255));
  require(!codec.open_attempt(*cookie, kSp, kHandle, kNow));
}

void take_cookies_apart(std::string_view header) {
  CookieMatch match;
  find_cookie(header, "s", match);
  std::size_t own = 0;
  std::size_t other = 0;
  for_each_cookie(header, [&](std::string_view name, std::string_view) {
    ++(is_own_cookie(name, "s") ? own : other);
  });
  require(match.count <= own);
  std::string room(header.size(), '\0');
  std::size_t taken = 0;
  const std::string_view rest = split_cookies(
      header, "s", room.data(), [&](std::string_view, std::string_view) { ++taken; });
  require(taken == own);
  std::size_t left = 0;
  for_each_cookie(rest, [&](std::string_view name, std::string_view) {
    require(!is_own_cookie(name, "s"));
    ++left;
  });
  require(left == other && rest.size() <= header.size());
}

void make_room(FuzzedDataProvider& input) {
  std::vector<AttemptCookie> present;
  std::size_t total = 0;
  while (input.remaining_bytes() > 0 && present.size() < 40) {
    present.push_back({input.ConsumeRandomLengthString(17),
                       input.ConsumeIntegralInRange<std::size_t>(0, 5000)});
    total += present.back().bytes;
  }
  const auto expired = attempts_to_expire(present, 100);
  require(expired.size() <= present.size());
  require(expired.empty() == (total + 100 <= kMaxAttemptBytes || present.empty()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static LoginStateCodec codec(sha256("a secret of the fuzzer"));
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  open_foreign(codec, text);
  take_cookies_apart(text);
  FuzzedDataProvider input(data, size);
  seal_and_open(codec, input);
  make_room(input);
  return 0;
}
