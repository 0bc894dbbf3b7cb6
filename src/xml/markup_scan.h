// Counts mark-up without a parser, so that no document reaches the parser that would keep it busy.
#pragma once

#include <string_view>

#include "base/result.h"
#include "xml/document.h"

namespace sallyport::xml {

// One pass over the tags: depth, elements, attributes and namespace declarations against `limits`;
// comments (unless allowed), processing instructions and declarations refused. It takes a little
// more than well-formed XML does, but whatever it passes holds '<' only where the parser sees a tag
// too, so that nothing can hide from the counts. Reasons: xml_forbidden, xml_invalid, xml_limits.
Status scan_markup(std::string_view text, const Limits& limits);

}  // namespace sallyport::xml
