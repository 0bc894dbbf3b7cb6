// The inside of a `saml_redis` block while it is read.
#pragma once

#include "ngx.h"

#include <string>
#include <string_view>
#include <vector>

#include "named_block.h"
#include "redis_conf.h"

namespace sallyport::ngx {

struct RedisBlock final : NamedBlock {
  RedisConf redis;
  std::string trusted_certificate;  // files
  std::string certificate;
  std::string certificate_key;

  // redis_lines.cpp: every line that is known.
  static const std::vector<BlockLine<RedisBlock>>& lines();
  bool check_line(ngx_conf_t*, std::string_view) const { return true; }
};

}  // namespace sallyport::ngx
