// Which of many texts another text contains, in one pass over it (Aho and Corasick's automaton).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace sallyport::policy {

// Some 17 bytes for each distinct prefix of the patterns, and 1 KB for each that goes on in many ways.
class SubstringMatcher {
 public:
  // Contained in nothing.
  SubstringMatcher() = default;
  // Patterns (less than 4 GB in all) are known by their index. An empty one is never found, of equal ones
  // the first alone. The texts need not outlive the call.
  explicit SubstringMatcher(const std::vector<std::string_view>& patterns);

  // Calls report(pattern) for each place where a pattern ends in `text`; at one place the longest comes
  // first. When `report` returns false, the patterns that end the reported one are left out: whoever
  // returns false for what was reported before hears of every pattern, in time linear in the length of
  // the text and the number of patterns.
  template <class Report>
  void search(std::string_view text, Report&& report) const {
    if (states_.empty()) return;
    std::uint32_t state = kRoot;
    for (const char c : text) {
      state = next(state, static_cast<unsigned char>(c));
      std::uint32_t pattern = states_[state].pattern;
      while (pattern != kNone && report(pattern)) pattern = shorter_[pattern];
    }
  }

 private:
  class Builder;

  static constexpr std::uint32_t kRoot = 0;
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // A prefix of patterns. States are numbered by length, so that those one byte longer stand together:
  // from first_child up to the next state's.
  struct State {
    std::uint32_t first_child;
    std::uint32_t fail;     // the longest proper suffix that is a state too
    std::uint32_t row;      // of rows_, or kNone
    std::uint32_t pattern;  // the longest that ends here, or kNone
  };

  std::uint32_t next(std::uint32_t state, unsigned char byte) const {
    for (;;) {
      const State& from = states_[state];
      if (from.row != kNone) return rows_[std::size_t{from.row} * 256 + byte];
      const std::uint32_t end = (&from + 1)->first_child;
      for (std::uint32_t child = from.first_child; child != end; ++child) {
        if (labels_[child] == byte) return child;
      }
      state = from.fail;
    }
  }

  std::vector<State> states_;           // one more at the end bounds the last one's children
  std::vector<unsigned char> labels_;   // the last byte of each state
  std::vector<std::uint32_t> rows_;     // of the root and states with many children: the next for each byte
  std::vector<std::uint32_t> shorter_;  // by pattern: the longest other one that ends it, or kNone
};

}  // namespace sallyport::policy
