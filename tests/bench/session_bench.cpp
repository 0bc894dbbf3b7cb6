// What each request with a session pays in the core: the key of its cookie, the view of its record,
// the Cookie header without our cookies; and what a login pays for its state.
#include <benchmark/benchmark.h>

#include "base/random.h"
#include "session/cookie.h"
#include "session/login_state.h"
#include "session/record.h"

namespace sallyport::session {
namespace {

constexpr Millis kNow = 1795296660000;
constexpr std::string_view kSp = "https://app.example.com/saml/metadata";

RecordBuilder usual() {
  std::string groups;
  for (int i = 0; i < 20; ++i) groups += "Department-" + std::to_string(i) + ",";
  RecordBuilder builder;
  builder.set_binding(session_binding(kSp, "okta", "https://idp"));
  builder.set_times(kNow, kNow, kNow + kHour);
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    builder.set(static_cast<Field>(i), "a value of field " + std::to_string(i));
  }
  builder.set(Field::kGroups, groups);
  builder.add_attribute("groups", groups);
  for (int i = 0; i < 9; ++i) {
    builder.add_attribute("urn:oid:2.5.4." + std::to_string(i), "some value " + std::to_string(i));
  }
  return builder;
}

void key_of_a_cookie(benchmark::State& state) {
  SystemRandom random;
  const std::string value = make_session_id(random)->text;
  for (auto _ : state) benchmark::DoNotOptimize(key_of_cookie(value));
}
BENCHMARK(key_of_a_cookie);

void make_an_id(benchmark::State& state) {
  SystemRandom random;
  for (auto _ : state) benchmark::DoNotOptimize(make_session_id(random));
}
BENCHMARK(make_an_id);

void find_and_strip_cookies(benchmark::State& state) {
  SystemRandom random;
  const std::string header = "theme=dark; __Host-saml_session=" + make_session_id(random)->text +
                             "; _ga=GA1.1.123456789.1795296660; csrftoken=0123456789abcdef";
  std::string room(header.size(), '\0');
  for (auto _ : state) {
    std::string_view found;
    benchmark::DoNotOptimize(
        split_cookies(header, "__Host-saml_session", room.data(),
                      [&](std::string_view, std::string_view value) { found = value; }));
    benchmark::DoNotOptimize(found);
  }
}
BENCHMARK(find_and_strip_cookies);

void open_record_and_read_8_fields(benchmark::State& state) {
  const std::string record = *usual().build();
  const Digest binding = session_binding(kSp, "okta", "https://idp");
  for (auto _ : state) {
    const auto view = RecordView::open(record);
    benchmark::DoNotOptimize(view->is_bound_to(binding));
    for (std::size_t i = 0; i < 8; ++i) {
      benchmark::DoNotOptimize(view->field(static_cast<Field>(i)));
    }
  }
  state.counters["bytes"] = static_cast<double>(record.size());
}
BENCHMARK(open_record_and_read_8_fields);

void build_record(benchmark::State& state) {
  const RecordBuilder builder = usual();
  for (auto _ : state) benchmark::DoNotOptimize(builder.build());
}
BENCHMARK(build_record);

void begin_attempt(benchmark::State& state) {
  SystemRandom random;
  LoginStateCodec codec(sha256("secret"));
  const LoginAttempt attempt{"_0123456789abcdef0123456789abcdef", "okta",
                             "/reports/2026/11?region=north&sort=-created", kNow};
  for (auto _ : state) {
    const auto handle = make_handle(kNow, random);
    benchmark::DoNotOptimize(codec.seal_attempt(attempt, kSp, *handle, random));
  }
}
BENCHMARK(begin_attempt);

}  // namespace
}  // namespace sallyport::session

BENCHMARK_MAIN();
