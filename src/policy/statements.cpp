#include "policy/statements.h"

#include <algorithm>
#include <iterator>

namespace sallyport::policy {

namespace {

constexpr std::string_view kValueNames[] = {"idp=", "group=", "space="};

// Blanks of Unicode that editors and web pages leave in place of a space: no-break and fixed-width ones,
// the ideographic space, zero-width ones, the separators of lines and paragraphs.
constexpr std::string_view kFalseBlanks[] = {
    "\u00a0", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
    "\u2009", "\u200a", "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff"};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_quote(char c) { return c == '"' || c == '\''; }

bool ends_plain_word(char c) { return is_blank(c) || c == ';' || c == '{'; }

// C0, DEL, and C1 as UTF-8 writes it.
bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

bool has_false_blank(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & 0x80) == 0) continue;
    for (const std::string_view blank : kFalseBlanks) {
      if (text.compare(i, blank.size(), blank) == 0) return true;
    }
  }
  return false;
}

bool is_value_name(std::string_view text) {
  return std::find(std::begin(kValueNames), std::end(kValueNames), text) != std::end(kValueNames);
}

// The character that "\" and `c` stand for; 0: for both.
char escaped(char c) {
  switch (c) {
    case '"':
    case '\'':
    case '\\': return c;
    case 't': return '\t';
    case 'r': return '\r';
    case 'n': return '\n';
    default: return 0;
  }
}

void append_unescaped(std::string& out, std::string_view raw) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char meant = raw[i] == '\\' && i + 1 < raw.size() ? escaped(raw[i + 1]) : '\0';
    out += meant != 0 ? meant : raw[i];
    if (meant != 0) ++i;
  }
}

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

StatementReader::StatementReader(std::string_view text)
    : at_(text.data()), end_(text.data() + text.size()), limit_(end_) {
  scratch_.reserve(kMaxStatement);
}

Problem StatementReader::next() {
  words_.clear();
  scratch_.clear();
  limit_ = end_;
  for (skip_blanks(); at_ < limit_; skip_blanks()) {
    if (*at_ == ';') {
      ++at_;
      if (words_.empty()) return refuse("a \";\" stands alone: remove it");
      return std::nullopt;
    }
    if (*at_ == '{' || *at_ == '}') {
      return refuse(shown({at_, 1}) + " has no meaning here: write a word that holds it in quotes");
    }
    if (words_.empty()) {
      first_line_ = line_;
      if (static_cast<std::size_t>(end_ - at_) > kMaxStatement) limit_ = at_ + kMaxStatement;
    }
    if (Problem problem = read_word()) return problem;
  }
  return words_.empty() ? std::nullopt : cut_short();
}

// Comments too.
void StatementReader::skip_blanks() {
  for (bool in_comment = false; at_ < limit_; ++at_) {
    if (*at_ == '#') in_comment = true;
    if (*at_ == '\n') {
      ++line_;
      in_comment = false;
    }
    if (!in_comment && !is_blank(*at_)) return;
  }
}

Problem StatementReader::read_word() { return is_quote(*at_) ? read_quoted({}) : read_plain(); }

Problem StatementReader::read_plain() {
  const char* const begin = at_;
  bool has_escapes = false;
  for (; at_ < limit_ && !ends_plain_word(*at_); ++at_) {
    if (is_quote(*at_) && is_value_name(between(begin, at_))) return read_quoted(between(begin, at_));
    if (*at_ != '\\') continue;
    has_escapes = true;
    if (++at_ == limit_) break;
  }
  if (at_ == limit_) return cut_short();
  const std::string_view raw = between(begin, at_);
  if (has_false_blank(raw)) {
    return refuse(shown(raw) + " holds a blank that is not the space character: write a space, or the "
                               "word in quotes where that blank is meant");
  }
  return add(resolved({}, raw, has_escapes), Quotes::kNone);
}

Problem StatementReader::read_quoted(std::string_view name) {
  const char quote = *at_++;
  const char* const begin = at_;
  bool has_escapes = false;
  for (; at_ < limit_ && *at_ != quote && *at_ != '\n'; ++at_) {
    if (*at_ != '\\') continue;
    has_escapes = true;
    if (++at_ == limit_ || *at_ == '\n') break;
  }
  if (at_ == limit_ && limit_ != end_) return cut_short();
  if (at_ == limit_ || *at_ == '\n') {
    return refuse(std::string("the quote in front of ") + shown(between(begin, at_)) +
                  " is not closed in its line: close it, or write \\" + quote +
                  " where the character is meant");
  }
  const std::string_view raw = between(begin, at_++);
  if (Problem problem = check_behind_quote()) return problem;
  return add(resolved(name, raw, has_escapes), name.empty() ? Quotes::kWhole : Quotes::kValue);
}

Problem StatementReader::check_behind_quote() const {
  if (at_ == limit_ || is_blank(*at_) || *at_ == ';') return std::nullopt;
  const std::string quote(1, at_[-1]);
  return refuse("text stands right behind a closing " + quote + ": put a space or \";\" between, or write \\" +
                quote + " where a quote inside of the word is meant");
}

Problem StatementReader::add(std::string_view text, Quotes quotes) {
  if (has_control(text)) {
    return refuse(shown(text) + " holds a control character: remove it");
  }
  words_.push_back({text, line_, quotes});
  return std::nullopt;
}

std::string_view StatementReader::resolved(std::string_view name, std::string_view raw, bool has_escapes) {
  if (name.empty() && !has_escapes) return raw;
  const std::size_t begin = scratch_.size();
  scratch_ += name;
  append_unescaped(scratch_, raw);
  return std::string_view(scratch_).substr(begin);
}

Problem StatementReader::cut_short() const {
  if (limit_ == end_) return LineError{first_line_, "the statement has no \";\": add it at the end"};
  return LineError{first_line_, "the statement is longer than " + std::to_string(kMaxStatement) +
                                    " bytes: is a \";\" missing?"};
}

}  // namespace sallyport::policy
