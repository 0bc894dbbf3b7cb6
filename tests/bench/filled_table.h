// A session table in shared memory, filled with made-up sessions: for benchmarks.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "session/session_table.h"

namespace sallyport::bench {

using namespace sallyport::session;

constexpr Milliseconds kNow = 1'700'000'000'000;
constexpr Milliseconds kExpires = kNow + 8 * 3600 * 1000;
constexpr std::size_t kRecord = 1300;

inline std::uint64_t scramble(std::uint64_t word) {
  word += 0x9E3779B97F4A7C15u;
  word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
  word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
  return word ^ (word >> 31);
}

inline Key key_number(std::uint64_t number) {
  Key key;
  for (std::size_t i = 0; i < key.size(); i += 8) {
    const std::uint64_t word = scramble(number * 4 + i / 8);
    std::memcpy(key.data() + i, &word, 8);
  }
  return key;
}

class NoMutex final : public Mutex {
 public:
  void lock() noexcept override {}
  void unlock() noexcept override {}
};

// A table of `sessions` sessions in a block of 2,147 bytes each (2 GB for a million).
class Filled {
 public:
  explicit Filled(std::size_t sessions)
      : size_(std::max<std::size_t>(sessions * 2147, 1 << 20)), sessions_(sessions),
        block_(mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    SessionTable::format(block_, size_, 42);
    table_ = std::make_unique<SessionTable>(block_, size_, mutex_);
    const std::string record(kRecord, 'r');
    for (std::size_t n = 0; n < sessions; ++n) {
      table_->insert(key_number(n), record, kExpires, kNow, n | 1, scramble(n));
    }
  }
  ~Filled() { munmap(block_, size_); }

  SessionTable& table() { return *table_; }
  std::size_t sessions() const { return sessions_; }
  // Of the whole block: what is used, and its part of the tables beside the arena.
  double bytes_per_session() const {
    const Stats stats = table_->stats();
    const double share = static_cast<double>(size_) / static_cast<double>(stats.bytes_total);
    return share * static_cast<double>(stats.bytes_used) / static_cast<double>(stats.sessions);
  }

 private:
  std::size_t size_;
  std::size_t sessions_;
  void* block_;
  NoMutex mutex_;
  std::unique_ptr<SessionTable> table_;
};

struct Target {
  char bytes[4096];
};

inline void* allocate_in_target(void* context, std::size_t size) {
  return size <= sizeof(Target) ? static_cast<Target*>(context)->bytes : nullptr;
}

}  // namespace sallyport::bench
