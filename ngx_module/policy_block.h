// The inside of a `saml_policy` block while it is read.
#pragma once

#include "ngx.h"

#include <memory>
#include <string>
#include <vector>

#include "named_block.h"
#include "policy/policy.h"

namespace sallyport::ngx {

struct PolicyBlock final : NamedBlock {
  std::shared_ptr<policy::Policy> policy = std::make_shared<policy::Policy>();
  std::string users_file;
  std::vector<Origin> group_origins;  // by number
  bool has_idp_ids = false;

  // A map_group line: its group may stand further down.
  struct Rule {
    std::string attribute;
    policy::Condition condition;
    std::string value;
    std::string group;
    Origin origin;
  };
  std::vector<Rule> rules;

  // policy_lines.cpp: every line that is known.
  static const std::vector<BlockLine<PolicyBlock>>& lines();
  bool check_line(ngx_conf_t*, std::string_view) const { return true; }
};

}  // namespace sallyport::ngx
