// Identity headers: the standard names under each prefix in use, and what no client may send.
#include "conf_finish.h"

#include "bridge.h"
#include "conf_message.h"

namespace sallyport::ngx {

namespace {

constexpr std::string_view kDefaultPrefix = "X-SSO-";

// In the order of session::Field.
constexpr std::string_view kFieldNames[StandardHeaders::kCount] = {
    "User",     "Email",  "First-Name", "Last-Name", "Display-Name", "Picture",
    "Timezone", "Spaces", "Roles",      "Groups",    "Account-Role", "Idp"};

struct OtherName {
  std::string_view name;
  HeaderName StandardHeaders::*member;
};
constexpr OtherName kOtherNames[] = {{"Space", &StandardHeaders::space},
                                     {"Role", &StandardHeaders::role},
                                     {"Overflow", &StandardHeaders::overflow},
                                     {"Assertion", &StandardHeaders::assertion},
                                     {"Login", &StandardHeaders::login}};

// The names under one prefix, made once; null when memory is short.
const StandardHeaders* headers_under(ngx_conf_t* cf, MainConf& conf, const std::string& prefix) {
  const auto known = conf.standard_headers.find(prefix);
  if (known != conf.standard_headers.end()) return known->second.get();
  auto headers = std::make_unique<StandardHeaders>();
  const auto add = [&](std::string_view name, HeaderName* out) {
    const std::string full = prefix + std::string(name);
    conf.strip.add(full);
    return make_header_name(cf->pool, full, out);
  };
  for (std::size_t i = 0; i < StandardHeaders::kCount; ++i) {
    if (!add(kFieldNames[i], &headers->fields[i])) return nullptr;
  }
  for (const OtherName& other : kOtherNames) {
    if (!add(other.name, &(*headers.*other.member))) return nullptr;
  }
  return conf.standard_headers.emplace(prefix, std::move(headers)).first->second.get();
}

void strip_extra(MainConf& conf, const LocConf& location) {
  if (!location.extra_headers) return;
  for (const ExtraHeader& header : *location.extra_headers) {
    conf.strip.add(view(header.header.name));
  }
}

// saml_header with a standard name: the application would get two values.
bool check_extra(ngx_conf_t* cf, const LocConf& location, const std::string& prefix) {
  if (!location.on || prefix.empty() || !location.extra_headers) return true;
  StripSet standard;
  for (const std::string_view name : kFieldNames) standard.add(prefix + std::string(name));
  for (const OtherName& other : kOtherNames) standard.add(prefix + std::string(other.name));
  for (const ExtraHeader& header : *location.extra_headers) {
    if (!standard.has(view(header.header.name))) continue;
    conf_error(cf, location.extra_headers_origin,
               "\"saml_header " + std::string(view(header.header.name)) +
                   "\": saml_headers sends this header already; choose another name, or write "
                   "\"saml_headers off;\"");
    return false;
  }
  return true;
}

}  // namespace

bool resolve_headers(ngx_conf_t* cf, MainConf& conf, const LocConf* http_level) {
  const std::string default_prefix(kDefaultPrefix);
  if (headers_under(cf, conf, default_prefix) == nullptr) return false;
  strip_extra(conf, *http_level);
  for (LocConf* location : conf.locations) {
    const std::string& prefix = location->headers_prefix.or_default(default_prefix);
    strip_extra(conf, *location);
    if (!check_extra(cf, *location, prefix)) return false;
    location->is_json =
        location->header_format.or_default(HeaderFormat::kList) == HeaderFormat::kJson;
    if (prefix.empty()) continue;
    location->standard = headers_under(cf, conf, prefix);
    if (location->standard == nullptr) return false;
  }
  return true;
}

}  // namespace sallyport::ngx
