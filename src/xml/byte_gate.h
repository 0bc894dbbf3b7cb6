// What is refused before libxml2 sees a byte: size, bytes that are not XML characters in UTF-8,
// other encodings and versions, DTDs, and mark-up whose sheer number would make the parser slow
// (its work grows with the square of the attributes of an element). See document.h for the limits.
#pragma once

#include <string_view>

#include "base/result.h"
#include "xml/document.h"

namespace sallyport::xml {

struct Gated {
  std::string_view text;
  Weight weight;
};

// The part of `bytes` to be parsed: behind the UTF-8 byte order mark and the XML declaration, so
// that libxml2 has no encoding left to choose. Reasons: too_large, xml_forbidden, xml_invalid,
// xml_limits.
Result<Gated> pass_byte_gate(std::string_view bytes, const Limits& limits);

}  // namespace sallyport::xml
