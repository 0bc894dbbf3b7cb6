#include "xml/byte_gate.h"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "base/encoding.h"
#include "xml/markup_scan.h"

namespace sallyport::xml {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

Error forbidden(std::string detail) { return {Reason::kXmlForbidden, std::move(detail)}; }
Error invalid(std::string detail) { return {Reason::kXmlInvalid, std::move(detail)}; }

// Whether one of the eight bytes is a control character (below 0x20). Blanks count too: the caller
// looks closer then.
bool may_hold_control(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  return ((word - kOnes * 0x20) & ~word & (kOnes * 0x80)) != 0;
}

bool is_forbidden_control(unsigned char byte) {
  return byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
}

// Bytes that no XML 1.0 document holds: control characters, U+FFFE and U+FFFF (XML 1.0
// section 2.2).
Status check_characters(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::uint64_t word = 0;
    if (bytes.size() - at >= sizeof word) {
      std::memcpy(&word, bytes.data() + at, sizeof word);
      if (!may_hold_control(word)) {
        at += sizeof word;
        continue;
      }
    }
    const std::size_t end = std::min(at + sizeof word, bytes.size());
    for (; at < end; ++at) {
      if (bytes[at] == '\0') return forbidden("a NUL byte");
      if (is_forbidden_control(static_cast<unsigned char>(bytes[at]))) {
        return invalid("a control character");
      }
    }
  }
  for (at = bytes.find('\xEF'); at != bytes.npos; at = bytes.find('\xEF', at + 1)) {
    const std::string_view character = bytes.substr(at, 3);
    if (character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF") {
      return invalid("a code point that is not a character");
    }
  }
  return Done{};
}

// UTF-16 and UTF-32 marks are named for the operator; whatever else they would be is not UTF-8.
Status check_encoding(std::string_view bytes) {
  if (starts_with(bytes, "\xFE\xFF") || starts_with(bytes, "\xFF\xFE")) {
    return forbidden("encoded in UTF-16 or UTF-32; only UTF-8 is taken");
  }
  SALLYPORT_TRY(check_characters(bytes));
  if (!is_utf8(bytes)) return invalid("not well-formed UTF-8");
  return Done{};
}

// The mark-up of a document type definition, wherever it stands: also where it would be mere text.
Status check_no_dtd(std::string_view bytes) {
  for (std::size_t at = bytes.find('!'); at != bytes.npos; at = bytes.find('!', at + 1)) {
    if (at == 0 || bytes[at - 1] != '<') continue;
    const std::string word = ascii_lower(bytes.substr(at + 1, 7));
    if (word == "doctype" || starts_with(word, "entity")) return forbidden("a DTD or an entity");
  }
  return Done{};
}

// Reads pseudo-attributes of an XML declaration: name, '=', quoted value.
class DeclarationReader {
 public:
  explicit DeclarationReader(std::string_view text) : rest_(text) {}

  // The value, if the next pseudo-attribute has this name; nullopt leaves the position as it was.
  std::optional<std::string_view> take(std::string_view name) {
    std::string_view at = rest_;
    if (!skip_blanks(at) || !starts_with(at, name)) return std::nullopt;
    at.remove_prefix(name.size());
    skip_blanks(at);
    if (at.empty() || at.front() != '=') return std::nullopt;
    at.remove_prefix(1);
    skip_blanks(at);
    if (at.empty() || (at.front() != '"' && at.front() != '\'')) return std::nullopt;
    const std::size_t end = at.find(at.front(), 1);
    if (end == at.npos) return std::nullopt;
    rest_ = at.substr(end + 1);
    return at.substr(1, end - 1);
  }

  bool at_end() const { return trim_blanks(rest_).empty(); }

 private:
  static bool skip_blanks(std::string_view& text) {
    const std::size_t first = std::min(text.find_first_not_of(kBlanks), text.size());
    text.remove_prefix(first);
    return first > 0;
  }

  std::string_view rest_;
};

constexpr std::string_view kAscii = "us-ascii";

// `inside` is what stands between "<?xml" and "?>" (XML 1.0 section 2.8), `rest` what follows.
Status check_declaration(std::string_view inside, std::string_view rest) {
  DeclarationReader reader(inside);
  const auto version = reader.take("version");
  if (!version) return invalid("an XML declaration without version");
  if (*version != "1.0") {
    return forbidden(expected_received("XML version", "1.0", *version));
  }
  if (const auto encoding = reader.take("encoding")) {
    const std::string name = ascii_lower(*encoding);
    if (name != "utf-8" && name != kAscii) {
      return forbidden(expected_received("XML encoding", "UTF-8", *encoding));
    }
    const auto is_beyond = [](char c) { return static_cast<unsigned char>(c) > 0x7F; };
    if (name == kAscii && std::any_of(rest.begin(), rest.end(), is_beyond)) {
      return forbidden("it says that it is US-ASCII, and is not");
    }
  }
  if (const auto standalone = reader.take("standalone")) {
    if (*standalone != "yes" && *standalone != "no") return invalid("standalone must be yes or no");
  }
  if (!reader.at_end()) return invalid("a malformed XML declaration");
  return Done{};
}

}  // namespace

Result<Gated> pass_byte_gate(std::string_view bytes, const Limits& limits) {
  if (bytes.size() > limits.bytes || bytes.size() > INT_MAX) {
    return Error{Reason::kTooLarge, std::to_string(bytes.size()) + " bytes of XML, at most " +
                                        std::to_string(limits.bytes)};
  }
  SALLYPORT_TRY(check_encoding(bytes));
  if (starts_with(bytes, "\xEF\xBB\xBF")) bytes.remove_prefix(3);
  SALLYPORT_TRY(check_no_dtd(bytes));
  constexpr std::string_view kDeclaration = "<?xml";
  if (starts_with(bytes, kDeclaration) &&
      kBlanks.find(bytes.substr(kDeclaration.size(), 1)) != kBlanks.npos) {
    const std::size_t end = bytes.find("?>");
    if (end == bytes.npos) return invalid("an XML declaration without end");
    const std::string_view inside = bytes.substr(kDeclaration.size(), end - kDeclaration.size());
    bytes.remove_prefix(end + 2);
    SALLYPORT_TRY(check_declaration(inside, bytes));
  }
  const std::size_t first = bytes.find_first_not_of(kBlanks);
  if (first == bytes.npos || bytes[first] != '<') return invalid("it does not begin with a tag");
  const Result<Weight> weight = scan_markup(bytes, limits);
  if (!weight.ok()) return Error(weight.error());
  return Gated{bytes, *weight};
}

}  // namespace sallyport::xml
