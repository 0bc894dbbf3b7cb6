// The statements of a users file, in nginx's style, taken apart into words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/line_error.h"

namespace sallyport::policy {

enum class Quotes { kNone, kValue, kWhole };

struct Word {
  std::string_view text;  // without its quotes, escapes resolved
  unsigned line;          // where it begins
  Quotes quotes;          // kValue: as in group="R and D"
};

// nginx's rules: words end at blanks and line breaks, a statement at ";". A word that begins with " or '
// ends at the next such quote. A backslash takes the meaning from the character behind it; \" \' \\ stand
// for that character, \t \r \n for a tab and line breaks, any other backslash for itself. "#" where a word
// may begin starts a comment up to the line's end.
// Beyond nginx's: a quote right behind `idp=`, `group=` or `space=` at a word's beginning opens a quoted
// value. Refused although nginx takes it: a control character in a word (so a quoted word ends in its
// line), "{" in a word without quotes, and there also a blank that looks like a space and is none.
class StatementReader {
 public:
  static constexpr std::size_t kMaxStatement = 64 * 1024;  // bytes up to its ";"

  // The text is UTF-8 and outlives the reader.
  explicit StatementReader(std::string_view text);

  // Reads the next statement. After a problem the reader is of no more use.
  Problem next();

  // Its words; none at the end of the text. Views live until next().
  const std::vector<Word>& words() const { return words_; }

 private:
  void skip_blanks();
  Problem read_word();
  Problem read_plain();
  Problem read_quoted(std::string_view name);
  Problem check_behind_quote() const;
  Problem add(std::string_view text, Quotes quotes);
  std::string_view resolved(std::string_view name, std::string_view raw, bool has_escapes);
  Problem refuse(std::string message) const { return LineError{line_, std::move(message)}; }
  Problem cut_short() const;

  const char* at_;
  const char* const end_;
  const char* limit_;  // where the statement must have ended
  unsigned line_ = 1;
  unsigned first_line_ = 1;  // of the statement
  std::vector<Word> words_;
  std::string scratch_;  // words that are not in the text as they are; never longer than kMaxStatement
};

}  // namespace sallyport::policy
