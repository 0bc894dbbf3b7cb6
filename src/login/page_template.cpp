#include "login/page_template.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "base/encoding.h"

namespace sallyport::login {

namespace {

constexpr std::size_t kMaxDepth = 8;

std::string source_hash(std::string_view text) { return " 'sha256-" + base64_encode(as_view(sha256(text))) + "'"; }

// The contents of all elements of that name that hold no place, as hashes.
std::string hashes_of(std::string_view html, std::string_view element) {
  const std::string lower = ascii_lower(html);
  const std::string open = "<" + std::string(element), close = "</" + std::string(element);
  std::string hashes;
  for (std::size_t at = lower.find(open); at != std::string::npos; at = lower.find(open, at + 1)) {
    const std::size_t begin = lower.find('>', at), end = lower.find(close, at);
    if (begin == std::string::npos || end == std::string::npos || end <= begin) break;
    const std::string_view inside = html.substr(begin + 1, end - begin - 1);
    if (!inside.empty() && inside.find("{{") == std::string_view::npos) hashes += source_hash(inside);
  }
  return hashes;
}

std::string policy_of(std::string_view html) {
  std::string policy = "default-src 'none'; style-src 'self'" + hashes_of(html, "style");
  const std::string scripts = hashes_of(html, "script");
  if (!scripts.empty()) policy += "; script-src" + scripts;
  return policy + "; img-src 'self' data:; font-src 'self'; base-uri 'none'; frame-ancestors 'none'";
}

}  // namespace

class PageTemplate::Compiler {
 public:
  Compiler(std::string_view text, const std::set<std::string, std::less<>>& names) : text_(text), names_(names) {}

  // Up to the end of the section `name`, or of the text where it is empty.
  Result<Nodes> read(std::string_view name, std::size_t depth) {
    if (depth > kMaxDepth) return error("sections are nested too deeply");
    Nodes nodes;
    while (true) {
      const std::size_t open = text_.find("{{", at_);
      if (open != at_) nodes.push_back({Node::Kind::kHtml, std::string(text_.substr(at_, open - at_)), {}});
      if (open == std::string_view::npos) {
        at_ = text_.size();
        if (!name.empty()) return error("the section \"" + std::string(name) + "\" has no end ({{/" + std::string(name) + "}})");
        return nodes;
      }
      at_ = open;
      const std::size_t close = text_.find("}}", open);
      if (close == std::string_view::npos) return error("\"{{\" without \"}}\"");
      std::string_view tag = trim_blanks(text_.substr(open + 2, close - open - 2));
      const char kind = tag.empty() ? '\0' : tag.front();
      const bool is_section = kind == '#' || kind == '^' || kind == '/';
      if (is_section) tag = trim_blanks(tag.substr(1));
      if (kind == '/' && tag == name && !name.empty()) {
        at_ = close + 2;
        return nodes;
      }
      if (kind == '/') return error("{{/" + std::string(tag) + "}} ends no section that is open");
      if (names_.find(tag) == names_.end()) return error("the page gives no \"" + std::string(tag.substr(0, 64)) + "\"");
      at_ = close + 2;
      if (!is_section) {
        nodes.push_back({Node::Kind::kText, std::string(tag), {}});
        continue;
      }
      auto inside = read(tag, depth + 1);
      if (!inside) return std::move(inside).error();
      const auto section = kind == '#' ? Node::Kind::kSection : Node::Kind::kInverted;
      nodes.push_back({section, std::string(tag), std::move(inside).value()});
    }
  }

 private:
  Error error(std::string what) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
    return {Reason::kConfigInvalid, "line " + std::to_string(line) + ": " + std::move(what)};
  }

  std::string_view text_;
  const std::set<std::string, std::less<>>& names_;
  std::size_t at_ = 0;
};

Result<PageTemplate> PageTemplate::compile(std::string_view text, const std::set<std::string, std::less<>>& names) {
  auto nodes = Compiler(text, names).read({}, 0);
  if (!nodes) return std::move(nodes).error();
  PageTemplate made;
  made.nodes_ = std::move(nodes).value();
  made.policy_ = policy_of(text);
  return made;
}

bool PageTemplate::writes(const Nodes& nodes, std::string_view name) {
  return std::any_of(nodes.begin(), nodes.end(), [&](const Node& node) {
    return (node.kind == Node::Kind::kText && node.content == name) || writes(node.inside, name);
  });
}

Page PageTemplate::render(const TemplateValues& values) const {
  Page page;
  page.content_security_policy = policy_;
  render(nodes_, {&values}, page.html);
  return page;
}

void PageTemplate::render(const Nodes& nodes, const Scopes& scopes, std::string& out) {
  for (const Node& node : nodes) {
    switch (node.kind) {
      case Node::Kind::kHtml:
        out += node.content;
        break;
      case Node::Kind::kText:
        for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
          const auto text = (*scope)->texts.find(node.content);
          if (text == (*scope)->texts.end()) continue;
          out += html_escape(text->second);
          break;
        }
        break;
      case Node::Kind::kSection:
      case Node::Kind::kInverted:
        render_section(node, scopes, out);
        break;
    }
  }
}

void PageTemplate::render_section(const Node& node, const Scopes& scopes, std::string& out) {
  const bool is_inverted = node.kind == Node::Kind::kInverted;
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    if (const auto list = (*scope)->lists.find(node.content); list != (*scope)->lists.end()) {
      if (is_inverted != list->second.empty()) break;
      if (is_inverted) return render(node.inside, scopes, out);
      for (const TemplateValues& item : list->second) {
        Scopes inner = scopes;
        inner.push_back(&item);
        render(node.inside, inner, out);
      }
      return;
    }
    if (const auto text = (*scope)->texts.find(node.content); text != (*scope)->texts.end()) {
      if (is_inverted == text->second.empty()) render(node.inside, scopes, out);
      return;
    }
  }
  // What this page does not say is empty.
  const auto is_list = [&](const TemplateValues* scope) { return scope->lists.count(node.content) != 0; };
  if (is_inverted && std::none_of(scopes.begin(), scopes.end(), is_list)) render(node.inside, scopes, out);
}

}  // namespace sallyport::login
