#include "policy/substring_matcher.h"

#include <algorithm>
#include <numeric>

namespace sallyport::policy {

// Numbers the states by length: the patterns in sorted order, those below a state are a range.
class SubstringMatcher::Builder {
 public:
  Builder(SubstringMatcher& matcher, const std::vector<std::string_view>& patterns)
      : matcher_(matcher), patterns_(patterns) {}

  void build() {
    sort_patterns();
    matcher_.shorter_.assign(patterns_.size(), kNone);
    add_state(0, {kRoot, kRoot, kNone, kNone}, {0, order_.size(), 0});
    for (std::uint32_t state = kRoot; state < matcher_.states_.size(); ++state) expand(state);
    matcher_.states_.push_back({size(), kRoot, kNone, kNone});
    matcher_.states_.shrink_to_fit();
    matcher_.labels_.shrink_to_fit();
    matcher_.rows_.shrink_to_fit();
  }

 private:
  // More children than this are looked up in a row: a row for 16 patterns at the most.
  static constexpr std::uint32_t kMaxSparse = 16;

  // Of order_: the patterns that begin with a state of `depth` bytes and are longer.
  struct Range {
    std::size_t begin;
    std::size_t end;
    std::size_t depth;
  };

  std::uint32_t size() const { return static_cast<std::uint32_t>(matcher_.states_.size()); }

  // Without empty and repeated ones.
  void sort_patterns() {
    order_.resize(patterns_.size());
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(),
                     [this](auto a, auto b) { return patterns_[a] < patterns_[b]; });
    const auto same = [this](auto a, auto b) { return patterns_[a] == patterns_[b]; };
    order_.erase(std::unique(order_.begin(), order_.end(), same), order_.end());
    if (!order_.empty() && patterns_[order_.front()].empty()) order_.erase(order_.begin());
  }

  unsigned char byte_at(std::size_t position, std::size_t depth) const {
    return static_cast<unsigned char>(patterns_[order_[position]][depth]);
  }

  void add_state(unsigned char label, const State& state, const Range& range) {
    matcher_.states_.push_back(state);
    matcher_.labels_.push_back(label);
    ranges_.push_back(range);
  }

  void expand(std::uint32_t state) {
    const auto [first, last, depth] = ranges_[state];
    matcher_.states_[state].first_child = size();
    for (std::size_t begin = first; begin != last;) {
      std::size_t end = begin + 1;
      while (end != last && byte_at(end, depth) == byte_at(begin, depth)) ++end;
      add_child(state, {begin, end, depth + 1});
      begin = end;
    }
    const std::uint32_t children = size() - matcher_.states_[state].first_child;
    if (state == kRoot || children > kMaxSparse) add_row(state);
  }

  // What a state leads to where none of its children does. Only states shorter than it take part, and
  // those are complete.
  std::uint32_t fall_back(std::uint32_t state, unsigned char byte) const {
    return state == kRoot ? kRoot : matcher_.next(matcher_.states_[state].fail, byte);
  }

  void add_child(std::uint32_t parent, Range range) {
    const unsigned char label = byte_at(range.begin, range.depth - 1);
    const std::uint32_t fail = fall_back(parent, label);
    std::uint32_t pattern = matcher_.states_[fail].pattern;
    const std::uint32_t shortest = order_[range.begin];
    if (patterns_[shortest].size() == range.depth) {
      matcher_.shorter_[shortest] = pattern;
      pattern = shortest;
      ++range.begin;
    }
    add_state(label, {0, fail, kNone, pattern}, range);
  }

  void add_row(std::uint32_t state) {
    const std::size_t row = matcher_.rows_.size();
    for (unsigned byte = 0; byte < 256; ++byte) {
      matcher_.rows_.push_back(fall_back(state, static_cast<unsigned char>(byte)));
    }
    for (std::uint32_t child = matcher_.states_[state].first_child; child < size(); ++child) {
      matcher_.rows_[row + matcher_.labels_[child]] = child;
    }
    matcher_.states_[state].row = static_cast<std::uint32_t>(row / 256);
  }

  SubstringMatcher& matcher_;
  const std::vector<std::string_view>& patterns_;
  std::vector<std::uint32_t> order_;
  std::vector<Range> ranges_;  // by state
};

SubstringMatcher::SubstringMatcher(const std::vector<std::string_view>& patterns) {
  Builder(*this, patterns).build();
}

}  // namespace sallyport::policy
