// Copies of fetched metadata under saml_cache_path: from one worker to the others, and to the next start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"

namespace sallyport::ngx {

// The file of a saml_idp's copy. Its name holds the URL's digest: with another URL there is no copy yet.
std::string copy_file(const std::string& folder, std::string_view idp_name, std::string_view url);

// Tells one state of a file from another; all zero: there is none.
struct FileState {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  Millis modified = 0;
  std::int64_t changed = 0;  // nanoseconds; by whatever means, also where the time above was set back
  bool is_plain = false;     // a file, or a link to one

  bool exists() const { return inode != 0; }
  bool operator==(const FileState& other) const {
    return inode == other.inode && size == other.size && modified == other.modified && changed == other.changed;
  }
  bool operator!=(const FileState& other) const { return !(*this == other); }
};
FileState state_of(const std::string& file);
FileState state_of(int descriptor);

// nullopt: it cannot be read, is larger, or no plain file.
std::optional<std::string> read_copy(const std::string& file, std::size_t max_bytes);

// Replaces the file as a whole, so that nobody reads half of it. What was wrong; empty: nothing.
std::string write_copy(const std::string& file, std::string_view bytes);

}  // namespace sallyport::ngx
