#include "login/pages.h"

#include "base/digest.h"
#include "base/encoding.h"
#include "base/url.h"
#include "login/page_texts.h"

namespace sallyport::login {
namespace {

// One stylesheet for all pages: light and dark, from a phone upwards, targets of 44 pixels.
constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;--page:#f4f6f8;--card:#fff;--text:#1b1f24;--soft:#545d68;"
    "--line:#d0d7de;--accent:#0b57d0;--on-accent:#fff;--problem:#b3261e}"
    "@media(prefers-color-scheme:dark){:root{--page:#12151a;--card:#1b2027;--text:#e8eaed;"
    "--soft:#a9b3be;--line:#39414b;--accent:#8ab4f8;--on-accent:#0b1a33;--problem:#f2b8b5}}"
    "*{box-sizing:border-box}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;"
    "background:var(--page);color:var(--text);font:1rem/1.5 system-ui,sans-serif}"
    "main{width:100%;max-width:30rem;padding:2rem;background:var(--card);"
    "border:1px solid var(--line);border-radius:.75rem;overflow-wrap:anywhere}"
    "h1{margin:0 0 .75rem;font-size:1.375rem;line-height:1.3}"
    "p{margin:0 0 1rem}"
    "ul{margin:0;padding:0;list-style:none;display:grid;gap:.75rem}"
    ".button{display:block;width:100%;min-height:2.75rem;padding:.625rem 1rem;border:0;"
    "border-radius:.5rem;background:var(--accent);color:var(--on-accent);font:inherit;"
    "font-weight:600;text-align:center;text-decoration:none;cursor:pointer}"
    ".button:hover{text-decoration:underline}"
    ".last{display:block;font-weight:400;font-size:.875rem}"
    "label{display:block;margin:0 0 .375rem;font-weight:600}"
    "input[type=email]{display:block;width:100%;min-height:2.75rem;margin:0 0 .75rem;padding:.625rem .75rem;"
    "border:1px solid var(--soft);border-radius:.5rem;background:var(--page);color:var(--text);font:inherit}"
    "ul+form{margin-top:1.5rem;padding-top:1.5rem;border-top:1px solid var(--line)}"
    ".problem{padding:.625rem .75rem;border-left:4px solid var(--problem)}"
    ":focus-visible{outline:3px solid var(--accent);outline-offset:3px}"
    ".reference{margin:1.5rem 0 0;color:var(--soft);font-size:.875rem}"
    "code{font-family:ui-monospace,monospace;user-select:all}";

constexpr std::string_view kSubmitScript = "document.forms[0].submit()";

std::string source_hash(std::string_view text) {
  return "'sha256-" + base64_encode(as_view(sha256(text))) + "'";
}

enum class Uses {
  kNoForm,
  kForm,        // a form whose answer may redirect anywhere, which form-action would forbid
  kFormScript,  // and the script that submits it
};

std::string make_policy(Uses uses) {
  std::string policy = "default-src 'none'; style-src " + source_hash(kStyle);
  if (uses == Uses::kFormScript) policy += "; script-src " + source_hash(kSubmitScript);
  policy += "; img-src 'none'; base-uri 'none'; frame-ancestors 'none'";
  if (uses == Uses::kNoForm) policy += "; form-action 'none'";
  return policy;
}

const std::string& policy_for(Uses uses) {
  static const std::string no_form = make_policy(Uses::kNoForm);
  static const std::string form = make_policy(Uses::kForm);
  static const std::string form_script = make_policy(Uses::kFormScript);
  switch (uses) {
    case Uses::kNoForm: return no_form;
    case Uses::kForm: return form;
    case Uses::kFormScript: return form_script;
  }
  return no_form;
}

// `head` and `body` are HTML; the title is text.
Page make_page(std::string_view title, std::string_view head, std::string_view body, Uses uses) {
  std::string html;
  html.reserve(kStyle.size() + head.size() + body.size() + title.size() + 512);
  html +=
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta name=\"robots\" content=\"noindex\">\n<title>";
  html += html_escape(title);
  html += "</title>\n<style>";
  html += kStyle;
  html += "</style>\n";
  html += head;
  html += "</head>\n<body>\n<main>\n";
  html += body;
  html += "</main>\n</body>\n</html>\n";
  return {std::move(html), policy_for(uses)};
}

std::string heading(std::string_view text) { return "<h1>" + html_escape(text) + "</h1>\n"; }

std::string paragraph(std::string_view text) { return "<p>" + html_escape(text) + "</p>\n"; }

// A path of this site or an http(s) URL: what may stand in a link. Anything else has no link.
bool is_link(std::string_view url) { return is_local_path(url) || parse_url(url).has_value(); }

std::string link_button(std::string_view url, std::string_view label) {
  if (!is_link(url)) return {};
  return "<a class=\"button\" href=\"" + html_escape(url) + "\">" + html_escape(label) + "</a>\n";
}

std::string submit_button(std::string_view label) {
  return "<button class=\"button\" type=\"submit\">" + html_escape(label) + "</button>\n";
}

std::string hidden_field(std::string_view name, std::string_view value) {
  return "<input type=\"hidden\" name=\"" + html_escape(name) + "\" value=\"" +
         html_escape(value) + "\">\n";
}

std::string choice_item(const IdpChoice& choice) {
  if (!is_link(choice.login_url)) return {};
  std::string item = "<li><a class=\"button\" href=\"" + html_escape(choice.login_url) + "\">Log in using " +
                     html_escape(choice.display_name) + " SSO";
  if (choice.is_last) item += "<span class=\"last\">Used last time</span>";
  return item + "</a></li>\n";
}

// The problem is said aloud by screen readers when the page comes, and again with the field.
std::string email_form(const EmailForm& form) {
  std::string html = "<form method=\"post\" action=\"" + html_escape(form.action) + "\">\n";
  if (form.is_unknown) {
    html += "<p class=\"problem\" id=\"problem\" role=\"alert\">No login was found for this address. Check its spelling, or "
            "ask your administrator which address to use.</p>\n";
  }
  html += "<label for=\"email\">Your work e-mail address</label>\n"
          "<input type=\"email\" id=\"email\" name=\"email\" autocomplete=\"email\" maxlength=\"254\" required";
  if (!form.email.empty()) html += " value=\"" + html_escape(form.email) + "\"";
  if (form.is_unknown) html += " aria-invalid=\"true\" aria-describedby=\"problem\"";
  html += ">\n" + hidden_field("return", form.return_url);
  if (!form.fresh.empty()) html += hidden_field("fresh", form.fresh);
  return html + submit_button("Continue") + "</form>\n";
}

std::string reference_line(std::string_view reference) {
  if (reference.empty()) return {};
  return "<p class=\"reference\">Reference number: <code>" + html_escape(reference) +
         "</code></p>\n";
}

// Who comes from the IdP's own page has not tried yet.
std::string_view retry_label(Reason reason) { return reason == Reason::kUnsolicited ? "Log in" : "Try again"; }

std::string refusal_body(const PageText& text, std::string_view link_html,
                         std::string_view reference, std::string_view missing_access) {
  std::string body = heading(text.heading) + paragraph(text.what);
  body += paragraph(text.advice);
  if (!missing_access.empty()) {
    body += "<p>Access that you need: <strong>" + html_escape(missing_access) + "</strong>.</p>\n";
  }
  body += link_html;
  body += reference_line(reference);
  return body;
}

}  // namespace

Page error_page(const ErrorPage& page) {
  const PageText text = page_text(page.reason);
  return make_page(text.heading, {},
                   refusal_body(text, link_button(page.retry_url, retry_label(page.reason)), page.reference,
                                page.missing_access),
                   Uses::kNoForm);
}

Page form_not_sent_page(std::string_view login_url, std::string_view reference) {
  const PageText text = page_text(Reason::kFormNotSent);
  return make_page(text.heading, {},
                   refusal_body(text, link_button(login_url, "Log in"), reference, {}),
                   Uses::kNoForm);
}

Page post_form_page(std::string_view action, std::string_view saml_request,
                    std::string_view relay_state) {
  std::string body = heading("Taking you to your login");
  body += "<noscript>" + paragraph("JavaScript is off in your browser: please press the button.") +
          "</noscript>\n";
  body += "<form method=\"post\" action=\"" + html_escape(action) + "\">\n";
  body += hidden_field("SAMLRequest", saml_request);
  if (!relay_state.empty()) body += hidden_field("RelayState", relay_state);
  body += submit_button("Continue");
  body += "</form>\n<script>";
  body += kSubmitScript;
  body += "</script>\n";
  return make_page("Taking you to your login", {}, body, Uses::kFormScript);
}

Page login_page(const LoginPage& page) {
  std::string body = heading("Log in");
  if (page.choices.empty() && !page.email_form) body += paragraph("No login is set up for this page.");
  if (page.choices.size() > 1) body += paragraph("Choose how you want to log in.");
  if (!page.choices.empty()) body += "<ul>\n";
  for (const IdpChoice& choice : page.choices) body += choice_item(choice);
  if (!page.choices.empty()) body += "</ul>\n";
  if (page.email_form) body += email_form(*page.email_form);
  return make_page("Log in", {}, body, page.email_form ? Uses::kForm : Uses::kNoForm);
}

Page logout_confirm_page(std::string_view action) {
  std::string body = heading("Log out?");
  body += paragraph("You will have to log in again to use this site.");
  body += "<form method=\"post\" action=\"" + html_escape(action) + "\">\n";
  body += submit_button("Log out");
  body += "</form>\n";
  return make_page("Log out?", {}, body, Uses::kForm);
}

Page logged_out_page(std::string_view continue_url) {
  std::string body = heading("You are logged out");
  body += paragraph(
      "You may still be logged in to your organization's login service. On a shared computer, log "
      "out there too or close the browser.");
  body += link_button(continue_url, "Continue");
  return make_page("You are logged out", {}, body, Uses::kNoForm);
}

Page continue_page(std::string_view target) {
  // A refresh is a navigation of our own page, which carries the cookie and needs no script.
  const std::string_view url = is_local_path(target) ? target : "/";
  const std::string head =
      "<meta http-equiv=\"refresh\" content=\"0;url=" + html_escape(url) + "\">\n";
  return make_page("You are logged in", head,
                   heading("You are logged in") + link_button(url, "Continue"), Uses::kNoForm);
}

}  // namespace sallyport::login
