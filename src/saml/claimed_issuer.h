// Whom a Response says it is from, before anything of it is verified: which IdP's keys to check an unsolicited one with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "xml/document.h"

namespace sallyport::saml {

// The Response's Issuer (Core 3.2.2), or that of the Assertion directly inside; nullopt: neither is there to be read. Behind
// the gates of `limits`. Reasons: those of xml::Document::parse, structure_invalid, issuer_mismatch.
Result<std::optional<std::string>> claimed_issuer(std::string_view document, const xml::Limits& limits);

}  // namespace sallyport::saml
