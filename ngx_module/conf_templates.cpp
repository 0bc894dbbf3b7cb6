// Pages of the operator's own, each file read once.
#include <map>
#include <set>

#include "conf_file.h"
#include "conf_finish.h"
#include "conf_message.h"

namespace sallyport::ngx {

namespace {

using login::PageTemplate;
using Loaded = std::map<std::string, std::shared_ptr<const PageTemplate>>;

bool load(ngx_conf_t* cf, const Setting<std::string>& file, std::string_view directive,
          const std::set<std::string, std::less<>>& names, Loaded& loaded, std::shared_ptr<const PageTemplate>& out) {
  if (!file.is_set()) return true;
  std::shared_ptr<const PageTemplate>& known = loaded[*file.value];
  if (known == nullptr) {
    const auto text = read_conf_file(cf, file.origin, std::string(directive), *file.value, kMaxKeyFile);
    if (!text) return false;
    auto made = PageTemplate::compile(*text, names);
    if (!made) {
      conf_error(cf, file.origin, quoted(directive) + ": " + quoted(*file.value) + ", " + made.error().detail +
                                      "; docs/templates.md lists what there is");
      return false;
    }
    known = std::make_shared<const PageTemplate>(std::move(made).value());
  }
  out = known;
  return true;
}

// Users would stand before such a page and could go nowhere.
void warn_of_dead_end(ngx_conf_t* cf, const Setting<std::string>& file, const PageTemplate& page) {
  if (page.writes("url") || page.writes("action")) return;
  conf_warning(cf, file.origin,
               "\"saml_login_template\": nobody can log in by the page of " + quoted(*file.value) +
                   R"(: write {{#choices}}<a href="{{url}}">{{name}}</a>{{/choices}}, or a form with action="{{action}}" )" +
                   "(docs/templates.md)");
}

}  // namespace

bool load_templates(ngx_conf_t* cf, MainConf& conf) {
  Loaded login_pages, error_pages;
  for (SrvConf* server : conf.servers) {
    if (!server->active) continue;
    if (!load(cf, server->login_template, "saml_login_template", login::login_page_names(), login_pages, server->login_page) ||
        !load(cf, server->error_template, "saml_error_template", login::error_page_names(), error_pages, server->error_page)) {
      return false;
    }
  }
  std::set<const PageTemplate*> seen;
  for (const SrvConf* server : conf.servers) {
    const PageTemplate* page = server->login_page.get();
    if (page != nullptr && seen.insert(page).second) warn_of_dead_end(cf, server->login_template, *page);
  }
  return true;
}

}  // namespace sallyport::ngx
