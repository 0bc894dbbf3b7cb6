#include "xml_tree.h"

#include <algorithm>

namespace sallyport::fuzz {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr int kMaxDepth = 64;

class TreeReader {
 public:
  explicit TreeReader(std::string_view text) : left_(text) {}

  std::optional<XmlNode> read() {
    while (!left_.empty()) {
      if (left_.front() == '<' && left_.size() > 1 && left_[1] != '?' && left_[1] != '!') {
        XmlNode root;
        if (!read_element(root, 0)) return std::nullopt;
        return root;
      }
      if (!skip_other()) return std::nullopt;
    }
    return std::nullopt;
  }

 private:
  // `left_` stands at '<' and a name.
  bool read_element(XmlNode& out, int depth) {
    if (depth > kMaxDepth) return false;
    left_.remove_prefix(1);
    out.name = take_name();
    if (out.name.empty() || !read_attributes(out)) return false;
    if (take("/>")) return true;
    return take(">") && read_content(out, depth);
  }

  bool read_attributes(XmlNode& out) {
    for (;;) {
      skip_blanks();
      if (left_.empty()) return false;
      if (left_.front() == '>' || left_.front() == '/') return true;
      std::string name = take_name();
      skip_blanks();
      if (name.empty() || !take("=")) return false;
      skip_blanks();
      if (left_.empty() || (left_.front() != '"' && left_.front() != '\'')) return false;
      const std::size_t end = left_.find(left_.front(), 1);
      if (end == left_.npos) return false;
      std::string value(left_.substr(1, end - 1));
      // Written in double quotes later.
      for (std::size_t at = value.find('"'); at != value.npos; at = value.find('"', at)) {
        value.replace(at, 1, "&quot;");
      }
      out.attributes.emplace_back(std::move(name), std::move(value));
      left_.remove_prefix(end + 1);
    }
  }

  bool read_content(XmlNode& out, int depth) {
    while (!left_.empty()) {
      if (left_.substr(0, 2) == "</") {
        left_.remove_prefix(2);
        if (take_name() != out.name) return false;
        skip_blanks();
        return take(">");
      }
      const bool is_child = left_.front() == '<' && left_.size() > 1 && left_[1] != '!' &&
                            left_[1] != '?';
      out.children.emplace_back();
      XmlNode& child = out.children.back();
      if (is_child) {
        if (!read_element(child, depth + 1)) return false;
      } else {
        const std::string_view before = left_;
        if (!skip_other()) return false;
        child.text = before.substr(0, before.size() - left_.size());
      }
    }
    return false;
  }

  // Text up to the next tag, or one comment, CDATA section, instruction or declaration.
  bool skip_other() {
    std::string_view end = "<";
    if (left_.front() == '<') {
      end = left_.substr(0, 4) == "<!--"        ? "-->"
            : left_.substr(0, 9) == "<![CDATA[" ? "]]>"
            : left_.substr(0, 2) == "<?"        ? "?>"
                                                : ">";
    }
    const std::size_t at = left_.find(end, 1);
    if (at == left_.npos) {
      if (end != "<") return false;
      left_ = {};
      return true;
    }
    left_.remove_prefix(end == "<" ? at : at + end.size());
    return true;
  }

  std::string take_name() {
    const std::size_t end = std::min(left_.find_first_of(" \t\r\n=/><\"'"), left_.size());
    std::string name(left_.substr(0, end));
    left_.remove_prefix(end);
    return name;
  }

  void skip_blanks() {
    left_.remove_prefix(std::min(left_.find_first_not_of(kBlanks), left_.size()));
  }

  bool take(std::string_view wanted) {
    if (left_.substr(0, wanted.size()) != wanted) return false;
    left_.remove_prefix(wanted.size());
    return true;
  }

  std::string_view left_;
};

void write(const XmlNode& node, std::string& out) {
  if (!node.is_element()) {
    out += node.text;
    return;
  }
  out += '<';
  out += node.name;
  for (const auto& [name, value] : node.attributes) {
    out += ' ';
    out += name;
    out += "=\"";
    out += value;
    out += '"';
  }
  if (node.children.empty()) {
    out += "/>";
    return;
  }
  out += '>';
  for (const XmlNode& child : node.children) write(child, out);
  out += "</";
  out += node.name;
  out += '>';
}

void collect(XmlNode& node, std::vector<XmlNode*>& out) {
  if (!node.is_element()) return;
  out.push_back(&node);
  for (XmlNode& child : node.children) collect(child, out);
}

}  // namespace

std::string_view XmlNode::prefix() const {
  const std::size_t colon = name.find(':');
  return colon == name.npos ? std::string_view() : std::string_view(name).substr(0, colon);
}

std::string_view XmlNode::local_name() const {
  const std::size_t colon = name.find(':');
  return std::string_view(name).substr(colon == name.npos ? 0 : colon + 1);
}

std::string* XmlNode::attribute(std::string_view wanted) {
  for (auto& [each, value] : attributes) {
    if (each == wanted) return &value;
  }
  return nullptr;
}

std::optional<XmlNode> parse_tree(std::string_view document) { return TreeReader(document).read(); }

std::string write_tree(const XmlNode& root) {
  std::string out;
  write(root, out);
  return out;
}

std::vector<XmlNode*> elements_of(XmlNode& root) {
  std::vector<XmlNode*> all;
  collect(root, all);
  return all;
}

}  // namespace sallyport::fuzz
