// Words of shared memory that one process may read while another one writes them.
//
// Every access goes through an atomic builtin (std::atomic_ref is C++20), mostly relaxed: order is
// made by the sequence below and by the mutex around all writers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sallyport::session {

template <class Word>
inline Word load(const Word& word) noexcept {
  return __atomic_load_n(&word, __ATOMIC_RELAXED);
}

// The value's type is not deduced, so that a literal fits any word.
template <class Word>
struct Same {
  using Type = Word;
};

template <class Word>
inline void store(Word& word, typename Same<Word>::Type value) noexcept {
  __atomic_store_n(&word, value, __ATOMIC_RELAXED);
}

// Whoever sees this store sees all earlier ones, even if this process is killed right after it.
template <class Word>
inline void commit(Word& word, typename Same<Word>::Type value) noexcept {
  __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}

template <class Word>
inline void add(Word& word, typename Same<Word>::Type value) noexcept {
  store(word, static_cast<Word>(load(word) + value));
}

// A sequence lock: odd while a writer is at work. Writers exclude each other by other means.
class Sequence {
 public:
  // What unchanged() compares with. Odd: a writer is at work (or died), nothing can be read.
  std::uint32_t begin_read() const noexcept { return __atomic_load_n(&word_, __ATOMIC_ACQUIRE); }

  // Whether all that was loaded since begin_read() belongs together.
  bool unchanged(std::uint32_t begun) const noexcept {
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return load(word_) == begun;
  }

  // May be called again when an earlier writer died before end_write().
  void begin_write() noexcept {
    store(word_, (load(word_) + 1) | 1);
    __atomic_thread_fence(__ATOMIC_RELEASE);
  }

  void end_write() noexcept { commit(word_, (load(word_) | 1) + 1); }

  bool writing() const noexcept { return (load(word_) & 1) != 0; }

 private:
  std::uint32_t word_;
};

// Copies out of shared memory. `from` is 8-byte aligned and readable up to the next multiple of 8.
inline void copy_out(void* to, const std::uint64_t* from, std::size_t size) noexcept {
  auto* bytes = static_cast<unsigned char*>(to);
  const auto copy_word = [bytes, from](std::size_t at, std::size_t count) {
    const std::uint64_t word = load(from[at / 8]);
    std::memcpy(bytes + at, &word, count);
  };
  std::size_t at = 0;
  for (; at + 32 <= size; at += 32) {
    copy_word(at, 8);
    copy_word(at + 8, 8);
    copy_word(at + 16, 8);
    copy_word(at + 24, 8);
  }
  for (; at + 8 <= size; at += 8) copy_word(at, 8);
  if (at < size) copy_word(at, size - at);
}

// Copies into shared memory. `to` is 8-byte aligned and writable up to the next multiple of 8,
// which is filled with zeros.
inline void copy_in(std::uint64_t* to, const void* from, std::size_t size) noexcept {
  const auto* bytes = static_cast<const unsigned char*>(from);
  for (; size >= 8; size -= 8, bytes += 8, ++to) {
    std::uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    store(*to, word);
  }
  if (size > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, size);
    store(*to, word);
  }
}

// Tells the CPU that this is a loop that waits for another one.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

}  // namespace sallyport::session
