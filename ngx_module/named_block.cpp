#include "named_block.h"

#include "conf_value.h"

namespace sallyport::ngx {

bool refuse(ngx_conf_t* cf, const NamedBlock& block, const std::string& message) {
  conf_error(cf, block.subject() + message);
  return false;
}

bool check_value_count(ngx_conf_t* cf, const NamedBlock& block, std::string_view line, std::size_t count,
                       std::size_t min, std::size_t max) {
  if (count >= min && count <= max) return true;
  std::string wanted = "it takes at least " + std::to_string(min);
  if (max != kAnyNumber) {
    wanted = "it takes " + std::to_string(min);
    if (max != min) wanted += " to " + std::to_string(max);
  }
  return refuse(cf, block, "invalid number of values for " + quoted(line) + ": " + wanted);
}

bool note_line(ngx_conf_t* cf, NamedBlock& block, std::string_view line, bool is_repeatable) {
  const auto [first, is_new] = block.seen.emplace(std::string(line), here(cf));
  if (is_new || is_repeatable) return true;
  return refuse(cf, block, quoted(line) + " stands twice, the first at " + place(first->second) +
                               ": remove one of them");
}

bool check_block_name(ngx_conf_t* cf, std::string_view directive, std::string_view name, const Origin* other) {
  if (!is_simple_name(name) || name == "off") {
    conf_error(cf, quoted(directive) + " wants a name of at most 64 letters, digits, \".\", \"_\", \"-\" "
                   "(and not \"off\"), not " + quoted(name));
    return false;
  }
  if (other == nullptr) return true;
  conf_error(cf, "a " + quoted(directive) + " block named " + quoted(name) + " stands already at " +
                     place(*other) + ": choose another name");
  return false;
}

}  // namespace sallyport::ngx
