// Reading the inside of a named block, `saml_idp NAME { }` or `saml_policy NAME { }`, line by line.
#pragma once

#include "ngx.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bridge.h"
#include "conf.h"
#include "conf_message.h"

namespace sallyport::ngx {

using Values = std::vector<std::string_view>;  // of a line, with its name at 0

constexpr std::size_t kAnyNumber = 1000000;

// A block while it is read.
struct NamedBlock {
  std::string directive;  // "saml_idp"
  std::string name;
  std::map<std::string, Origin, std::less<>> seen;  // the lines so far, by their first word
  std::size_t includes = 0;                         // lines so far
  std::vector<std::string> included;                // what they name: files, and the folder that a pattern looks into

  bool has(std::string_view line) const { return seen.find(line) != seen.end(); }
  const Origin& origin_of(std::string_view line) const { return seen.find(line)->second; }
  // `saml_idp "NAME": ` for messages.
  std::string subject() const { return directive + " \"" + name + "\": "; }

 protected:
  ~NamedBlock() = default;
};

// Says what is wrong at the line that is being read; false.
bool refuse(ngx_conf_t* cf, const NamedBlock& block, const std::string& message);

// One kind of line: how many values it takes, whether it may stand more than once, who reads it.
template <class Block>
struct BlockLine {
  std::string_view name;
  std::size_t min_values;
  std::size_t max_values;
  bool is_repeatable;
  bool (*read)(ngx_conf_t* cf, Block& block, const Values& values);
};

// named_block.cpp: the checks that every line gets. False after a message.
bool check_value_count(ngx_conf_t* cf, const NamedBlock& block, std::string_view line, std::size_t count,
                       std::size_t min, std::size_t max);
bool note_line(ngx_conf_t* cf, NamedBlock& block, std::string_view line, bool is_repeatable);

// named_block.cpp: what an `include` line names is noted, whether or not it is there. False after a message.
bool note_include(ngx_conf_t* cf, NamedBlock& block, std::string_view pattern);

// The name of a new block of this kind; `other` is where one of the same name stands, or null.
bool check_block_name(ngx_conf_t* cf, std::string_view directive, std::string_view name, const Origin* other);

// Reads up to the closing brace, or all of `file`. `Block::lines()` is a range of BlockLine<Block>; `Block::check_line(cf, line)`
// has a say before a line is read, and explains an unknown one.
template <class Block>
bool read_inside(ngx_conf_t* cf, Block& block, ngx_str_t* file = nullptr);

namespace named_block_detail {

template <class Block>
bool read_line(ngx_conf_t* cf, Block& block) {
  const Values values = words(cf);
  for (const BlockLine<Block>& line : Block::lines()) {
    if (line.name != values[0]) continue;
    return check_value_count(cf, block, line.name, values.size() - 1, line.min_values, line.max_values) &&
           block.check_line(cf, line.name) && note_line(cf, block, line.name, line.is_repeatable) &&
           line.read(cf, block, values);
  }
  return refuse(cf, block, "unknown line " + quoted(values[0]));
}

template <class Block>
char* on_line(ngx_conf_t* cf, ngx_command_t* command, void* conf) {
  const auto* values = static_cast<const ngx_str_t*>(cf->args->elts);
  const bool is_include = view(values[0]) == "include" && cf->args->nelts == 2;
  const bool is_good = fence<bool>(false, cf->log, [&] {
    Block& block = *static_cast<Block*>(conf);
    return is_include ? note_include(cf, block, view(values[1])) : read_line(cf, block);
  });
  if (!is_good) return kConfError;
  return is_include ? ngx_conf_include(cf, command, conf) : kConfOk;
}

}  // namespace named_block_detail

template <class Block>
bool read_inside(ngx_conf_t* cf, Block& block, ngx_str_t* file) {
  const ngx_conf_t saved = *cf;
  cf->handler = named_block_detail::on_line<Block>;
  cf->handler_conf = reinterpret_cast<char*>(&block);
  const char* result = ngx_conf_parse(cf, file);
  *cf = saved;
  return result == kConfOk;
}

}  // namespace sallyport::ngx
