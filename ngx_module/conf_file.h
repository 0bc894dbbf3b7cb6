// Files that the configuration names: metadata, certificates, keys. Read by the master as the user
// who starts nginx.
#pragma once

#include "ngx.h"

#include <optional>
#include <string>
#include <string_view>

#include "conf.h"

namespace sallyport::ngx {

// The file's bytes; nullopt after a message at `origin` that says what is wrong and what to do.
// `subject` begins the message, like "saml_certificate_key"; `if_empty` and `if_too_large` say more of such a
// file.
std::optional<std::string> read_conf_file(ngx_conf_t* cf, const Origin& origin,
                                          std::string_view subject, const std::string& path,
                                          std::size_t max_bytes, std::string_view if_empty = {},
                                          std::string_view if_too_large = ", is it the right file?");

// The same for two paths that lead to one file.
std::string identity_of_file(const std::string& path);

// A file of the system's; nullopt when it cannot be read, or is larger.
std::optional<std::string> read_system_file(const std::string& path, std::size_t max_bytes);

// A warning at `origin` where a file with a secret can be read by everybody.
void warn_if_readable_by_all(ngx_conf_t* cf, const Origin& origin, std::string_view subject, const std::string& path);

// A path of the configuration made absolute, as nginx does: relative to nginx.conf's folder.
std::optional<std::string> full_path(ngx_conf_t* cf, std::string_view path);

constexpr std::size_t kMaxKeyFile = 256 * 1024;
constexpr std::size_t kMaxMetadataFile = 16 * 1024 * 1024;

}  // namespace sallyport::ngx
