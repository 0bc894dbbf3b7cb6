// What is refused of a parsed tree: node kinds, counts, identifiers, namespace names (see Limits).
// What passes is elements and text only, each run of text one node, and cannot make
// canonicalization fail or run long.
#pragma once

#include <string_view>

#include "base/result.h"
#include "xml/document.h"

namespace sallyport::xml {

// One walk without recursion. Comments, where `limits` allow them, are taken out of the tree, as
// canonicalization leaves them out too. Reasons: xml_forbidden, xml_invalid, xml_limits.
Status pass_shape_gate(_xmlDoc* document, const Limits& limits);

// An NCName of ASCII characters: what identifiers and prefixes of real messages are made of.
bool is_ncname(std::string_view text);

// InclusiveNamespaces/@PrefixList: at most 16 NCNames (or "#default") of at most 32 bytes each.
// Each further prefix costs a search per element in canonicalization.
bool is_short_prefix_list(std::string_view text);

}  // namespace sallyport::xml
