// Checks the stream of a server's replies (RESP2) byte by byte and before anything is stored, so that no server
// makes a node hold more than it asked for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::redis {

class ReplyGate {
 public:
  static constexpr std::size_t kMostElements = 16;           // of one array
  static constexpr std::size_t kMostText = 64 * 1024 + 512;  // bytes of one bulk string: the largest sealed record
  static constexpr std::size_t kMostLine = 4096;             // bytes of a status or an error
  static constexpr std::size_t kMostDepth = 2;               // an array may hold arrays, which hold none
  static constexpr std::size_t kMostReply = 4 * kMostText;   // bytes of one reply with all of its elements

  // Goes on with the next bytes, in pieces of any size. Null: good so far; else why not, a string literal, and the
  // gate takes nothing more. Bodies of bulk strings are skipped by their length.
  const char* scan(std::string_view bytes);

  // Whole replies so far.
  std::uint64_t complete() const { return complete_; }

 private:
  enum class State { kType, kLine, kLineFeed, kBody, kBodyReturn, kBodyFeed };

  void take(char c);
  void start_element(char type);
  void take_line(char c);
  void end_line();
  void end_number();
  void start_body(std::int64_t size);
  void start_array(std::int64_t size);
  void end_element();

  State state_ = State::kType;
  char type_ = 0;
  std::array<char, 20> number_{};  // the longest one is -9223372036854775808
  std::size_t line_ = 0;           // bytes of the line so far
  std::size_t body_ = 0;           // bytes of the body still to come
  std::size_t size_ = 0;           // bytes of the reply so far, a body counted as soon as it is announced
  std::array<std::size_t, kMostDepth> elements_{};  // still to come of each array that is open
  std::size_t depth_ = 0;
  std::uint64_t complete_ = 0;
  const char* problem_ = nullptr;
};

}  // namespace sallyport::redis
