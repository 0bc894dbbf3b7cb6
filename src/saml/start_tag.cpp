#include "saml/start_tag.h"

#include "xml/document.h"

namespace sallyport::saml {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kNameEnds = " \t\r\n=/>";

void skip_blanks(std::string_view& text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  text.remove_prefix(first == text.npos ? text.size() : first);
}

std::string_view take_name(std::string_view& text) {
  const std::string_view name = text.substr(0, text.find_first_of(kNameEnds));
  text.remove_prefix(name.size());
  return name;
}

// References and line ends are the parser's business.
std::optional<std::string> value_of(std::string_view written) {
  if (written.find_first_of("&\t\r\n") == written.npos) return std::string(written);
  const char quote = written.find('"') == written.npos ? '"' : '\'';
  const std::string element = "<e a=" + (quote + std::string(written)) + quote + "/>";
  const auto parsed = xml::Document::parse(element, xml::metadata_limits(element.size()));
  if (!parsed.ok()) return std::nullopt;
  return std::string(*parsed->root().attribute("a"));
}

std::optional<std::string> take_value(std::string_view& text) {
  skip_blanks(text);
  if (text.empty() || text.front() != '=') return std::nullopt;
  text.remove_prefix(1);
  skip_blanks(text);
  if (text.empty() || (text.front() != '"' && text.front() != '\'')) return std::nullopt;
  const std::size_t end = text.find(text.front(), 1);
  if (end == text.npos) return std::nullopt;
  const std::string_view written = text.substr(1, end - 1);
  text.remove_prefix(end + 1);
  return value_of(written);
}

}  // namespace

const std::string* StartTag::attribute(std::string_view name) const {
  for (const auto& [other, value] : attributes) {
    if (other == name) return &value;
  }
  return nullptr;
}

const std::string* StartTag::declared(std::string_view wanted_prefix) const {
  return attribute(wanted_prefix.empty() ? "xmlns" : "xmlns:" + std::string(wanted_prefix));
}

std::optional<StartTag> read_start_tag(std::string_view text) {
  if (text.size() < 3 || text.front() != '<' || text.back() != '>') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  StartTag tag;
  tag.is_empty = text.back() == '/';
  if (tag.is_empty) text.remove_suffix(1);
  const std::string_view name = take_name(text);
  const std::size_t colon = name.find(':');
  tag.prefix = colon == name.npos ? std::string_view() : name.substr(0, colon);
  tag.local_name = colon == name.npos ? name : name.substr(colon + 1);
  for (skip_blanks(text); !text.empty(); skip_blanks(text)) {
    const std::string_view attribute = take_name(text);
    auto value = take_value(text);
    if (attribute.empty() || !value) return std::nullopt;
    tag.attributes.emplace_back(attribute, std::move(*value));
  }
  return tag.local_name.empty() ? std::nullopt : std::optional<StartTag>(std::move(tag));
}

}  // namespace sallyport::saml
