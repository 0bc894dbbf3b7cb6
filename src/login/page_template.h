// A page of the operator's own: HTML with places for what a page says, in a small part of Mustache.
//
//   {{name}}                  the text, escaped for HTML text and quoted attribute values
//   {{#name}} ... {{/name}}   for each item of a list; once where a text is not empty
//   {{^name}} ... {{/name}}   once where a list or a text is empty
//
// Inside of a list its items' names come before those outside. There is no way to write anything unescaped.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "login/pages.h"

namespace sallyport::login {

struct TemplateValues {
  std::map<std::string, std::string, std::less<>> texts;
  std::map<std::string, std::vector<TemplateValues>, std::less<>> lists;
};

class PageTemplate {
 public:
  // `names` are those that a page gives, of texts and lists, inside of lists too. Reason: config_invalid, with the line.
  static Result<PageTemplate> compile(std::string_view text, const std::set<std::string, std::less<>>& names);

  // With a Content-Security-Policy that admits what the page itself holds (its own <style> and <script> elements, by their hashes,
  // where no place is inside of them), and styles, pictures and fonts of this site.
  Page render(const TemplateValues& values) const;

  // Whether there is a place for this text.
  bool writes(std::string_view name) const { return writes(nodes_, name); }

 private:
  struct Node;
  using Nodes = std::vector<Node>;
  struct Node {
    enum class Kind { kHtml, kText, kSection, kInverted } kind;
    std::string content;  // HTML, or a name
    Nodes inside;
  };
  class Compiler;
  using Scopes = std::vector<const TemplateValues*>;
  static bool writes(const Nodes& nodes, std::string_view name);
  static void render(const Nodes& nodes, const Scopes& scopes, std::string& out);
  static void render_section(const Node& node, const Scopes& scopes, std::string& out);

  Nodes nodes_;
  std::string policy_;
};

// The pages, and the names that each gives.
const std::set<std::string, std::less<>>& login_page_names();
Page login_page(const PageTemplate& page_template, const LoginPage& page);
const std::set<std::string, std::less<>>& error_page_names();
Page error_page(const PageTemplate& page_template, const ErrorPage& page);

}  // namespace sallyport::login
