#include "xml/markup_scan.h"

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace sallyport::xml {
namespace {

Error invalid(std::string detail) { return {Reason::kXmlInvalid, std::move(detail)}; }
Error forbidden(std::string detail) { return {Reason::kXmlForbidden, std::move(detail)}; }
Error too_many(std::string what, std::size_t limit) {
  return {Reason::kXmlLimits, std::move(what) + ", at most " + std::to_string(limit)};
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Bytes that end a name inside a tag.
constexpr std::array<bool, 256> make_name_ends() {
  std::array<bool, 256> ends{};
  for (const char c : {' ', '\t', '\n', '\r', '"', '\'', '<', '>', '/', '=', '&'}) {
    ends[static_cast<unsigned char>(c)] = true;
  }
  return ends;
}
constexpr std::array<bool, 256> kNameEnds = make_name_ends();

class MarkupScan {
 public:
  MarkupScan(std::string_view text, const Limits& limits)
      : at_(text.data()), end_(text.data() + text.size()), limits_(limits) {}

  Status run() {
    while (const char* tag = find('<')) {
      at_ = tag + 1;
      if (at_ == end_) break;
      switch (*at_) {
        case '/':
          SALLYPORT_TRY(end_tag());
          break;
        case '!':
          SALLYPORT_TRY(declaration());
          break;
        case '?':
          return forbidden("a processing instruction");
        default:
          SALLYPORT_TRY(start_tag());
      }
    }
    if (elements_ == 0) return invalid("no element");
    return Done{};
  }

 private:
  const char* find(char c) const {
    return static_cast<const char*>(std::memchr(at_, c, static_cast<std::size_t>(end_ - at_)));
  }

  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  void skip_blanks() {
    while (at_ != end_ && is_blank(*at_)) ++at_;
  }

  // Returns the bytes skipped, up to the end of a name.
  std::string_view name() {
    const char* start = at_;
    while (at_ != end_ && !kNameEnds[static_cast<unsigned char>(*at_)]) ++at_;
    return {start, static_cast<std::size_t>(at_ - start)};
  }

  Status end_tag() {
    ++at_;
    if (name().empty()) return invalid("a malformed end tag");
    skip_blanks();
    if (at_ == end_ || *at_ != '>') return invalid("a malformed end tag");
    if (in_scope_.empty()) return invalid("an end tag without start tag");
    in_scope_.pop_back();
    return Done{};
  }

  // At the '!' of a comment or a CDATA section.
  Status declaration() {
    constexpr std::string_view kComment = "!--";
    constexpr std::string_view kCdata = "![CDATA[";
    if (rest().substr(0, kComment.size()) == kComment) {
      if (!limits_.allow_comments) return forbidden("a comment");
      at_ += kComment.size();
      return skip_past("--", ">", "a malformed comment");
    }
    if (rest().substr(0, kCdata.size()) == kCdata) {
      at_ += kCdata.size();
      return skip_past("]]>", "", "a CDATA section without end");
    }
    return forbidden("a declaration");
  }

  Status skip_past(std::string_view mark, std::string_view then, const char* otherwise) {
    const std::size_t found = rest().find(mark);
    if (found == std::string_view::npos) return invalid(otherwise);
    at_ += found + mark.size();
    if (rest().substr(0, then.size()) != then) return invalid(otherwise);
    at_ += then.size();
    return Done{};
  }

  Status start_tag() {
    if (++elements_ > limits_.elements) return too_many("too many elements", limits_.elements);
    if (in_scope_.size() + 1 > limits_.depth) return too_many("too deep nesting", limits_.depth);
    if (name().empty()) return invalid("a malformed start tag");
    std::size_t attributes = 0;
    std::size_t namespaces = 0;
    for (;;) {
      const char* before = at_;
      skip_blanks();
      if (at_ == end_) return invalid("a tag without end");
      if (*at_ == '>') {
        in_scope_.push_back(namespaces_in_scope() + namespaces);
        return Done{};
      }
      if (*at_ == '/') return empty_element_end();
      if (at_ == before) return invalid("attributes without white space between them");
      SALLYPORT_TRY(attribute(attributes, namespaces));
    }
  }

  std::size_t namespaces_in_scope() const { return in_scope_.empty() ? 0 : in_scope_.back(); }

  Status empty_element_end() {
    if (rest().substr(0, 2) != "/>") return invalid("a malformed tag");
    at_ += 2;
    return Done{};
  }

  Status attribute(std::size_t& attributes, std::size_t& namespaces) {
    const std::string_view attribute_name = name();
    if (attribute_name.empty()) return invalid("a malformed attribute");
    if (attribute_name.substr(0, 5) == "xmlns") {
      if (++namespaces > limits_.namespaces_per_element) {
        return too_many("too many namespaces on an element", limits_.namespaces_per_element);
      }
      if (namespaces_in_scope() + namespaces > limits_.namespaces_in_scope) {
        return too_many("too many namespaces in scope", limits_.namespaces_in_scope);
      }
    } else if (++attributes > limits_.attributes_per_element) {
      return too_many("too many attributes on an element", limits_.attributes_per_element);
    }
    return attribute_value();
  }

  Status attribute_value() {
    skip_blanks();
    if (at_ == end_ || *at_ != '=') return invalid("an attribute without value");
    ++at_;
    skip_blanks();
    if (at_ == end_ || (*at_ != '"' && *at_ != '\'')) return invalid("a value without quotes");
    const char quote = *at_++;
    const char* close = find(quote);
    if (close == nullptr) return invalid("an attribute value without end");
    if (std::memchr(at_, '<', static_cast<std::size_t>(close - at_)) != nullptr) {
      return invalid("'<' in an attribute value");
    }
    at_ = close + 1;
    return Done{};
  }

  const char* at_;
  const char* end_;
  const Limits& limits_;
  std::size_t elements_ = 0;
  std::vector<std::size_t> in_scope_;  // per open element: namespace declarations in its scope
};

}  // namespace

Status scan_markup(std::string_view text, const Limits& limits) {
  return MarkupScan(text, limits).run();
}

}  // namespace sallyport::xml
