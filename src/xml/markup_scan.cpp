#include "xml/markup_scan.h"

#include <array>
#include <cstdint>
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

constexpr std::size_t kMaxNameBytes = 256;
constexpr std::size_t kMaxReferenceDigits = 8;

// XML 1.0 section 2.2, Char.
bool is_character(std::uint32_t code) {
  return code == 0x9 || code == 0xA || code == 0xD || (code >= 0x20 && code <= 0xD7FF) ||
         (code >= 0xE000 && code <= 0xFFFD) || (code >= 0x10000 && code <= 0x10FFFF);
}

// The value of a digit in either base; 16 for any other byte.
std::uint32_t digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint32_t>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<std::uint32_t>(c - 'A') + 10;
  return 16;
}

// `text` begins behind "&#". Up to eight digits fit into 32 bits in both bases.
Status check_character_reference(std::string_view text) {
  const std::uint32_t base = text.substr(0, 1) == "x" ? 16 : 10;
  if (base == 16) text.remove_prefix(1);
  std::uint32_t code = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && digit_value(text[digits]) < base; ++digits) {
    if (digits == kMaxReferenceDigits) {
      return too_many("too many digits in a character reference", kMaxReferenceDigits);
    }
    code = code * base + digit_value(text[digits]);
  }
  if (digits == 0 || text.substr(digits, 1) != ";") {
    return invalid("a malformed character reference");
  }
  if (!is_character(code)) return invalid("a reference to what is not a character");
  return Done{};
}

// `text` begins at the '&'. Without a DTD there are no entities but the five of XML itself.
Status check_reference(std::string_view text) {
  if (text.substr(0, 2) == "&#") return check_character_reference(text.substr(2));
  for (const std::string_view known : {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"}) {
    if (text.substr(0, known.size()) == known) return Done{};
  }
  return invalid("a reference to an unknown entity, or a bare '&'");
}

// Occurrences of one byte in parts of a text that are asked for in ascending order: no byte of the
// text is looked at twice, so that many short parts cost no more than one search.
class ByteFinder {
 public:
  ByteFinder(char wanted, std::string_view text)
      : wanted_(wanted), end_(text.data() + text.size()), next_(search(text.data())) {}

  // The first one in [from, to); nullptr without.
  const char* find(const char* from, const char* to) {
    if (next_ < from) next_ = search(from);
    return next_ < to ? next_ : nullptr;
  }

 private:
  const char* search(const char* from) const {
    const void* found = std::memchr(from, wanted_, static_cast<std::size_t>(end_ - from));
    return found == nullptr ? end_ : static_cast<const char*>(found);
  }

  char wanted_;
  const char* end_;
  const char* next_;
};

class MarkupScan {
 public:
  MarkupScan(std::string_view text, const Limits& limits)
      : at_(text.data()),
        end_(text.data() + text.size()),
        limits_(limits),
        references_('&', text),
        brackets_(']', text) {}

  const Weight& weight() const { return weight_; }

  Status run() {
    while (const char* tag = find('<')) {
      SALLYPORT_TRY(text_between(at_, tag));
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
    if (weight_.elements == 0) return invalid("no element");
    return text_between(at_, end_);
  }

 private:
  // One start tag's attributes by kind.
  struct Attributes {
    std::size_t namespaces = 0;
    std::size_t plain = 0;    // all others
    std::size_t look_up = 0;  // cost per namespace in scope, the element's own name included
  };

  const char* find(char c) const {
    return static_cast<const char*>(std::memchr(at_, c, static_cast<std::size_t>(end_ - at_)));
  }

  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  void skip_blanks() {
    while (at_ != end_ && is_blank(*at_)) ++at_;
  }

  // Text between two tags.
  Status text_between(const char* from, const char* to) {
    SALLYPORT_TRY(references(from, to));
    while ((from = brackets_.find(from, to)) != nullptr) {
      const char* run = from;
      while (from != to && *from == ']') ++from;
      if (from - run >= 2 && from != to && *from == '>') return invalid("']]>' in text");
    }
    return Done{};
  }

  Status references(const char* from, const char* to) {
    while ((from = references_.find(from, to)) != nullptr) {
      SALLYPORT_TRY(check_reference({from, static_cast<std::size_t>(to - from)}));
      ++from;
    }
    return Done{};
  }

  // Skips the bytes up to the end of a name, which is `what`'s.
  Result<std::string_view> name(const char* what) {
    const char* start = at_;
    while (at_ != end_ && !kNameEnds[static_cast<unsigned char>(*at_)]) ++at_;
    const std::string_view found(start, static_cast<std::size_t>(at_ - start));
    if (found.empty()) return invalid(std::string("a malformed ") + what);
    if (found.size() > kMaxNameBytes) return too_many("too long a name", kMaxNameBytes);
    const std::size_t colon = found.find(':');
    if (colon != found.npos &&
        (colon == 0 || colon + 1 == found.size() || found.find(':', colon + 1) != found.npos)) {
      return invalid("a name that is not a prefix and a local name");
    }
    return found;
  }

  Status end_tag() {
    ++at_;
    SALLYPORT_TRY(name("end tag"));
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
    if (++weight_.elements > limits_.elements) return too_many("too many elements", limits_.elements);
    if (in_scope_.size() + 1 > limits_.depth) return too_many("too deep nesting", limits_.depth);
    const Result<std::string_view> element_name = name("start tag");
    if (!element_name.ok()) return element_name.error();
    Attributes seen;
    seen.look_up = lookup_cost(*element_name);
    for (;;) {
      const char* before = at_;
      skip_blanks();
      if (at_ == end_) return invalid("a tag without end");
      if (*at_ == '>' || *at_ == '/') return start_tag_end(seen);
      if (at_ == before) return invalid("attributes without white space between them");
      SALLYPORT_TRY(attribute(seen));
    }
  }

  // The parser looks for a name's prefix among all declarations in scope, byte by byte.
  static std::size_t lookup_cost(std::string_view name) {
    const std::size_t colon = name.find(':');
    return 1 + (colon == name.npos ? 0 : colon / 8);
  }

  Status start_tag_end(const Attributes& seen) {
    const std::size_t in_scope = namespaces_in_scope() + seen.namespaces;
    weight_.namespace_lookups += seen.look_up * in_scope;
    if (weight_.namespace_lookups > limits_.namespace_lookups) {
      return too_many("too many names times namespaces in scope", limits_.namespace_lookups);
    }
    if (*at_ == '/') return empty_element_end();
    in_scope_.push_back(in_scope);
    return Done{};
  }

  std::size_t namespaces_in_scope() const { return in_scope_.empty() ? 0 : in_scope_.back(); }

  Status empty_element_end() {
    if (rest().substr(0, 2) != "/>") return invalid("a malformed tag");
    at_ += 2;
    return Done{};
  }

  Status attribute(Attributes& seen) {
    const Result<std::string_view> attribute_name = name("attribute");
    if (!attribute_name.ok()) return attribute_name.error();
    if (++weight_.attributes > limits_.attributes) {
      return too_many("too many attributes", limits_.attributes);
    }
    if (attribute_name->substr(0, 5) == "xmlns") {
      if (++seen.namespaces > limits_.namespaces_per_element) {
        return too_many("too many namespaces on an element", limits_.namespaces_per_element);
      }
      if (namespaces_in_scope() + seen.namespaces > limits_.namespaces_in_scope) {
        return too_many("too many namespaces in scope", limits_.namespaces_in_scope);
      }
    } else {
      if (++seen.plain > limits_.attributes_per_element) {
        return too_many("too many attributes on an element", limits_.attributes_per_element);
      }
      if (attribute_name->find(':') != attribute_name->npos) {
        seen.look_up += lookup_cost(*attribute_name);
      }
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
    SALLYPORT_TRY(references(at_, close));
    at_ = close + 1;
    return Done{};
  }

  const char* at_;
  const char* end_;
  const Limits& limits_;
  ByteFinder references_;
  ByteFinder brackets_;
  Weight weight_;
  std::vector<std::size_t> in_scope_;  // per open element: namespace declarations in its scope
};

}  // namespace

Result<Weight> scan_markup(std::string_view text, const Limits& limits) {
  MarkupScan scan(text, limits);
  SALLYPORT_TRY(scan.run());
  return scan.weight();
}

}  // namespace sallyport::xml
