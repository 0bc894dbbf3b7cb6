// Exclusive canonicalization (W3C xml-exc-c14n, without comments) of one element.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "xml/document.h"

namespace sallyport::xml {

// The canonical octets of `apex`, without `left_out` (one of its direct children, or null): the
// enveloped-signature transform. `prefixes` are those of InclusiveNamespaces. Links of the tree are
// changed during the call and restored before it returns. Empty on any failure: no element is empty
// in canonical form.
std::string canonicalize(const Element& apex, const Element* left_out,
                         const std::vector<std::string>& prefixes);

}  // namespace sallyport::xml
