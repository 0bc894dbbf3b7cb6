// What each fuzz target is made of. The same source runs under libFuzzer, and in the program
// `fuzz_replay`, which runs every target over its corpus with any compiler.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::fuzz {

// A promise that the product made and did not keep.
[[noreturn]] inline void broken(const char* promise, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, promise);
  std::abort();
}

struct Target {
  const char* name;
  void (*run)(std::string_view input);
};

// All targets of the program.
inline std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

inline bool add_target(const char* name, void (*run)(std::string_view input)) {
  targets().push_back({name, run});
  return true;
}

}  // namespace sallyport::fuzz

#define REQUIRE(promise) \
  ((promise) ? static_cast<void>(0) : ::sallyport::fuzz::broken(#promise, __FILE__, __LINE__))

// FUZZ_TARGET(name) { ...looks at `input`... }, once per file, outside of namespaces. A mutator of the
// target's own, FUZZ_MUTATOR(function), makes another input from an input and a seed.
#ifdef SALLYPORT_LIBFUZZER

#define FUZZ_TARGET(name)                                                              \
  static void run_fuzz_target(std::string_view input);                                 \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  \
    run_fuzz_target({reinterpret_cast<const char*>(data), size});                      \
    return 0;                                                                          \
  }                                                                                    \
  static void run_fuzz_target(std::string_view input)

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

// libFuzzer's own edits of the bytes have every fourth turn.
#define FUZZ_MUTATOR(mutate)                                                            \
  extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,  \
                                                 std::size_t max_size, unsigned seed) { \
    if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, max_size);                   \
    const std::string out = mutate({reinterpret_cast<const char*>(data), size}, seed);  \
    if (out.empty() || out.size() > max_size) return LLVMFuzzerMutate(data, size, max_size); \
    std::copy(out.begin(), out.end(), reinterpret_cast<char*>(data));                   \
    return out.size();                                                                  \
  }                                                                                     \
  static_assert(true, "ended by a semicolon")

#else

#define FUZZ_TARGET(name)                                                       \
  static void run_##name(std::string_view input);                               \
  [[maybe_unused]] static const bool added_##name =                             \
      ::sallyport::fuzz::add_target(#name, run_##name);                         \
  static void run_##name(std::string_view input)

#define FUZZ_MUTATOR(mutate) \
  [[maybe_unused]] static const auto unused_mutator = &(mutate)

#endif
