// Lookups by several processes in one shared block, as nginx's workers make them:
//   session_processes_bench SESSIONS PROCESSES SECONDS
// prints the lookups per second of all together and the CPU nanoseconds of one.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "filled_table.h"

namespace {

using namespace sallyport::bench;

// Shared by the processes: when to begin, and what each has done.
struct Board {
  volatile int ready;
  volatile int go;
  struct {
    std::uint64_t lookups;
    double cpu_seconds;
    double seconds;
  } done[64];
};

double seconds_on(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::uint64_t look_up(SessionTable& table, std::size_t sessions, std::uint64_t seed,
                      std::uint64_t count) {
  Target target = {};
  const Memory memory = {allocate_in_target, &target};
  Found found;
  std::uint64_t hits = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Key key = key_number(scramble(seed + i) % sessions);
    hits += table.find(key, kNow, memory, &found) == FindResult::kFound;
  }
  return hits;
}

void work(Board& board, int number, Filled& filled, double seconds) {
  constexpr std::uint64_t kBatch = 10'000;
  std::uint64_t seed = static_cast<std::uint64_t>(number + 1) << 40;
  look_up(filled.table(), filled.sessions(), seed, kBatch);
  __atomic_add_fetch(&board.ready, 1, __ATOMIC_SEQ_CST);
  while (board.go == 0) usleep(100);
  const double begin = seconds_on(CLOCK_MONOTONIC);
  const double cpu_begin = seconds_on(CLOCK_PROCESS_CPUTIME_ID);
  auto& done = board.done[number];
  do {
    const std::uint64_t hits = look_up(filled.table(), filled.sessions(), seed, kBatch);
    if (hits != kBatch) std::exit(1);
    seed += kBatch;
    done.lookups += kBatch;
    done.seconds = seconds_on(CLOCK_MONOTONIC) - begin;
  } while (done.seconds < seconds);
  done.cpu_seconds = seconds_on(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin;
}

bool run(std::size_t sessions, int processes, double seconds) {
  Filled filled(sessions);
  auto* board = static_cast<Board*>(mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  for (int i = 0; i < processes; ++i) {
    if (fork() != 0) continue;
    work(*board, i, filled, seconds);
    _exit(0);
  }
  while (board->ready < processes) usleep(1000);
  board->go = 1;
  bool ok = true;
  double rate = 0;
  double cpu_seconds = 0;
  std::uint64_t lookups = 0;
  for (int i = 0; i < processes; ++i) {
    int status = 0;
    ok = wait(&status) > 0 && status == 0 && ok;
  }
  for (int i = 0; i < processes; ++i) {
    const auto& done = board->done[i];
    rate += static_cast<double>(done.lookups) / done.seconds;
    cpu_seconds += done.cpu_seconds;
    lookups += done.lookups;
  }
  std::printf("lookups/s=%.0f ns=%.2f\n", rate, cpu_seconds / static_cast<double>(lookups) * 1e9);
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  const int processes = argc == 4 ? std::atoi(argv[2]) : 0;
  if (processes < 1 || processes > 64) {
    std::fprintf(stderr, "usage: session_processes_bench SESSIONS PROCESSES SECONDS\n");
    return 2;
  }
  const bool ok = run(std::strtoul(argv[1], nullptr, 10), processes, std::atof(argv[3]));
  return ok ? 0 : 1;
}
