#include "policy/user_line.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

namespace sallyport::policy {

namespace {

constexpr std::string_view kDisabled = "disabled";
constexpr std::string_view kIdp = "idp=";
constexpr std::string_view kGroup = "group=";
constexpr std::string_view kSpace = "space=";

LineError at(const Word& word, std::string message) { return {word.line, std::move(message)}; }

bool begins(std::string_view text, std::string_view with) {
  return text.compare(0, with.size(), with) == 0;
}

bool is_parameter(std::string_view text) {
  return text == kDisabled || begins(text, kIdp) || begins(text, kGroup) || begins(text, kSpace);
}

// A blank at an end is refused because what an IdP sends is trimmed: such a name would never be met.
Problem check_name(const Word& word, std::string_view name, std::string_view what) {
  if (name.empty()) {
    return at(word, shown(word.text) + " lacks the name of " + std::string(what));
  }
  if (name.front() == ' ' || name.back() == ' ') {
    return at(word, "in " + shown(word.text) + " the name of " + std::string(what) +
                        " begins or ends with a space: remove it");
  }
  return std::nullopt;
}

// Sorts, so that long lines cost little.
template <class Place>
Problem check_repeated(std::vector<Place>& places, std::string_view what) {
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return std::tie(a.name, a.line) < std::tie(b.name, b.line);
  });
  const auto first = std::adjacent_find(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return a.name == b.name;
  });
  if (first == places.end()) return std::nullopt;
  return LineError{(first + 1)->line, "the " + std::string(what) + " " + shown(first->name) +
                                          " stands twice for one user: remove one"};
}

}  // namespace

Problem UserLineReader::read(const std::vector<Word>& words) {
  line_.line = words[0].line;
  line_.key = line_.idp = {};
  line_.is_disabled = false;
  line_.groups.clear();
  line_.spaces.clear();
  groups_.clear();
  spaces_.clear();
  if (Problem problem = read_key(words)) return problem;
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (Problem problem = read_parameter(words[i - 1], words[i])) return problem;
  }
  if (Problem problem = check_repeated(groups_, "group")) return problem;
  return check_repeated(spaces_, "space");
}

Problem UserLineReader::read_key(const std::vector<Word>& words) {
  constexpr std::string_view kWanted = "the user id as $saml_user shows it, or an e-mail address";
  if (words[0].text != "user") {
    return at(words[0], "unknown word " + shown(words[0].text) +
                            ": each statement is \"user KEY ...;\", for example \"user ada@example.com "
                            "group=Engineering;\"");
  }
  if (words.size() < 2) {
    return at(words[0], "\"user\" has no KEY behind it: write " + std::string(kWanted));
  }
  const Word& word = words[1];
  if (word.text.empty()) return at(word, "the KEY is empty: write " + std::string(kWanted));
  if (word.quotes != Quotes::kWhole && is_parameter(word.text)) {
    return at(word, "\"user\" has no KEY before " + shown(word.text) + ": write " + std::string(kWanted) +
                        " (the whole word in quotes where this is one)");
  }
  line_.key = word.text;
  return std::nullopt;
}

Problem UserLineReader::read_parameter(const Word& before, const Word& word) {
  if (begins(word.text, kIdp)) return read_idp(word);
  if (begins(word.text, kGroup)) return read_group(word);
  if (begins(word.text, kSpace)) return read_space(word);
  if (word.text == kDisabled) return read_disabled(word);
  if (word.text == "user" && word.quotes == Quotes::kNone) {
    return at(before, "the statement has no \";\" before the \"user\" of line " +
                          std::to_string(word.line) + ": add it");
  }
  return at(word, "unknown word " + shown(word.text) +
                      ": behind the KEY stand \"idp=NAME\", \"disabled\", \"group=NAME\" and "
                      "\"space=NAME:ROLE\"; what has blanks in it is written in quotes");
}

Problem UserLineReader::read_idp(const Word& word) {
  const std::string_view name = word.text.substr(kIdp.size());
  if (!line_.idp.empty()) {
    return at(word, "\"idp=\" stands twice: write a line for each IdP, or \"idp=*\" where the KEY is the "
                    "same person at every IdP");
  }
  line_.idp = name;
  return check_name(word, name, "a saml_idp block");
}

Problem UserLineReader::read_group(const Word& word) {
  const std::string_view name = word.text.substr(kGroup.size());
  line_.groups.push_back(name);
  groups_.push_back({name, word.line});
  return check_name(word, name, "a group");
}

Problem UserLineReader::read_space(const Word& word) {
  const std::string_view pair = word.text.substr(kSpace.size());
  const std::size_t colon = pair.rfind(':');
  const std::string_view name = pair.substr(0, colon);
  if (Problem problem = check_name(word, name, "a space")) return problem;
  spaces_.push_back({name, word.line});
  if (colon == std::string_view::npos) {
    line_.spaces.push_back({name, {}});
    return std::nullopt;
  }
  const std::string_view role = pair.substr(colon + 1);
  line_.spaces.push_back({name, role});
  if (role.empty()) {
    return at(word, shown(word.text) + " has no role behind the colon: write \"space=NAME:ROLE\", or "
                                       "\"space=NAME\" for the default role");
  }
  if (word.quotes == Quotes::kNone && (role.front() == '"' || role.front() == '\'')) {
    return at(word, "a quote opens in the middle of " + shown(word.text) +
                        ": write \"space=NAME:ROLE\" or space=\"NAME:ROLE\"");
  }
  return check_name(word, role, "a role");
}

Problem UserLineReader::read_disabled(const Word& word) {
  if (line_.is_disabled) return at(word, "\"disabled\" stands twice: remove one");
  line_.is_disabled = true;
  return std::nullopt;
}

}  // namespace sallyport::policy
