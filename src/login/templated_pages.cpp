// What the pages give to templates of the operator's.
#include "base/url.h"
#include "login/page_template.h"
#include "login/page_texts.h"

namespace sallyport::login {

namespace {

// As on our own pages: what is no link is none.
std::string link_or_nothing(std::string_view url) {
  return is_local_path(url) || parse_url(url) ? std::string(url) : std::string();
}

std::string flag(bool value) { return value ? "1" : ""; }

}  // namespace

const std::set<std::string, std::less<>>& login_page_names() {
  static const std::set<std::string, std::less<>> kNames = {"choices", "name",  "url",   "last", "email_form",
                                                            "action",  "return", "fresh", "email", "unknown_email"};
  return kNames;
}

Page login_page(const PageTemplate& page_template, const LoginPage& page) {
  TemplateValues values;
  std::vector<TemplateValues>& choices = values.lists["choices"];
  for (const IdpChoice& choice : page.choices) {
    const std::string url = link_or_nothing(choice.login_url);
    if (!url.empty()) choices.push_back({{{"name", choice.display_name}, {"url", url}, {"last", flag(choice.is_last)}}, {}});
  }
  values.texts["email_form"] = flag(page.email_form.has_value());
  const EmailForm form = page.email_form.value_or(EmailForm());
  values.texts["action"] = form.action;
  values.texts["return"] = form.return_url;
  values.texts["fresh"] = form.fresh;
  values.texts["email"] = form.email;
  values.texts["unknown_email"] = flag(form.is_unknown);
  return page_template.render(values);
}

const std::set<std::string, std::less<>>& error_page_names() {
  static const std::set<std::string, std::less<>> kNames = {"heading",   "what",      "advice",        "reason",
                                                            "reference", "retry_url", "missing_access"};
  return kNames;
}

Page error_page(const PageTemplate& page_template, const ErrorPage& page) {
  const PageText text = page_text(page.reason);
  TemplateValues values;
  values.texts["heading"] = text.heading;
  values.texts["what"] = text.what;
  values.texts["advice"] = text.advice;
  values.texts["reason"] = reason_word(page.reason);
  values.texts["reference"] = page.reference;
  values.texts["retry_url"] = link_or_nothing(page.retry_url);
  values.texts["missing_access"] = page.missing_access;
  return page_template.render(values);
}

}  // namespace sallyport::login
