#include "idp_choices.h"

#include <algorithm>

#include "bridge.h"
#include "site.h"

namespace sallyport::ngx {

std::string_view named_idp(ngx_http_request_t* r, const LocConf::AuthSaml& auth) {
  ngx_str_t name{};
  auto* complex = const_cast<ngx_http_complex_value_t*>(&auth.variable);
  return ngx_http_complex_value(r, complex, &name) == NGX_OK ? view(name) : std::string_view();
}

std::string unknown_name(ngx_http_request_t* r, const LocConf::AuthSaml& auth) {
  const std::string_view name = named_idp(r, auth);
  const std::string source = "auth_saml " + std::string(view(auth.variable.value)) + " is ";
  return source + (name.empty() ? "empty, and so names no saml_idp" : "<" + std::string(name) + ">, no saml_idp of that name");
}

bool IdpChoices::admit(const login::Trust* trust) const {
  return is_open || std::find(trusts.begin(), trusts.end(), trust) != trusts.end();
}

IdpChoices choices_of(ngx_http_request_t* r, const SrvConf& server) {
  IdpChoices choices;
  const auto add = [&](const login::Trust* trust) {
    if (trust->is_vacant) return;
    auto& trusts = choices.trusts;
    if (std::find(trusts.begin(), trusts.end(), trust) == trusts.end()) trusts.push_back(trust);
  };
  for (const LocConf* location : server.admitting) {
    const LocConf::AuthSaml& auth = *location->auth_saml.value;
    std::for_each(location->trusts.begin(), location->trusts.end(), add);
    if (!auth.is_variable) continue;
    if (const login::Trust* trust = server.find_trust(named_idp(r, auth))) {
      add(trust);
    } else {
      choices.is_open = site_kind(r) == Site::kBase;
    }
  }
  return choices;
}

}  // namespace sallyport::ngx
