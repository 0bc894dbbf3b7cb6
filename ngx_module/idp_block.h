// The inside of a `saml_idp` block while it is read.
#pragma once

#include "ngx.h"

#include <string>
#include <string_view>
#include <vector>

#include "named_block.h"

namespace sallyport::ngx {

struct IdpBlock final : NamedBlock {
  IdpConf idp;
  std::optional<Millis> metadata_refresh;

  // idp_lines.cpp: every line that is known.
  static const std::vector<BlockLine<IdpBlock>>& lines();
  // Metadata and the same by hand: the second of the two is the mistake that the operator sees.
  bool check_line(ngx_conf_t* cf, std::string_view line) const;
};

}  // namespace sallyport::ngx
