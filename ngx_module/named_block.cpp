#include "named_block.h"

#include <optional>

#include "base/c_ptr.h"
#include "conf_file.h"
#include "conf_value.h"
#include "metadata_copy.h"

namespace sallyport::ngx {

namespace {

// A file that includes itself would be read until no descriptor is left.
constexpr std::size_t kMostIncludes = 100;
constexpr char kWild[] = "*?[";

bool is_pattern(std::string_view path) { return path.find_first_of(kWild) != path.npos; }

// Whose change means that files of the pattern came or went.
std::string folder_of(const std::string& pattern) {
  return pattern.substr(0, pattern.rfind('/', pattern.find_first_of(kWild)));
}

std::vector<std::string> files_of(ngx_conf_t* cf, std::string pattern) {
  if (!is_pattern(pattern)) return {std::move(pattern)};
  std::vector<std::string> files;
  ngx_glob_t glob{};
  glob.pattern = reinterpret_cast<u_char*>(pattern.data());
  glob.log = cf->log;
  if (ngx_open_glob(&glob) != NGX_OK) return files;
  const CPtr<ngx_glob_t, ngx_close_glob> closed(&glob);
  ngx_str_t name;
  while (ngx_read_glob(&glob, &name) == NGX_OK) files.emplace_back(view(name));
  return files;
}

}  // namespace

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

bool note_include(ngx_conf_t* cf, NamedBlock& block, std::string_view pattern) {
  if (++block.includes > kMostIncludes) {
    return refuse(cf, block, "more than " + std::to_string(kMostIncludes) + " \"include\" lines: does a file include itself?");
  }
  const std::optional<std::string> path = full_path(cf, pattern);
  if (!path) return false;
  if (is_pattern(*path)) block.included.push_back(folder_of(*path));
  for (std::string& file : files_of(cf, *path)) {
    const std::string& noted = block.included.emplace_back(std::move(file));
    const FileState state = state_of(noted);
    if (state.exists() && !state.is_plain) return refuse(cf, block, "\"include\" wants a file, and " + quoted(noted) + " is none");
  }
  return true;
}

bool check_block_name(ngx_conf_t* cf, std::string_view directive, std::string_view name, const Origin* other) {
  if (!is_simple_name(name) || is_word(name, "off")) {
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
