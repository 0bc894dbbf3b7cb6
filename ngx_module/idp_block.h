// The inside of a `saml_idp` block while it is read.
#pragma once

#include "ngx.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "named_block.h"

namespace sallyport::ngx {

struct IdpBlock final : NamedBlock {
  IdpConf idp;
  Aggregates* aggregates = nullptr;  // where metadata of many entities is read
  std::optional<Millis> metadata_refresh;

  // idp_lines.cpp: every line that is known.
  static const std::vector<BlockLine<IdpBlock>>& lines();
  // Metadata and the same by hand: the second of the two is the mistake that the operator sees.
  bool check_line(ngx_conf_t* cf, std::string_view line) const;
};

// Where copies of metadata by URL are; no folder: nowhere.
struct MetadataCopies {
  std::string folder;
  std::size_t max_bytes = 0;
};

// What reading a file of saml_idp_directory needs beside it.
struct IdpFileContext {
  MetadataCopies copies;
  std::shared_ptr<Aggregates> aggregates;
};

// The saml_idp of a file that holds what a block holds, with the copy of its metadata where it is by URL; null after a message.
// `files` gets what its lines name, whether or not they are good. For any thread.
std::unique_ptr<IdpConf> read_idp_file(ngx_conf_t* cf, const std::string& name, const std::string& path,
                                       const IdpFileContext& context, std::vector<std::string>& files);

}  // namespace sallyport::ngx
