// Blocks of shared memory, mutexes, keys and records for the tests of the table of sessions.
#pragma once

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <optional>
#include <string>

#include "session/session_table.h"

namespace sallyport::session::testing {

inline std::uint64_t scramble(std::uint64_t word) {
  word += 0x9E3779B97F4A7C15u;
  word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
  word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
  return word ^ (word >> 31);
}

// A small generator of its own, so that a failure repeats everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t roll() { return scramble(state_++); }
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(roll() % limit); }

 private:
  std::uint64_t state_;
};

inline Key key_number(std::uint64_t number) {
  Key key;
  for (std::size_t i = 0; i < key.size(); i += 8) {
    const std::uint64_t word = scramble(number * 4 + i / 8);
    std::memcpy(key.data() + i, &word, 8);
  }
  return key;
}

// A record of whole words that tells whose it is, and in which version.
inline std::string record_of(std::uint64_t number, std::uint64_t version, std::size_t size) {
  std::string record(size / 8 * 8, '\0');
  for (std::size_t i = 0; i < record.size(); i += 8) {
    const std::uint64_t word = i == 0 ? number : i == 8 ? version : scramble(number ^ version ^ i);
    std::memcpy(record.data() + i, &word, 8);
  }
  return record;
}

// Whether a record is whole and belongs to this session.
inline bool is_record_of(std::uint64_t number, std::string_view record) {
  if (record.size() < 16) return false;
  std::uint64_t version;
  std::memcpy(&version, record.data() + 8, sizeof version);
  return record == record_of(number, version, record.size());
}

class LocalMutex final : public Mutex {
 public:
  void lock() noexcept override { mutex_.lock(); }
  void unlock() noexcept override { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Lets the next one in when its holder dies, as nginx does for its zones. Lives in shared memory.
class ProcessMutex final : public Mutex {
 public:
  ProcessMutex() {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex_, &attributes);
    pthread_mutexattr_destroy(&attributes);
  }
  void lock() noexcept override {
    if (pthread_mutex_lock(&mutex_) == EOWNERDEAD) pthread_mutex_consistent(&mutex_);
  }
  void unlock() noexcept override { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_;
};

class Mapping {
 public:
  explicit Mapping(std::size_t size)
      : size_(size), address_(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  ~Mapping() { munmap(address_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  void* address() const { return address_; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  void* address_;
};

inline void* allocate_in_string(void* context, std::size_t size) {
  auto* string = static_cast<std::string*>(context);
  string->resize(size);
  return string->data();
}

struct Copied {
  std::string record;
  Found found;
};

inline std::optional<Copied> find(SessionTable& table, const Key& key, Milliseconds now) {
  Copied copied;
  const Memory memory = {allocate_in_string, &copied.record};
  // As the gate does, for absent keys and beside writers too.
  table.prefetch(key);
  table.prefetch_record(key);
  if (table.find(key, now, memory, &copied.found) != FindResult::kFound) return std::nullopt;
  copied.record.assign(copied.found.record);
  return copied;
}

// A table in a mapping of its own.
class OwnTable {
 public:
  explicit OwnTable(std::size_t size, std::uint64_t seed = 42) : mapping_(size) {
    SessionTable::format(mapping_.address(), size, seed);
    table_.emplace(mapping_.address(), size, mutex_);
  }
  SessionTable& operator*() { return *table_; }
  SessionTable* operator->() { return &*table_; }
  const Mapping& mapping() const { return mapping_; }

 private:
  Mapping mapping_;
  LocalMutex mutex_;
  std::optional<SessionTable> table_;
};

// A table and its mutex in one mapping that child processes inherit.
class SharedTable {
 public:
  explicit SharedTable(std::size_t size)
      : mapping_(kPage + size), size_(size), mutex_(new (mapping_.address()) ProcessMutex),
        table_(prepare(), size, *mutex_) {}

  SessionTable& operator*() { return table_; }
  SessionTable* operator->() { return &table_; }
  void* block() const { return static_cast<char*>(mapping_.address()) + kPage; }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kPage = 4096;

  void* prepare() {
    SessionTable::format(block(), size_, 42);
    return block();
  }

  Mapping mapping_;
  std::size_t size_;
  ProcessMutex* mutex_;
  SessionTable table_;
};

// Runs `work` in a process of its own; its result is the exit status.
inline pid_t start(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  return child;
}

// Empty when the table is consistent.
inline std::string problem_of(SessionTable& table) {
  const char* problem = table.check_consistency();
  return problem == nullptr ? "" : problem;
}

}  // namespace sallyport::session::testing
