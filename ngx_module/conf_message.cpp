#include "conf_message.h"

#include "bridge.h"

namespace sallyport::ngx {

namespace {

std::string printable(std::string_view message) {
  std::string out(message);
  for (char& byte : out) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F) byte = '?';
  }
  return out;
}

void log_at(ngx_uint_t level, ngx_conf_t* cf, const Origin& origin, std::string_view message) {
  const std::string line = printable(message) + " in " + place(origin);
  const ngx_str_t shown = borrow(line);
  ngx_log_error(level, cf->log, 0, "%V", &shown);
}

}  // namespace

Origin here(const ngx_conf_t* cf) {
  if (cf->conf_file == nullptr) return {};
  return {std::string(view(cf->conf_file->file.name)), cf->conf_file->line};
}

Origin origin_of(const ngx_http_core_srv_conf_t* server) {
  return {reinterpret_cast<const char*>(server->file_name), server->line};
}

std::string place(const Origin& origin) {
  return origin.file.empty() ? "the configuration"
                             : origin.file + ":" + std::to_string(origin.line);
}

char* conf_error(ngx_conf_t* cf, std::string_view message) {
  return conf_error(cf, here(cf), message);
}

char* conf_error(ngx_conf_t* cf, const Origin& origin, std::string_view message) {
  log_at(NGX_LOG_EMERG, cf, origin, message);
  return kConfError;
}

void conf_warning(ngx_conf_t* cf, const Origin& origin, std::string_view message) {
  log_at(NGX_LOG_WARN, cf, origin, message);
}

std::vector<std::string_view> words(const ngx_conf_t* cf) {
  const auto* values = static_cast<const ngx_str_t*>(cf->args->elts);
  std::vector<std::string_view> out;
  out.reserve(cf->args->nelts);
  for (ngx_uint_t i = 0; i < cf->args->nelts; ++i) out.push_back(view(values[i]));
  return out;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string one_of(const std::vector<std::string>& choices) {
  std::string out;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) out += i + 1 == choices.size() ? " or " : ", ";
    out += quoted(choices[i]);
  }
  return out;
}

}  // namespace sallyport::ngx
