// The handlers behind the module's table of directives. Each reads the words of one directive into
// one level's configuration; false after a message.
#pragma once

#include "ngx.h"

#include <optional>
#include <string>
#include <vector>

#include "base/instant.h"
#include "conf.h"

namespace sallyport::ngx {

// directives_location.cpp
bool set_auth_saml(ngx_conf_t* cf, LocConf& conf);
bool add_require(ngx_conf_t* cf, LocConf& conf);
bool add_header(ngx_conf_t* cf, LocConf& conf);
bool set_header_limit(ngx_conf_t* cf, LocConf& conf);
bool set_endpoints_here(ngx_conf_t* cf, LocConf& conf);
std::optional<std::string> headers_prefix_value(ngx_conf_t* cf);
std::optional<LocConf::Space> space_value(ngx_conf_t* cf);

// directives_server.cpp
std::optional<std::string> entity_id_value(ngx_conf_t* cf);
std::optional<std::string> base_url_value(ngx_conf_t* cf);
std::optional<std::string> endpoint_value(ngx_conf_t* cf);
std::optional<Millis> clock_skew_value(ngx_conf_t* cf);
std::optional<Millis> positive_time_value(ngx_conf_t* cf);
std::optional<Millis> force_authn_value(ngx_conf_t* cf);
std::optional<Millis> time_value(ngx_conf_t* cf);
std::optional<std::size_t> message_size_value(ngx_conf_t* cf);
std::optional<std::size_t> metadata_size_value(ngx_conf_t* cf);
std::optional<std::string> cache_path_value(ngx_conf_t* cf);
std::optional<std::string> idp_directory_value(ngx_conf_t* cf);
std::optional<std::string> template_value(ngx_conf_t* cf);
bool add_certificate(ngx_conf_t* cf, SrvConf& conf);
bool add_certificate_key(ngx_conf_t* cf, SrvConf& conf);

// directives_session.cpp
bool set_session_zone(ngx_conf_t* cf, MainConf& conf);
bool set_session_store(ngx_conf_t* cf, MainConf& conf);
std::optional<std::vector<std::string>> secret_files_value(ngx_conf_t* cf);
std::optional<SrvConf::Cookie> cookie_value(ngx_conf_t* cf);

// redis_block.cpp
bool read_redis_block(ngx_conf_t* cf, MainConf& conf);

// idp_block.cpp
bool read_idp_block(ngx_conf_t* cf, MainConf& conf);

// policy_block.cpp
bool read_policy_block(ngx_conf_t* cf, MainConf& conf);

}  // namespace sallyport::ngx
