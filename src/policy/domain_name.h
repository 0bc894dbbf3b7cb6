// Domain names in their one canonical spelling, to be compared byte by byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::policy {

// A host name as lower-case A-labels: "Bücher.example" and "xn--Bcher-KVA.example" both become
// "xn--bcher-kva.example". nullopt for any other text: labels other than letters, digits and inner
// hyphens (no underscore), empty ones (so no trailing dot either), over 63 bytes, or 253 in all; IP
// addresses; malformed UTF-8.
// Labels beyond ASCII are those of IDNA 2008, which differ from their canonical spelling in case and
// normalization form alone. What UTS 46 would also map is refused, since whoever reads the name later
// may not map it alike: full-width letters, ligatures, other dots than '.', invisible characters.
// Where both take a name the outcome is that of UTS 46, non-transitional ("ß" stays). Capitals are
// known of Latin, Greek, Cyrillic and Armenian; others are to be written small. An "xn--" label
// counts only if its U-label becomes just this one.
std::optional<std::string> canonical_domain(std::string_view text);

}  // namespace sallyport::policy
