// One statement of a users file: `user KEY [idp=NAME] [disabled] [group=NAME ...] [space=NAME:ROLE ...];`
#pragma once

#include <string_view>
#include <vector>

#include "policy/line_error.h"
#include "policy/statements.h"

namespace sallyport::policy {

struct ListedSpace {
  std::string_view name;
  std::string_view role;  // empty: none was named
};

// Views as those of the words.
struct UserLine {
  unsigned line = 0;
  std::string_view key;
  std::string_view idp;  // empty: none was named
  bool is_disabled = false;
  std::vector<std::string_view> groups;
  std::vector<ListedSpace> spaces;
};

class UserLineReader {
 public:
  // Takes the words of a statement, at least one. The last colon of a space separates its role. A word in
  // quotes right behind "user" is the KEY whatever it says; another must not look like what stands behind
  // a KEY.
  Problem read(const std::vector<Word>& words);

  // What was read last.
  const UserLine& line() const { return line_; }

 private:
  struct Place {
    std::string_view name;
    unsigned line;
  };

  Problem read_key(const std::vector<Word>& words);
  Problem read_parameter(const Word& before, const Word& word);
  Problem read_idp(const Word& word);
  Problem read_group(const Word& word);
  Problem read_space(const Word& word);
  Problem read_disabled(const Word& word);

  UserLine line_;
  std::vector<Place> groups_;  // kept for their memory
  std::vector<Place> spaces_;
};

}  // namespace sallyport::policy
