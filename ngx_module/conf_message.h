// Messages of the configuration test: with the file and line they are about, as nginx writes them.
#pragma once

#include "ngx.h"

#include <string>
#include <string_view>
#include <vector>

#include "conf.h"

namespace sallyport::ngx {

inline char* const kConfOk = static_cast<char*>(NGX_CONF_OK);
inline char* const kConfError = static_cast<char*>(NGX_CONF_ERROR);

// The place of the directive that is being read.
Origin here(const ngx_conf_t* cf);
// The server block's own line.
Origin origin_of(const ngx_http_core_srv_conf_t* server);
// "file:line".
std::string place(const Origin& origin);

// Level emerg, "MESSAGE in FILE:LINE"; bytes that would break the line are shown as '?'. The
// message says what to write instead. Without an origin: the directive that is being read. Returns
// kConfError.
char* conf_error(ngx_conf_t* cf, std::string_view message);
char* conf_error(ngx_conf_t* cf, const Origin& origin, std::string_view message);
// The same at level warn; nginx goes on.
void conf_warning(ngx_conf_t* cf, const Origin& origin, std::string_view message);

// The words of the directive that is being read; the first is its name.
std::vector<std::string_view> words(const ngx_conf_t* cf);

// "text" in double quotes.
std::string quoted(std::string_view text);
// "a", "b" or "c".
std::string one_of(const std::vector<std::string>& choices);

}  // namespace sallyport::ngx
