// Facts as lines that cannot be taken for one another.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"

namespace sallyport::fuzz {

class Facts {
 public:
  void add(std::string_view name, std::string_view value) {
    text_ += name;
    text_ += '=' + std::to_string(value.size()) + ':';
    text_ += value;
    text_ += '\n';
  }
  // What is not there differs from what is empty.
  void add_if(std::string_view name, const std::optional<std::string>& value) {
    value ? add(name, std::string_view(*value)) : add(std::string("no ") + std::string(name), "");
  }
  void add_time(std::string_view name, const std::optional<Millis>& value) {
    value ? add(name, std::to_string(*value)) : add(std::string("no ") + std::string(name), "");
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace sallyport::fuzz
