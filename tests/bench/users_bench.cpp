// The operator's list of users: what reading it costs, how much memory it holds, and a look-up, at the size
// of a team and at a million users.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "policy/users.h"

namespace sallyport::policy {
namespace {

constexpr std::size_t kQueries = 1 << 16;

std::string key_of(std::size_t user) { return "user" + std::to_string(user) + "@example.com"; }

// Two groups and a space a line, 65 to 80 bytes. Fifty groups, twenty spaces, three roles.
std::string users_file(std::size_t count) {
  static const char* const kRoles[] = {"Admin", "Developer", "Member"};
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += "user " + key_of(i) + " group=Team" + std::to_string(i % 25) + " group=Site" +
            std::to_string(i / 7 % 25) + " space=\"Room " + std::to_string(i % 20) + ":" + kRoles[i % 3] +
            "\";\n";
  }
  return text;
}

UserList list_of(const std::string& text) {
  unsigned line = 0;
  return std::move(UserList::parse(text, line)).value();
}

void parse_users(benchmark::State& state) {
  const std::string text = users_file(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(list_of(text));
  const auto users = static_cast<double>(state.range(0));
  state.counters["file_bytes_per_user"] = static_cast<double>(text.size()) / users;
  state.counters["held_bytes_per_user"] = static_cast<double>(list_of(text).bytes()) / users;
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(parse_users)->Arg(1000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

// Logins whose user id is one address and whose e-mail another, both covered, spread over the list. The
// file is that of a list for several IdPs.
void find_users(benchmark::State& state, std::size_t first_user, std::size_t first_email) {
  const auto users = static_cast<std::size_t>(state.range(0));
  const UserList list = list_of(users_file(users));
  std::vector<std::pair<std::string, std::string>> logins;
  for (std::size_t i = 0; i < kQueries; ++i) {
    const std::size_t user = i * 2654435761u % users;
    logins.emplace_back(key_of(first_user + user), key_of(first_email + user));
  }
  std::size_t next = 0;
  std::size_t found = 0;
  for (auto _ : state) {
    const auto& [user, email] = logins[next++ % kQueries];
    const auto match = list.find({"okta", user, email, true, true, false});
    benchmark::DoNotOptimize(match);
    found += match ? 1 : 0;
  }
  state.counters["found"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}

constexpr std::size_t kNobody = 100'000'000;

void find_by_user_and_email(benchmark::State& state) { find_users(state, 0, 0); }
BENCHMARK(find_by_user_and_email)->Arg(1000)->Arg(1'000'000);

void find_by_email_alone(benchmark::State& state) { find_users(state, kNobody, 0); }
BENCHMARK(find_by_email_alone)->Arg(1000)->Arg(1'000'000);

void find_nobody(benchmark::State& state) { find_users(state, kNobody, kNobody); }
BENCHMARK(find_nobody)->Arg(1000)->Arg(1'000'000);

}  // namespace
}  // namespace sallyport::policy

BENCHMARK_MAIN();
