#include "second_opinion.h"

#include <utility>

#include "../../unit/xml_test_util.h"
#include "facts.h"
#include "leaks_of_others.h"
#include "xmlsec_opens.h"

namespace sallyport::fuzz {
namespace {

using test::read_xml;

constexpr const char* kSaml = "urn:oasis:names:tc:SAML:2.0:assertion";
constexpr const char* kSamlp = "urn:oasis:names:tc:SAML:2.0:protocol";

// ---- a reader of libxml2's nodes ----

bool is(const xmlNode* node, const char* ns, const char* name) {
  return node->type == XML_ELEMENT_NODE && node->ns != nullptr &&
         xmlStrEqual(node->ns->href, BAD_CAST ns) && xmlStrEqual(node->name, BAD_CAST name);
}

std::vector<xmlNode*> children(xmlNode* parent, const char* ns, const char* name) {
  std::vector<xmlNode*> all;
  for (xmlNode* child = parent->children; child != nullptr; child = child->next) {
    if (is(child, ns, name)) all.push_back(child);
  }
  return all;
}

std::string taken(xmlChar* text) {
  std::string copy(text == nullptr ? "" : reinterpret_cast<const char*>(text));
  xmlFree(text);
  return copy;
}

std::string content(const xmlNode* node) { return taken(xmlNodeGetContent(node)); }

std::optional<std::string> property(xmlNode* node, const char* name) {
  if (xmlHasNsProp(node, BAD_CAST name, nullptr) == nullptr) return std::nullopt;
  return taken(xmlGetNoNsProp(node, BAD_CAST name));
}

std::optional<Millis> time_of(xmlNode* node, const char* name) {
  const auto text = property(node, name);
  return text ? parse_instant(*text) : std::nullopt;
}

bool holds_elements(const xmlNode* node) {
  return xmlFirstElementChild(const_cast<xmlNode*>(node)) != nullptr;
}

void read_subject(xmlNode* subject, Facts& out) {
  for (xmlNode* name : children(subject, kSaml, "NameID")) {
    out.add("NameID", content(name));
    out.add("Format", property(name, "Format").value_or(""));
    out.add("NameQualifier", property(name, "NameQualifier").value_or(""));
    out.add("SPNameQualifier", property(name, "SPNameQualifier").value_or(""));
  }
  for (xmlNode* confirmation : children(subject, kSaml, "SubjectConfirmation")) {
    out.add_if("Method", property(confirmation, "Method"));
    for (xmlNode* data : children(confirmation, kSaml, "SubjectConfirmationData")) {
      out.add_if("Recipient", property(data, "Recipient"));
      out.add_if("InResponseTo", property(data, "InResponseTo"));
      out.add_time("NotBefore", time_of(data, "NotBefore"));
      out.add_time("NotOnOrAfter", time_of(data, "NotOnOrAfter"));
      out.add_if("Address", property(data, "Address"));
    }
  }
}

void read_conditions(xmlNode* conditions, Facts& out) {
  out.add_time("Conditions NotBefore", time_of(conditions, "NotBefore"));
  out.add_time("Conditions NotOnOrAfter", time_of(conditions, "NotOnOrAfter"));
  for (xmlNode* restriction : children(conditions, kSaml, "AudienceRestriction")) {
    out.add("AudienceRestriction", "");
    for (xmlNode* audience : children(restriction, kSaml, "Audience")) {
      out.add("Audience", content(audience));
    }
  }
  if (!children(conditions, kSaml, "OneTimeUse").empty()) out.add("OneTimeUse", "");
}

void read_authn_statement(xmlNode* statement, Facts& out) {
  out.add_time("AuthnInstant", time_of(statement, "AuthnInstant"));
  out.add("SessionIndex", property(statement, "SessionIndex").value_or(""));
  out.add_time("SessionNotOnOrAfter", time_of(statement, "SessionNotOnOrAfter"));
  std::string class_ref;
  for (xmlNode* context : children(statement, kSaml, "AuthnContext")) {
    for (xmlNode* each : children(context, kSaml, "AuthnContextClassRef")) class_ref = content(each);
  }
  out.add("AuthnContextClassRef", class_ref);
}

bool is_nil(xmlNode* value) {
  const std::string nil = taken(
      xmlGetNsProp(value, BAD_CAST "nil", BAD_CAST "http://www.w3.org/2001/XMLSchema-instance"));
  return nil == "true" || nil == "1";
}

struct ReadAttribute {
  std::string name;
  std::string format;
  std::vector<std::string> values;
};

// Attributes of one Name are one, as the product has it.
std::vector<ReadAttribute> read_attributes(const std::vector<xmlNode*>& statements) {
  std::vector<ReadAttribute> all;
  for (xmlNode* statement : statements) {
    for (xmlNode* element : children(statement, kSaml, "Attribute")) {
      const std::string name = property(element, "Name").value_or("");
      ReadAttribute* known = nullptr;
      for (ReadAttribute& each : all) {
        if (each.name == name) known = &each;
      }
      if (known == nullptr) {
        all.push_back({name, property(element, "NameFormat").value_or(""), {}});
        known = &all.back();
      }
      for (xmlNode* value : children(element, kSaml, "AttributeValue")) {
        known->values.push_back(holds_elements(value) || is_nil(value) ? std::string() : content(value));
      }
    }
  }
  return all;
}

void read_assertion(xmlNode* assertion, Facts& out) {
  out.add_if("Assertion", property(assertion, "ID"));
  for (xmlNode* issuer : children(assertion, kSaml, "Issuer")) out.add("Issuer", content(issuer));
  out.add_time("IssueInstant", time_of(assertion, "IssueInstant"));
  for (xmlNode* subject : children(assertion, kSaml, "Subject")) read_subject(subject, out);
  for (xmlNode* each : children(assertion, kSaml, "Conditions")) read_conditions(each, out);
  for (xmlNode* each : children(assertion, kSaml, "AuthnStatement")) read_authn_statement(each, out);
  for (const ReadAttribute& each :
       read_attributes(children(assertion, kSaml, "AttributeStatement"))) {
    out.add("Attribute", each.name);
    out.add("NameFormat", each.format);
    for (const std::string& value : each.values) out.add("AttributeValue", value);
  }
}

void read_response(xmlNode* response, Facts& out) {
  out.add_if("Response", property(response, "ID"));
  const auto issuers = children(response, kSaml, "Issuer");
  out.add_if("Response Issuer", issuers.empty() ? std::nullopt : std::optional(content(issuers[0])));
  out.add_if("Destination", property(response, "Destination"));
  out.add_if("Response InResponseTo", property(response, "InResponseTo"));
  out.add_time("Response IssueInstant", time_of(response, "IssueInstant"));
  for (xmlNode* status : children(response, kSamlp, "Status")) {
    for (xmlNode* code = status; !children(code, kSamlp, "StatusCode").empty();) {
      code = children(code, kSamlp, "StatusCode")[0];
      out.add_if("StatusCode", property(code, "Value"));
    }
  }
  for (xmlNode* assertion : children(response, kSaml, "Assertion")) read_assertion(assertion, out);
}

std::string read_tree(xmlNode* root) {
  Facts out;
  is(root, kSamlp, "Response") ? read_response(root, out) : read_assertion(root, out);
  return out.text();
}

// ---- xmlsec1 ----

struct Verdict {
  bool accepted = false;
  std::string octets;
};

Verdict verify_with(xmlNode* signature, EVP_PKEY* key) {
  const LeaksOfOthers ignored;
  const CPtr<xmlSecDSigCtx, xmlSecDSigCtxDestroy> context(xmlSecDSigCtxCreate(nullptr));
  context->flags |= XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES;
  context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
  context->signKey = xmlSecKeyCreate();
  EVP_PKEY_up_ref(key);
  xmlSecKeySetValue(context->signKey, xmlSecOpenSSLEvpKeyAdopt(key));
  if (xmlSecDSigCtxVerify(context.get(), signature) != 0 ||
      context->status != xmlSecDSigStatusSucceeded ||
      xmlSecPtrListGetSize(&context->signedInfoReferences) != 1) {
    return {};
  }
  auto* const reference = static_cast<xmlSecDSigReferenceCtx*>(
      xmlSecPtrListGetItem(&context->signedInfoReferences, 0));
  xmlSecBuffer* const digested = xmlSecDSigReferenceCtxGetPreDigestBuffer(reference);
  if (digested == nullptr) return {};
  return {true, std::string(reinterpret_cast<const char*>(xmlSecBufferGetData(digested)),
                            xmlSecBufferGetSize(digested))};
}

Verdict verify_with_any(xmlNode* signature, const std::vector<EVP_PKEY*>& keys) {
  for (EVP_PKEY* key : keys) {
    Verdict verdict = verify_with(signature, key);
    if (verdict.accepted) return verdict;
  }
  return {};
}

// ---- what is encrypted ----

xmlNode* content_of(xmlDoc* opened) { return xmlFirstElementChild(xmlDocGetRootElement(opened)); }

void put_in_place(xmlNode* holder, xmlNode* content) {
  xmlReplaceNode(holder, xmlDocCopyNode(content, holder->doc, 1));
  xmlFreeNode(holder);
}

bool open_all(const std::vector<xmlNode*>& holders, EVP_PKEY* recipient) {
  for (xmlNode* holder : holders) {
    const auto opened = recipient == nullptr ? nullptr : xmlsec_opens(holder, recipient);
    if (opened == nullptr) return false;
    put_in_place(holder, content_of(opened.get()));
  }
  return true;
}

bool open_parts(xmlNode* assertion, EVP_PKEY* recipient) {
  for (xmlNode* subject : children(assertion, kSaml, "Subject")) {
    if (!open_all(children(subject, kSaml, "EncryptedID"), recipient)) return false;
  }
  for (xmlNode* statement : children(assertion, kSaml, "AttributeStatement")) {
    if (!open_all(children(statement, kSaml, "EncryptedAttribute"), recipient)) return false;
  }
  return true;
}

// ---- one message ----

class Opinion {
 public:
  Opinion(const std::vector<EVP_PKEY*>& keys, EVP_PKEY* recipient) : keys_(keys), recipient_(recipient) {}

  SecondOpinion on(std::string_view document) {
    const auto parsed = read_xml(document);
    xmlNode* const root = parsed == nullptr ? nullptr : xmlDocGetRootElement(parsed.get());
    if (root == nullptr) return {false, "not well-formed", {}};
    if (!verify(root, of_response_) || !verify_all(children(root, kSaml, "Assertion"))) return {false, why_not_, {}};
    const auto signed_whole = of_response_.empty() ? nullptr : read_xml(of_response_);
    xmlNode* const whole = signed_whole == nullptr ? root : xmlDocGetRootElement(signed_whole.get());
    if (!open_assertions(whole)) return {false, why_not_, {}};
    if (signed_whole != nullptr) return read(whole, children(whole, kSaml, "Assertion"));
    if (of_assertion_.empty()) return {false, "nothing is signed", {}};
    const auto assertion = read_xml(of_assertion_);
    xmlNode* const alone = assertion == nullptr ? nullptr : xmlDocGetRootElement(assertion.get());
    return alone == nullptr ? SecondOpinion{false, "the digested octets are no document", {}} : read(alone, {alone});
  }

 private:
  // What the element's own Signature, if any, has digested.
  bool verify(xmlNode* element, std::string& octets) {
    xmlNode* const signature = xmlSecFindChild(element, xmlSecNodeSignature, xmlSecDSigNs);
    if (signature == nullptr) return true;
    const xmlChar* ids[] = {BAD_CAST "ID", nullptr};
    xmlSecAddIDs(element->doc, xmlDocGetRootElement(element->doc), ids);
    Verdict verdict = verify_with_any(signature, keys_);
    if (!verdict.accepted) {
      why_not_ = std::string("xmlsec1 refuses the signature of the ") + reinterpret_cast<const char*>(element->name);
      return false;
    }
    octets = std::move(verdict.octets);
    return true;
  }

  bool verify_all(const std::vector<xmlNode*>& assertions) {
    for (xmlNode* each : assertions) {
      if (!verify(each, of_assertion_)) return false;
    }
    return true;
  }

  bool open_assertions(xmlNode* response) {
    for (xmlNode* holder : children(response, kSaml, "EncryptedAssertion")) {
      const auto opened = recipient_ == nullptr ? nullptr : xmlsec_opens(holder, recipient_);
      if (opened == nullptr) {
        why_not_ = "xmlsec1 does not open the EncryptedAssertion";
        return false;
      }
      if (!verify(content_of(opened.get()), of_assertion_)) return false;
      put_in_place(holder, content_of(opened.get()));
    }
    return true;
  }

  SecondOpinion read(xmlNode* root, const std::vector<xmlNode*>& assertions) const {
    for (xmlNode* each : assertions) {
      if (!open_parts(each, recipient_)) return {false, "xmlsec1 does not open a part of the assertion", {}};
    }
    return {true, {}, read_tree(root)};
  }

  const std::vector<EVP_PKEY*>& keys_;
  EVP_PKEY* recipient_;
  std::string of_response_;
  std::string of_assertion_;
  std::string why_not_;
};

}  // namespace

SecondOpinion second_opinion(std::string_view document, const std::vector<EVP_PKEY*>& keys, EVP_PKEY* recipient) {
  return Opinion(keys, recipient).on(document);
}

bool is_confirmed(std::string_view document, const saml::VerifiedResponse& accepted,
                  const std::vector<EVP_PKEY*>& keys, std::string& why_not, EVP_PKEY* recipient) {
  const SecondOpinion opinion = second_opinion(document, keys, recipient);
  const std::string header = accepted.header.is_signed ? describe(accepted.header) : "";
  const std::string identity = header + describe(accepted.assertion);
  if (!opinion.accepted) {
    why_not = opinion.why_not;
  } else if (opinion.identity != identity) {
    why_not = "read:\n" + identity + "xmlsec1 digested:\n" + opinion.identity;
  } else {
    return true;
  }
  return false;
}

}  // namespace sallyport::fuzz
