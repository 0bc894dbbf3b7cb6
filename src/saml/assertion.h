// A SAML assertion, read from signed octets only (SAML Core 2.3 to 2.7).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "xml/decryption.h"
#include "xml/signature.h"

namespace sallyport::saml {

struct NameId {
  std::string value;
  std::string format;  // empty when not sent (then: unspecified, Core 2.2.2)
  std::string name_qualifier;
  std::string sp_name_qualifier;
};

struct SubjectConfirmation {
  std::string method;
  bool has_data = false;
  std::optional<std::string> recipient;
  std::optional<std::string> in_response_to;
  std::optional<Millis> not_before;
  std::optional<Millis> not_on_or_after;
  std::optional<std::string> address;
};

struct Attribute {
  std::string name;         // as sent: matched exactly
  std::string name_format;
  // The text of each AttributeValue, as sent. Empty in its place: xsi:nil, and values that hold elements
  // (eduPersonTargetedID's NameID too: an identifier without its qualifiers would mislead).
  std::vector<std::string> values;
};

struct AuthnStatement {
  Millis authn_instant = 0;
  std::string session_index;
  std::optional<Millis> session_not_on_or_after;
  std::string context_class_ref;
};

struct Assertion {
  std::string id;
  std::string issuer;
  Millis issue_instant = 0;
  std::optional<NameId> name_id;
  std::vector<SubjectConfirmation> confirmations;
  bool has_conditions = false;
  std::optional<Millis> not_before;
  std::optional<Millis> not_on_or_after;
  std::vector<std::vector<std::string>> audience_restrictions;  // each restriction's audiences
  bool one_time_use = false;
  std::vector<AuthnStatement> authn_statements;
  std::vector<Attribute> attributes;  // one Name once: values of repeated Names are joined in order
};

// A Signature behind the Issuer is stepped over: who took the element from a signed Response has
// confirmed it. Strict: schema order, known elements only in the places that matter, one Subject,
// one Conditions at the most, exactly formed instants. Reasons: structure_invalid,
// version_mismatch, condition_unknown, issuer_mismatch (an Issuer whose Format is not entity),
// and what Decrypter::decrypt says of an EncryptedID or EncryptedAttribute, which are read as what is in
// them.
Result<Assertion> parse_assertion(const xml::SignedElement& assertion, xml::Decrypter& decrypter);

}  // namespace sallyport::saml
