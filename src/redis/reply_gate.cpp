#include "redis/reply_gate.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace sallyport::redis {

namespace {

// One spelling for each number: no plus sign, no leading zero, no minus zero.
std::optional<std::int64_t> parse_number(std::string_view text) {
  const std::string_view digits = text.substr(!text.empty() && text.front() == '-' ? 1 : 0);
  if (digits.empty() || (digits.front() == '0' && text != "0")) return std::nullopt;
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

bool is_text_line(char type) { return type == '+' || type == '-'; }

}  // namespace

const char* ReplyGate::scan(std::string_view bytes) {
  while (!bytes.empty() && problem_ == nullptr) {
    std::size_t taken = 1;
    if (state_ == State::kBody) {
      taken = std::min(body_, bytes.size());
      body_ -= taken;
      if (body_ == 0) state_ = State::kBodyReturn;
    } else {
      take(bytes.front());
    }
    bytes.remove_prefix(taken);
  }
  return problem_;
}

void ReplyGate::take(char c) {
  switch (state_) {
    case State::kType:
      return start_element(c);
    case State::kLine:
      return take_line(c);
    case State::kLineFeed:
      if (c == '\n') return end_line();
      problem_ = "a carriage return without a line feed";
      return;
    case State::kBodyReturn:
      if (c != '\r') problem_ = "a bulk string longer than announced";
      state_ = State::kBodyFeed;
      return;
    case State::kBodyFeed:
      if (c == '\n') return end_element();
      problem_ = "a bulk string longer than announced";
      return;
    case State::kBody:
      return;  // skipped by scan()
  }
}

void ReplyGate::start_element(char type) {
  switch (type) {
    case '*':
      if (depth_ == kMostDepth) problem_ = "arrays nested too deep";
      break;
    case '+':
    case '-':
    case ':':
    case '$':
      break;
    default:
      problem_ = "not a reply of RESP2";
  }
  type_ = type;
  line_ = 0;
  state_ = State::kLine;
}

void ReplyGate::take_line(char c) {
  if (c == '\r') {
    state_ = State::kLineFeed;
  } else if (c == '\n') {
    problem_ = "a line feed without a carriage return";
  } else if (is_text_line(type_)) {
    if (++line_ > kMostLine) problem_ = "a line too long";
  } else if (line_ == number_.size()) {
    problem_ = "a number out of range";
  } else {
    number_[line_++] = c;
  }
}

void ReplyGate::end_line() {
  size_ += line_ + 3;  // the type, carriage return and line feed
  if (is_text_line(type_)) {
    end_element();
  } else {
    end_number();
  }
  if (size_ > kMostReply) problem_ = "a reply too long";
}

void ReplyGate::end_number() {
  const auto number = parse_number({number_.data(), line_});
  if (!number) {
    problem_ = "a malformed number";
  } else if (type_ == ':' || *number == -1) {
    end_element();  // -1 as a length stands for nil
  } else if (*number < 0) {
    problem_ = "a negative length";
  } else if (type_ == '$') {
    start_body(*number);
  } else {
    start_array(*number);
  }
}

void ReplyGate::start_body(std::int64_t size) {
  if (size > static_cast<std::int64_t>(kMostText)) {
    problem_ = "a bulk string too long";
    return;
  }
  body_ = static_cast<std::size_t>(size);
  size_ += body_ + 2;
  state_ = body_ == 0 ? State::kBodyReturn : State::kBody;
}

void ReplyGate::start_array(std::int64_t size) {
  if (size > static_cast<std::int64_t>(kMostElements)) {
    problem_ = "an array too long";
  } else if (size == 0) {
    end_element();
  } else {
    elements_[depth_++] = static_cast<std::size_t>(size);
    state_ = State::kType;
  }
}

// The last element of an array ends the array as well.
void ReplyGate::end_element() {
  state_ = State::kType;
  while (depth_ > 0) {
    if (--elements_[depth_ - 1] > 0) return;
    --depth_;
  }
  ++complete_;
  size_ = 0;
}

}  // namespace sallyport::redis
