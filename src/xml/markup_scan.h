// Counts mark-up without a parser, so that no document reaches the parser that would keep it busy.
#pragma once

#include <string_view>

#include "base/result.h"
#include "xml/document.h"

namespace sallyport::xml {

// One pass over the tags: depth, elements, attributes, namespace declarations and their look-ups
// against `limits`; names of at most 256 bytes with at most one colon; no references but the five
// predefined ones and those to characters, of at most eight digits; no "]]>" in text; comments
// (unless allowed), processing instructions and declarations refused. It takes a little
// more than well-formed XML does, but whatever it passes holds '<' only where the parser sees a tag
// too, so that nothing can hide from the counts, which are returned. Reasons: xml_forbidden, xml_invalid, xml_limits.
Result<Weight> scan_markup(std::string_view text, const Limits& limits);

}  // namespace sallyport::xml
