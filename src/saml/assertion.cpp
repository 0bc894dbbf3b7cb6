#include "saml/assertion.h"

#include <map>

#include "base/encoding.h"
#include "saml/names.h"
#include "saml/structure.h"
#include "xml/names.h"

namespace sallyport::saml {

namespace {

using xml::SignedElement;
using xml::kNsSaml;

constexpr std::size_t kMaxNameIdBytes = 1024;

// Every function here takes signed elements: what was not signed cannot get in between.

// What an encrypted part of the assertion must hold (Core 2.2.4, 2.7.3.2).
Result<xml::SignedPlaintext> open_part(const SignedElement& holder, std::string_view name,
                                       xml::Decrypter& decrypter) {
  auto plain = decrypter.decrypt(holder);
  if (plain.ok() && !plain->root().element().is(kNsSaml, name)) return xml::decryption_failed();
  return plain;
}

// --- Subject (Core 2.4) ---

Result<NameId> read_name_id(const SignedElement& element) {
  auto value = required_text(element);
  if (!value.ok()) return std::move(value).error();
  if (value->size() > kMaxNameIdBytes) {
    return structure_error("a NameID of " + std::to_string(value->size()) + " bytes");
  }
  return NameId{std::move(*value), attribute_string(element, "Format").value_or(""),
                attribute_string(element, "NameQualifier").value_or(""),
                attribute_string(element, "SPNameQualifier").value_or("")};
}

Status read_confirmation_data(const SignedElement& data, SubjectConfirmation& out) {
  out.has_data = true;
  out.recipient = attribute_string(data, "Recipient");
  out.in_response_to = attribute_string(data, "InResponseTo");
  out.address = attribute_string(data, "Address");
  auto not_before = instant_attribute(data, "NotBefore");
  if (!not_before.ok()) return std::move(not_before).error();
  out.not_before = *not_before;
  auto not_on_or_after = instant_attribute(data, "NotOnOrAfter");
  if (!not_on_or_after.ok()) return std::move(not_on_or_after).error();
  out.not_on_or_after = *not_on_or_after;
  return Done{};
}

// An identifier inside the confirmation names who may present the assertion; a bearer needs none,
// so it is passed over.
Result<SubjectConfirmation> read_confirmation(const SignedElement& element) {
  SubjectConfirmation out;
  auto method = required_attribute(element, "Method");
  if (!method.ok()) return std::move(method).error();
  out.method = std::move(*method);
  ChildCursor children(element);
  if (!children.take(kNsSaml, "NameID") && !children.take(kNsSaml, "BaseID")) {
    children.take(kNsSaml, "EncryptedID");
  }
  if (const auto data = children.take(kNsSaml, "SubjectConfirmationData")) {
    SALLYPORT_TRY(read_confirmation_data(*data, out));
  }
  SALLYPORT_TRY(children.finish());
  return out;
}

Result<NameId> read_encrypted_id(const SignedElement& element, xml::Decrypter& decrypter) {
  const auto plain = open_part(element, "NameID", decrypter);
  if (!plain.ok()) return Error(plain.error());
  return read_name_id(plain->root());
}

Status read_subject(const SignedElement& subject, xml::Decrypter& decrypter, Assertion& out) {
  ChildCursor children(subject);
  if (const auto element = children.take(kNsSaml, "NameID")) {
    auto name_id = read_name_id(*element);
    if (!name_id.ok()) return std::move(name_id).error();
    out.name_id = std::move(*name_id);
  } else if (const auto encrypted = children.take(kNsSaml, "EncryptedID")) {
    auto name_id = read_encrypted_id(*encrypted, decrypter);
    if (!name_id.ok()) return std::move(name_id).error();
    out.name_id = std::move(*name_id);
  }
  while (const auto element = children.take(kNsSaml, "SubjectConfirmation")) {
    auto confirmation = read_confirmation(*element);
    if (!confirmation.ok()) return std::move(confirmation).error();
    out.confirmations.push_back(std::move(*confirmation));
  }
  return children.finish();
}

// --- Conditions (Core 2.5) ---

Status read_audiences(const SignedElement& restriction, Assertion& out) {
  std::vector<std::string> audiences;
  ChildCursor children(restriction);
  while (const auto element = children.take(kNsSaml, "Audience")) {
    auto audience = required_text(*element);
    if (!audience.ok()) return std::move(audience).error();
    audiences.push_back(std::move(*audience));
  }
  SALLYPORT_TRY(children.finish());
  if (audiences.empty()) return structure_error("an AudienceRestriction without Audience");
  out.audience_restrictions.push_back(std::move(audiences));
  return Done{};
}

Status read_validity(const SignedElement& conditions, Assertion& out) {
  auto not_before = instant_attribute(conditions, "NotBefore");
  if (!not_before.ok()) return std::move(not_before).error();
  auto not_on_or_after = instant_attribute(conditions, "NotOnOrAfter");
  if (!not_on_or_after.ok()) return std::move(not_on_or_after).error();
  if (*not_before && *not_on_or_after && **not_before >= **not_on_or_after) {
    return structure_error("Conditions whose NotBefore is not before NotOnOrAfter");
  }
  out.not_before = *not_before;
  out.not_on_or_after = *not_on_or_after;
  return Done{};
}

// What is not understood may forbid what we are about to do (Core 2.5.1.1). OneTimeUse is what the
// replay memory enforces; ProxyRestriction binds only who issues assertions.
Status read_conditions(const SignedElement& conditions, Assertion& out) {
  out.has_conditions = true;
  SALLYPORT_TRY(read_validity(conditions, out));
  bool proxy_restriction = false;
  ChildCursor children(conditions);
  while (const auto child = children.take_any()) {
    if (child->element().is(kNsSaml, "AudienceRestriction")) {
      SALLYPORT_TRY(read_audiences(*child, out));
    } else if (child->element().is(kNsSaml, "OneTimeUse") && !out.one_time_use) {
      out.one_time_use = true;
    } else if (child->element().is(kNsSaml, "ProxyRestriction") && !proxy_restriction) {
      proxy_restriction = true;
    } else {
      return Error{Reason::kConditionUnknown,
                   "Conditions holds a second or unknown " + std::string(child->element().local_name())};
    }
  }
  return children.finish();
}

// --- Statements (Core 2.7) ---

// Declarations and authenticating authorities are not used, but must stand where they belong.
Status read_authn_context(const SignedElement& context, AuthnStatement& out) {
  ChildCursor children(context);
  if (const auto element = children.take(kNsSaml, "AuthnContextClassRef")) {
    auto class_ref = required_text(*element);
    if (!class_ref.ok()) return std::move(class_ref).error();
    out.context_class_ref = std::move(*class_ref);
  }
  if (!children.take(kNsSaml, "AuthnContextDecl")) children.take(kNsSaml, "AuthnContextDeclRef");
  while (children.take(kNsSaml, "AuthenticatingAuthority")) {
  }
  return children.finish();
}

Result<AuthnStatement> read_authn_statement(const SignedElement& element) {
  AuthnStatement out;
  auto authn_instant = required_instant(element, "AuthnInstant");
  if (!authn_instant.ok()) return std::move(authn_instant).error();
  out.authn_instant = *authn_instant;
  auto session_end = instant_attribute(element, "SessionNotOnOrAfter");
  if (!session_end.ok()) return std::move(session_end).error();
  out.session_not_on_or_after = *session_end;
  out.session_index = attribute_string(element, "SessionIndex").value_or("");
  ChildCursor children(element);
  children.take(kNsSaml, "SubjectLocality");
  const auto context = children.take(kNsSaml, "AuthnContext");
  if (!context) return structure_error("an AuthnStatement without AuthnContext");
  SALLYPORT_TRY(read_authn_context(*context, out));
  SALLYPORT_TRY(children.finish());
  return out;
}

bool is_nil(const SignedElement& value) {
  const auto nil = value.element().attribute_ns(xml::kNsXsi, "nil");
  return nil && (*nil == "true" || *nil == "1");
}

// Collects attributes, one entry a Name.
class AttributeReader {
 public:
  AttributeReader(std::vector<Attribute>& out, xml::Decrypter& decrypter)
      : out_(out), decrypter_(decrypter) {}

  Status read_statement(const SignedElement& statement) {
    ChildCursor children(statement);
    while (const auto child = children.take_any()) {
      if (child->element().is(kNsSaml, "Attribute")) {
        SALLYPORT_TRY(read_attribute(*child));
      } else if (child->element().is(kNsSaml, "EncryptedAttribute")) {
        SALLYPORT_TRY(read_encrypted(*child));
      } else {
        return structure_error("an AttributeStatement holds " + std::string(child->element().local_name()));
      }
    }
    return children.finish();
  }

 private:
  Status read_encrypted(const SignedElement& element) {
    auto plain = open_part(element, "Attribute", decrypter_);
    if (!plain.ok()) return std::move(plain).error();
    opened_.push_back(std::move(plain).value());
    return read_attribute(opened_.back().root());
  }

  Status read_attribute(const SignedElement& element) {
    const auto name = element.element().attribute("Name");
    if (!name || name->empty()) return structure_error("an Attribute without Name");
    const auto [known, is_new] = index_.try_emplace(*name, out_.size());
    if (is_new) {
      out_.push_back({std::string(*name),
                      attribute_string(element, "NameFormat").value_or(""), {}});
    }
    std::vector<std::string>& values = out_[known->second].values;
    ChildCursor children(element);
    while (const auto value = children.take(kNsSaml, "AttributeValue")) {
      // What is no text keeps its place, since lists are paired by position.
      const auto text = value->element().text();
      values.emplace_back(text && !is_nil(*value) ? *text : std::string_view());
    }
    return children.finish();
  }

  std::vector<Attribute>& out_;
  xml::Decrypter& decrypter_;
  std::vector<xml::SignedPlaintext> opened_;
  std::map<std::string_view, std::size_t> index_;  // by Name; views into the documents
};

// Statements of other kinds than ours: an authorization decision is of no use here, a Statement of
// an extension's type is not understood.
Status read_statements(ChildCursor<SignedElement>& children, xml::Decrypter& decrypter, Assertion& out) {
  AttributeReader attributes(out.attributes, decrypter);
  for (;;) {
    if (const auto authn = children.take(kNsSaml, "AuthnStatement")) {
      auto statement = read_authn_statement(*authn);
      if (!statement.ok()) return std::move(statement).error();
      out.authn_statements.push_back(std::move(*statement));
    } else if (const auto values = children.take(kNsSaml, "AttributeStatement")) {
      SALLYPORT_TRY(attributes.read_statement(*values));
    } else if (!children.take(kNsSaml, "AuthzDecisionStatement")) {
      return children.finish();
    }
  }
}

Status read_head(const SignedElement& element, Assertion& out) {
  if (!element.element().is(kNsSaml, "Assertion")) {
    return structure_error("expected an Assertion, received " + std::string(element.element().local_name()));
  }
  SALLYPORT_TRY(check_version(element));
  auto id = required_attribute(element, "ID");
  if (!id.ok()) return std::move(id).error();
  out.id = std::move(*id);
  auto issue_instant = required_instant(element, "IssueInstant");
  if (!issue_instant.ok()) return std::move(issue_instant).error();
  out.issue_instant = *issue_instant;
  return Done{};
}

}  // namespace

Result<Assertion> parse_assertion(const xml::SignedElement& assertion, xml::Decrypter& decrypter) {
  Assertion out;
  SALLYPORT_TRY(read_head(assertion, out));
  ChildCursor children(assertion);
  const auto issuer_element = children.take(kNsSaml, "Issuer");
  if (!issuer_element) return structure_error("an Assertion that does not begin with Issuer");
  auto issuer = read_issuer(*issuer_element);
  if (!issuer.ok()) return std::move(issuer).error();
  out.issuer = std::move(*issuer);
  children.take(xml::kNsDsig, "Signature");
  if (const auto subject = children.take(kNsSaml, "Subject")) {
    SALLYPORT_TRY(read_subject(*subject, decrypter, out));
  }
  if (const auto conditions = children.take(kNsSaml, "Conditions")) {
    SALLYPORT_TRY(read_conditions(*conditions, out));
  }
  children.take(kNsSaml, "Advice");
  SALLYPORT_TRY(read_statements(children, decrypter, out));
  return out;
}

}  // namespace sallyport::saml
