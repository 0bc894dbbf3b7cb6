// A Redis in memory for the tests of what is written to it: strings and expiry with a clock of its own, by the commands' bytes.
#pragma once

#include <hiredis/hiredis.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "redis/commands.h"
#include "redis/reply.h"

namespace sallyport::redis::testing {

class FakeRedis {
 public:
  Millis now = 0;

  struct Entry {
    std::string value;
    Millis ends;
  };

  // The words of one command.
  static std::vector<std::string> words_of(std::string_view bytes) {
    std::vector<std::string> words;
    std::size_t at = bytes.find("\r\n") + 2;
    while (at < bytes.size()) {
      const std::size_t line = bytes.find("\r\n", at);
      const std::size_t size = std::stoul(std::string(bytes.substr(at + 1, line - at - 1)));
      words.emplace_back(bytes.substr(line + 2, size));
      at = line + 2 + size + 2;
    }
    return words;
  }

  // Carries a command out; the answer's bytes.
  std::string run(const Command& command) {
    const std::vector<std::string> words = words_of(command.bytes);
    drop_expired();
    const std::string& name = words[0];
    if (name == "GET") return find(words[1]) ? bulk(entries[words[1]].value) : "$-1\r\n";
    if (name == "EXISTS") return number(find(words[1]) ? 1 : 0);
    if (name == "PTTL") return number(find(words[1]) ? entries[words[1]].ends - now : -2);
    if (name == "DEL") return number(static_cast<Millis>(entries.erase(words[1])));
    if (name == "SET") return set(words);
    return number(1);  // indexes
  }

  bool find(const std::string& key) const { return entries.count(key) != 0; }
  void drop_expired() {
    for (auto entry = entries.begin(); entry != entries.end();) {
      entry = entry->second.ends <= now ? entries.erase(entry) : std::next(entry);
    }
  }

  std::map<std::string, Entry> entries;

 private:
  static std::string number(Millis value) { return ":" + std::to_string(value) + "\r\n"; }
  static std::string bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  }

  std::string set(const std::vector<std::string>& words) {
    const bool exists = find(words[1]);
    const std::string condition = words.size() > 5 ? words[5] : "";
    if ((condition == "NX" && exists) || (condition == "XX" && !exists)) return "$-1\r\n";
    entries[words[1]] = {words[2], now + std::stoll(words[4])};
    return "+OK\r\n";
  }
};

// The reply that these bytes are.
inline OwnedReply reply_of(const std::string& bytes) {
  ReplyReader reader;
  reader.feed(bytes);
  return reader.next();
}

}  // namespace sallyport::redis::testing
