#include "login/pages.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/encoding.h"
#include "login/page_texts.h"

namespace sallyport::login {
namespace {

constexpr Reason kReasons[] = {
#define SALLYPORT_TEST_REASON(name, word, status) Reason::name,
    SALLYPORT_REASONS(SALLYPORT_TEST_REASON)
#undef SALLYPORT_TEST_REASON
};

// Breaks out of text, of attributes of either quote, of comments and of raw text elements.
const std::string kHostile = "\"'><script>alert(1)</script><!--</style></title>&lt;\x01";

// The text between two marks; "(none)" when they are not there.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  if (from == std::string::npos) return "(none)";
  const std::size_t to = text.find(end, from + begin.size());
  return to == std::string::npos ? "(none)"
                                 : text.substr(from + begin.size(), to - from - begin.size());
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

std::string source_hash(const std::string& text) {
  return "'sha256-" + base64_encode(as_view(sha256(text))) + "'";
}

struct NamedPage {
  const char* name;
  Page page;
};

std::vector<NamedPage> all_pages(const std::string& text, const std::string& url) {
  ErrorPage error;
  error.reason = Reason::kForbidden;
  error.reference = text;
  error.retry_url = url;
  error.missing_access = text;
  return {{"error", error_page(error)},
          {"post form", post_form_page(text, text, text)},
          {"form not sent", form_not_sent_page(url, text)},
          {"login", login_page({{{text, url}, {text, url, true}}, EmailForm{url, text, text, text, true}})},
          {"logout confirm", logout_confirm_page(text)},
          {"logged out", logged_out_page(url)},
          {"continue", continue_page(url)}};
}

TEST(PagesTest, AreAccessible) {
  for (const NamedPage& test : all_pages("text", "/back?a=b&c=d")) {
    SCOPED_TRACE(test.name);
    const std::string& html = test.page.html;
    EXPECT_EQ(html.rfind("<!DOCTYPE html>", 0), 0u);
    EXPECT_EQ(count_of(html, "<html lang=\"en\">"), 1u);
    EXPECT_EQ(count_of(html, "<main>"), 1u);
    EXPECT_EQ(count_of(html, "<h1>"), 1u);
    EXPECT_EQ(count_of(html, "name=\"viewport\""), 1u);
    EXPECT_FALSE(between(html, "<title>", "</title>").empty());
    EXPECT_FALSE(between(html, "<h1>", "</h1>").empty());
    EXPECT_NE(html.find(":focus-visible"), std::string::npos);
    EXPECT_NE(html.find("prefers-color-scheme:dark"), std::string::npos);
  }
}

TEST(PagesTest, LoadNothingFromOutside) {
  for (const NamedPage& test : all_pages("text", "/back")) {
    SCOPED_TRACE(test.name);
    for (const char* forbidden : {"src=", "@import", "url(", "<link", "<img", "<iframe", "//"}) {
      EXPECT_EQ(test.page.html.find(forbidden), std::string::npos) << forbidden;
    }
  }
}

TEST(PagesTest, ThePolicyHoldsTheHashesOfWhatIsOnThePage) {
  for (const NamedPage& test : all_pages("text", "/back")) {
    SCOPED_TRACE(test.name);
    const std::string& policy = test.page.content_security_policy;
    EXPECT_EQ(policy.rfind("default-src 'none'; ", 0), 0u);
    const std::string style = between(test.page.html, "<style>", "</style>");
    EXPECT_NE(policy.find("style-src " + source_hash(style)), std::string::npos);
    for (const char* part : {"img-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"}) {
      EXPECT_NE(policy.find(part), std::string::npos) << part;
    }
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    const bool has_script = test.page.html.find("<script") != std::string::npos;
    EXPECT_EQ(policy.find("script-src") != std::string::npos, has_script);
    if (has_script) {
      const std::string script = between(test.page.html, "<script>", "</script>");
      EXPECT_NE(policy.find("script-src " + source_hash(script)), std::string::npos);
    }
    // A form whose answer redirects elsewhere must not be held back.
    const bool has_form = test.page.html.find("<form") != std::string::npos;
    EXPECT_EQ(policy.find("form-action") == std::string::npos, has_form);
  }
}

TEST(PagesTest, HostileTextsStayText) {
  for (const NamedPage& test : all_pages(kHostile, "/" + kHostile)) {
    SCOPED_TRACE(test.name);
    const std::string& html = test.page.html;
    EXPECT_EQ(html.find("<script>alert"), std::string::npos);
    EXPECT_EQ(html.find("<!--"), std::string::npos);
    EXPECT_EQ(count_of(html, "</style>"), 1u);
    EXPECT_EQ(count_of(html, "</title>"), 1u);
    EXPECT_EQ(html.find("\"'>"), std::string::npos);
    EXPECT_EQ(html.find("&lt;\x01\""), std::string::npos) << "an entity is escaped again";
  }
}

TEST(PagesTest, OnlyLinksOfThisSiteOrHttpAreOffered) {
  for (const char* url : {"javascript:alert(1)", "data:text/html,x", "//evil.example/", "/\\evil",
                          "", "vbscript:x", " /x", "back"}) {
    SCOPED_TRACE(url);
    ErrorPage error;
    error.retry_url = url;
    EXPECT_EQ(error_page(error).html.find("<a "), std::string::npos);
    EXPECT_EQ(form_not_sent_page(url, "r").html.find("<a "), std::string::npos);
    EXPECT_EQ(logged_out_page(url).html.find("<a "), std::string::npos);
    EXPECT_EQ(login_page({{{"x", url}}, {}}).html.find("<a "), std::string::npos);
    EXPECT_EQ(between(continue_page(url).html, "content=\"0;url=", "\""), "/");
  }
}

TEST(ErrorPageTest, EveryReasonHasItsOwnWords) {
  for (const Reason reason : kReasons) {
    SCOPED_TRACE(reason_word(reason));
    const PageText text = page_text(reason);
    EXPECT_FALSE(text.heading.empty());
    EXPECT_EQ(text.what.back(), '.');
    EXPECT_EQ(text.advice.back(), '.');
    ErrorPage page;
    page.reason = reason;
    page.reference = "7F3A";
    const std::string html = error_page(page).html;
    EXPECT_EQ(between(html, "<h1>", "</h1>"), html_escape(text.heading));
    EXPECT_EQ(between(html, "<code>", "</code>"), "7F3A");
    // Internals: reason words stay in the log, except those that are plain English.
    if (reason_word(reason).find('_') != std::string_view::npos) {
      EXPECT_EQ(html.find(reason_word(reason)), std::string::npos);
    }
  }
}

TEST(ErrorPageTest, OffersToTryAgainOnlyWithAnAddress) {
  ErrorPage page;
  page.reason = Reason::kExpired;
  EXPECT_EQ(error_page(page).html.find("Try again</a>"), std::string::npos);
  page.retry_url = "/saml/login?return=%2Fa&idp=x";
  EXPECT_EQ(between(error_page(page).html, "href=\"", "\""),
            "/saml/login?return=%2Fa&amp;idp=x");
}

TEST(ErrorPageTest, NamesTheMissingAccess) {
  ErrorPage page;
  page.reason = Reason::kForbidden;
  page.missing_access = "group=R&D";
  EXPECT_EQ(between(error_page(page).html, "Access that you need: <strong>", "</strong>"), "group=R&amp;D");
  page.missing_access = {};
  EXPECT_EQ(error_page(page).html.find("Needed"), std::string::npos);
}

TEST(ErrorPageTest, WithoutAReferenceThereIsNoLineForIt) {
  EXPECT_EQ(error_page({}).html.find("Reference number"), std::string::npos);
}

TEST(PostFormPageTest, CarriesTheFieldsAndWorksByHand) {
  const std::string html =
      post_form_page("https://idp.example/sso?a=1&b=2", "PHNhbWw+", "handle.r").html;
  EXPECT_EQ(between(html, "<form method=\"post\" action=\"", "\""),
            "https://idp.example/sso?a=1&amp;b=2");
  EXPECT_EQ(between(html, "name=\"SAMLRequest\" value=\"", "\""), "PHNhbWw+");
  EXPECT_EQ(between(html, "name=\"RelayState\" value=\"", "\""), "handle.r");
  EXPECT_EQ(between(html, "type=\"submit\">", "</button>"), "Continue");
  EXPECT_NE(between(html, "<noscript>", "</noscript>").find("press the button"),
            std::string::npos);
  EXPECT_EQ(between(html, "<script>", "</script>"), "document.forms[0].submit()");
  EXPECT_EQ(count_of(html, "<form"), 1u);
}

TEST(PostFormPageTest, LeavesAnEmptyRelayStateOut) {
  EXPECT_EQ(post_form_page("https://idp.example/", "x", "").html.find("RelayState"),
            std::string::npos);
}

TEST(LoginPageTest, ListsTheChoices) {
  const std::string html =
      login_page({{{"Okta", "/saml/login?idp=okta"}, {"A & B", "/saml/login?idp=ab"}}, {}}).html;
  EXPECT_NE(html.find(">Log in using Okta SSO</a>"), std::string::npos);
  EXPECT_NE(html.find(">Log in using A &amp; B SSO</a>"), std::string::npos);
  EXPECT_EQ(count_of(html, "<li>"), 2u);
  EXPECT_NE(html.find("Choose how"), std::string::npos);
}

TEST(LoginPageTest, MarksTheLastChoice) {
  const std::string html = login_page({{{"A", "/a", true}, {"B", "/b"}}, {}}).html;
  EXPECT_EQ(count_of(html, "Used last time"), 1u);
  EXPECT_NE(html.find("href=\"/a\">Log in using A SSO<span class=\"last\">Used last time</span></a>"), std::string::npos);
}

TEST(LoginPageTest, AsksForTheEmailAddress) {
  const std::string html = login_page({{}, EmailForm{"/saml/login", "/page?a=1", "60", "", false}}).html;
  EXPECT_NE(html.find("<form method=\"post\" action=\"/saml/login\">"), std::string::npos);
  EXPECT_NE(html.find("<label for=\"email\">"), std::string::npos);
  EXPECT_NE(html.find("<input type=\"email\" id=\"email\" name=\"email\" autocomplete=\"email\""), std::string::npos);
  EXPECT_NE(html.find("name=\"return\" value=\"/page?a=1\""), std::string::npos);
  EXPECT_NE(html.find("name=\"fresh\" value=\"60\""), std::string::npos);
  for (const char* part : {"No login is set up", "role=\"alert\"", "aria-invalid", " value=\"\""}) {
    EXPECT_EQ(html.find(part), std::string::npos) << part;
  }
}

TEST(LoginPageTest, SaysThatAnAddressLedNowhere) {
  const std::string html = login_page({{}, EmailForm{"/saml/login", "/", "", "ada@nowhere.test", true}}).html;
  EXPECT_NE(html.find("role=\"alert\""), std::string::npos);
  EXPECT_NE(html.find("value=\"ada@nowhere.test\" aria-invalid=\"true\" aria-describedby=\"problem\""), std::string::npos);
  EXPECT_EQ(html.find("name=\"fresh\""), std::string::npos);
}

TEST(LoginPageTest, SaysSoWhenThereIsNone) {
  const std::string html = login_page({}).html;
  EXPECT_NE(html.find("No login is set up"), std::string::npos);
  EXPECT_EQ(html.find("<ul>"), std::string::npos);
}

TEST(LogoutPageTest, IsAPostWithOneButton) {
  const std::string html = logout_confirm_page("/saml/logout?return=%2F").html;
  EXPECT_EQ(between(html, "<form method=\"post\" action=\"", "\""), "/saml/logout?return=%2F");
  EXPECT_EQ(between(html, "type=\"submit\">", "</button>"), "Log out");
}

TEST(ContinuePageTest, MovesOnByItselfAndByHand) {
  const std::string html = continue_page("/deep?a=1&b=2").html;
  EXPECT_EQ(between(html, "http-equiv=\"refresh\" content=\"0;url=", "\""), "/deep?a=1&amp;b=2");
  EXPECT_EQ(between(html, "href=\"", "\""), "/deep?a=1&amp;b=2");
}

}  // namespace
}  // namespace sallyport::login
