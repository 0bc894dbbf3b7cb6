// TLS towards Redis: certificates as a `saml_redis` block names them.
#pragma once

#include "ngx.h"

#include "redis_block.h"

namespace sallyport::ngx {

// False after a message. The server's certificate is always verified (redis_connection.cpp), by the system's trusted ones where
// the block names none.
bool set_up_redis_tls(ngx_conf_t* cf, RedisBlock& block);

}  // namespace sallyport::ngx
