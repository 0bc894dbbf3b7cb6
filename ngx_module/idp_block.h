// The inside of a `saml_idp` block while it is read.
#pragma once

#include "ngx.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conf.h"

namespace sallyport::ngx {

struct IdpBlock {
  IdpConf idp;
  std::map<std::string, Origin, std::less<>> seen;  // the lines so far, by their first word
  std::string metadata_entity;

  bool has(std::string_view line) const { return seen.find(line) != seen.end(); }
  // "saml_idp NAME: " for messages.
  std::string subject() const { return "saml_idp \"" + idp.name + "\": "; }
};

// One kind of line: how many values it takes, whether it may stand more than once, who reads it.
struct IdpLine {
  std::string_view name;
  std::size_t min_values;
  std::size_t max_values;
  bool is_repeatable;
  bool (*read)(ngx_conf_t* cf, IdpBlock& block, const std::vector<std::string_view>& values);
};

// idp_lines.cpp: every line that is known; null for an unknown name. `values` has the name at 0.
const IdpLine* find_idp_line(std::string_view name);
// What to say to a line of a later version; empty for a name that never was one.
std::string_view later_idp_line(std::string_view name);

// Whether the line says by hand what every metadata document says.
bool is_by_hand(std::string_view name);

}  // namespace sallyport::ngx
