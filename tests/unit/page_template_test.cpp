#include "login/page_template.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/encoding.h"

namespace sallyport::login {
namespace {

const std::set<std::string, std::less<>> kNames = {"a", "b", "list", "x"};

std::string rendered(std::string_view text, const TemplateValues& values) {
  const auto made = PageTemplate::compile(text, kNames);
  return made.ok() ? made->render(values).html : made.error().detail;
}

TEST(PageTemplate, PutsTextsInAndEscapesThem) {
  const TemplateValues values{{{"a", "<script>\"'&"}, {"b", ""}}, {}};
  EXPECT_EQ(rendered("1 {{a}} 2 {{ b }} 3", values), "1 &lt;script&gt;&quot;&#39;&amp; 2  3");
  EXPECT_EQ(rendered("", values), "");
  EXPECT_EQ(rendered("no places } {", values), "no places } {");
  EXPECT_EQ(rendered("{{x}}", values), "") << "not on this page";
  const TemplateValues nested{{{"a", "{{b}}"}, {"b", "no"}}, {}};
  EXPECT_EQ(rendered("{{a}}", nested), "{{b}}") << "a value is no template";
}

TEST(PageTemplate, SectionsOfTexts) {
  const TemplateValues values{{{"a", "yes"}, {"b", ""}}, {}};
  EXPECT_EQ(rendered("{{#a}}[{{a}}]{{/a}}{{#b}}no{{/b}}{{^a}}no{{/a}}{{^b}}none{{/b}}", values), "[yes]none");
  EXPECT_EQ(rendered("{{#x}}no{{/x}}{{^x}}absent{{/x}}", values), "absent");
}

TEST(PageTemplate, SectionsOfLists) {
  const TemplateValues values{{{"a", "outer"}}, {{"list", {{{{"x", "1"}}, {}}, {{{"x", "2"}, {"a", "inner"}}, {}}}}}};
  EXPECT_EQ(rendered("{{#list}}{{x}}{{a}};{{/list}}{{^list}}none{{/list}}", values), "1outer;2inner;");
  const TemplateValues empty{{}, {{"list", {}}}};
  EXPECT_EQ(rendered("{{#list}}x{{/list}}{{^list}}none{{/list}}", empty), "none");
}

TEST(PageTemplate, MistakesAreFoundWithTheirLine) {
  for (const auto& [text, says] : std::vector<std::pair<std::string, std::string>>{
           {"\n\n{{nobody}}", "line 3: the page gives no \"nobody\""},
           {"{{#a}}", "line 1: the section \"a\" has no end"},
           {"\n{{#a}}{{#b}}{{/a}}{{/b}}", "line 2: {{/a}} ends no section"},
           {"{{/a}}", "line 1: {{/a}} ends no section"},
           {"{{a", "line 1: \"{{\" without"},
           {"{{}}", "line 1: the page gives no \"\""},
           {"{{{a}}}", "line 1: the page gives no \"{a\""},
           {"{{&a}}", "line 1: the page gives no \"&a\""}}) {
    EXPECT_EQ(rendered(text, {}).rfind(says, 0), 0u) << text << ": " << rendered(text, {});
  }
  std::string deep;
  for (int i = 0; i < 20; ++i) deep += "{{#a}}";
  EXPECT_NE(rendered(deep, {}).find("too deeply"), std::string::npos);
}

TEST(PageTemplate, ThePolicyAdmitsWhatThePageHolds) {
  const auto made = PageTemplate::compile("<STYLE>b{}</style><script>go()</script><script>{{a}}</script>", kNames);
  const std::string policy = made->render({}).content_security_policy;
  for (const char* inside : {"b{}", "go()"}) {
    EXPECT_NE(policy.find("'sha256-" + base64_encode(as_view(sha256(inside))) + "'"), std::string::npos) << inside;
  }
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_EQ(PageTemplate::compile("x", kNames)->render({}).content_security_policy.find("script-src"), std::string::npos);
}

TEST(PageTemplate, TheLoginPage) {
  const auto made = PageTemplate::compile(
      "{{#choices}}<a href=\"{{url}}\">{{name}}{{#last}}*{{/last}}</a>{{/choices}}"
      "{{#email_form}}<form action=\"{{action}}\">{{return}}|{{fresh}}|{{email}}"
      "{{#unknown_email}}?{{/unknown_email}}</form>{{/email_form}}",
      login_page_names());
  ASSERT_TRUE(made.ok()) << made.error().detail;
  LoginPage page;
  page.choices = {{"A&B", "/a", true}, {"C", "/c", false}, {"D", "javascript:alert(1)", false}};
  EXPECT_EQ(login_page(*made, page).html, "<a href=\"/a\">A&amp;B*</a><a href=\"/c\">C</a>");
  page.email_form = EmailForm{"/saml/login", "/page", "60", "x@y", true};
  EXPECT_NE(login_page(*made, page).html.find("<form action=\"/saml/login\">/page|60|x@y?</form>"), std::string::npos);
}

TEST(PageTemplate, TheErrorPage) {
  const auto made = PageTemplate::compile(
      "{{heading}}/{{reason}}/{{reference}}{{#retry_url}}/{{retry_url}}{{/retry_url}}"
      "{{#missing_access}}/{{missing_access}}{{/missing_access}}",
      error_page_names());
  ASSERT_TRUE(made.ok()) << made.error().detail;
  ErrorPage page{Reason::kForbidden, "7F3A", "//evil.test", "group <A>"};
  EXPECT_EQ(error_page(*made, page).html, "You do not have access to this page/forbidden/7F3A/group &lt;A&gt;");
}

}  // namespace
}  // namespace sallyport::login
