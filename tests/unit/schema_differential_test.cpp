// Our reading of Response and Assertion beside the OASIS schemas: every element left out, doubled, moved,
// renamed, filled with what does not belong, every attribute left out, emptied, added. What the schemas
// refuse we refuse, but for what we do not read; what they take we take, but for some rules. Both are
// listed.
#include <gtest/gtest.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlschemas.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/c_ptr.h"
#include "response_builder.h"
#include "saml/response.h"
#include "schema_test_util.h"

namespace sallyport::saml {
namespace {

using Tree = CPtr<xmlDoc, xmlFreeDoc>;
using testing::ResponseBuilder;

// A Response with one of everything that the schemas know and we read.
std::string full_response() {
  ResponseBuilder builder;
  builder.edit_response("<samlp:Status>",
                        "<samlp:Extensions><x:e xmlns:x=\"urn:x\"/></samlp:Extensions>"
                        "<samlp:Status>");
  builder.edit_response("status:Success\"/>",
                        "status:Success\"><samlp:StatusCode Value=\"urn:second\"/></samlp:StatusCode>"
                        "<samlp:StatusMessage>fine</samlp:StatusMessage>"
                        "<samlp:StatusDetail><x:d xmlns:x=\"urn:x\"/></samlp:StatusDetail>");
  builder.edit("</saml:AudienceRestriction>",
               "</saml:AudienceRestriction><saml:OneTimeUse/><saml:ProxyRestriction Count=\"1\">"
               "<saml:Audience>urn:a</saml:Audience></saml:ProxyRestriction>");
  builder.edit("<saml:AuthnStatement ",
               "<saml:Advice><saml:AssertionIDRef>_other</saml:AssertionIDRef></saml:Advice>"
               "<saml:AuthnStatement ");
  builder.edit("<saml:AuthnContext>", "<saml:SubjectLocality Address=\"192.0.2.1\"/><saml:AuthnContext>");
  builder.edit("</saml:AuthnContextClassRef>",
               "</saml:AuthnContextClassRef><saml:AuthnContextDeclRef>urn:d</saml:AuthnContextDeclRef>"
               "<saml:AuthenticatingAuthority>urn:b</saml:AuthenticatingAuthority>");
  builder.with_signatures(testing::Signed::kNone);
  return builder.build();
}

// ---- edits of the tree ----

std::string path_of(const xmlNode* node) {
  std::string path(reinterpret_cast<const char*>(node->name));
  for (const xmlNode* up = node->parent; up != nullptr && up->type == XML_ELEMENT_NODE;
       up = up->parent) {
    path = std::string(reinterpret_cast<const char*>(up->name)) + "/" + path;
  }
  return path;
}

std::vector<xmlNode*> elements_of(xmlDoc* document) {
  std::vector<xmlNode*> all;
  std::function<void(xmlNode*)> walk = [&](xmlNode* node) {
    all.push_back(node);
    for (xmlNode* child = xmlFirstElementChild(node); child != nullptr;
         child = xmlNextElementSibling(child)) {
      walk(child);
    }
  };
  walk(xmlDocGetRootElement(document));
  return all;
}

xmlNode* foreign_element(xmlDoc* document) {
  xmlNode* node = xmlNewDocNode(document, nullptr, BAD_CAST "foreign", nullptr);
  xmlSetNs(node, xmlNewNs(node, BAD_CAST "urn:foreign", BAD_CAST "f"));
  return node;
}

void put_first(xmlNode* parent, xmlNode* child) {
  if (parent->children == nullptr) {
    xmlAddChild(parent, child);
  } else {
    xmlAddPrevSibling(parent->children, child);
  }
}

// An edit of one element; whether there was something to edit.
struct Edit {
  const char* name;
  bool (*apply)(xmlNode* element);
};

const Edit kEdits[] = {
    {"left out",
     [](xmlNode* e) {
       if (e->parent->type != XML_ELEMENT_NODE) return false;
       xmlUnlinkNode(e);
       xmlFreeNode(e);
       return true;
     }},
    {"doubled",
     [](xmlNode* e) {
       if (e->parent->type != XML_ELEMENT_NODE || xmlHasProp(e, BAD_CAST "ID") != nullptr) return false;
       xmlAddNextSibling(e, xmlCopyNode(e, 1));
       return true;
     }},
    {"behind the next",
     [](xmlNode* e) {
       xmlNode* next = xmlNextElementSibling(e);
       if (next == nullptr || xmlStrEqual(next->name, e->name)) return false;
       xmlUnlinkNode(e);
       xmlAddNextSibling(next, e);
       return true;
     }},
    {"renamed",
     [](xmlNode* e) {
       xmlNodeSetName(e, BAD_CAST "Renamed");
       return true;
     }},
    {"of another namespace",
     [](xmlNode* e) {
       xmlSetNs(e, xmlNewNs(e, BAD_CAST "urn:foreign", BAD_CAST "f"));
       return true;
     }},
    {"with a foreign first child",
     [](xmlNode* e) {
       put_first(e, foreign_element(e->doc));
       return true;
     }},
    {"with a foreign last child",
     [](xmlNode* e) {
       xmlAddChild(e, foreign_element(e->doc));
       return true;
     }},
    {"with text",
     [](xmlNode* e) {
       if (xmlFirstElementChild(e) == nullptr) return false;
       put_first(e, xmlNewDocText(e->doc, BAD_CAST "text"));
       return true;
     }},
    {"with an unknown attribute",
     [](xmlNode* e) {
       xmlNewProp(e, BAD_CAST "Unknown", BAD_CAST "1");
       return true;
     }},
};

std::string text_of(xmlDoc* document) {
  const CPtr<xmlOutputBuffer, xmlOutputBufferClose> out(xmlAllocOutputBuffer(nullptr));
  xmlNodeDumpOutput(out.get(), document, xmlDocGetRootElement(document), 0, 0, nullptr);
  return std::string(reinterpret_cast<const char*>(xmlOutputBufferGetContent(out.get())),
                     xmlOutputBufferGetSize(out.get()));
}

Tree parse(const std::string& text) {
  return Tree(xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                            XML_PARSE_NONET));
}

struct Mutant {
  std::string name;
  std::string text;
};

std::vector<Mutant> mutants_of_elements(const std::string& text) {
  std::vector<Mutant> all;
  const std::size_t count = elements_of(parse(text).get()).size();
  for (std::size_t i = 0; i < count; ++i) {
    for (const Edit& edit : kEdits) {
      const Tree tree = parse(text);
      xmlNode* element = elements_of(tree.get()).at(i);
      const std::string name = path_of(element) + " " + edit.name;
      if (edit.apply(element)) all.push_back({name, text_of(tree.get())});
    }
  }
  return all;
}

std::vector<Mutant> mutants_of_attributes(const std::string& text) {
  std::vector<Mutant> all;
  const std::size_t count = elements_of(parse(text).get()).size();
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t at = 0;; ++at) {
      const Tree without = parse(text);
      const Tree empty = parse(text);
      xmlAttr* attribute = elements_of(without.get()).at(i)->properties;
      xmlAttr* emptied = elements_of(empty.get()).at(i)->properties;
      for (std::size_t skip = 0; skip < at && attribute != nullptr; ++skip) {
        attribute = attribute->next;
        emptied = emptied->next;
      }
      if (attribute == nullptr) break;
      const std::string name = path_of(attribute->parent) + "@" +
                               reinterpret_cast<const char*>(attribute->name);
      xmlSetNsProp(emptied->parent, emptied->ns, emptied->name, BAD_CAST "");
      xmlRemoveProp(attribute);
      all.push_back({name + " left out", text_of(without.get())});
      all.push_back({name + " emptied", text_of(empty.get())});
    }
  }
  return all;
}

// ---- the two verdicts ----

// With a signature over the Assertion, where there is one that can be signed.
std::string with_signature(const std::string& text) {
  const std::string end = "</saml:Assertion>";
  const std::size_t from = text.find("<saml:Assertion ");
  const std::size_t to = text.find(end);
  if (from == text.npos || to == text.npos) return text;
  const std::string assertion = text.substr(from, to + end.size() - from);
  if (assertion.substr(0, assertion.find('>')).find(" ID=\"_") == assertion.npos) return text;
  return text.substr(0, from) + testing::sign_element(assertion, testing::ec_identity()) +
         text.substr(to + end.size());
}

Result<VerifiedResponse> read(const std::string& text) {
  static const std::vector<xml::Certificate> certificates = {testing::ec_identity().certificate};
  SignatureRules rules;
  rules.certificates = &certificates;
  return read_response(with_signature(text), rules, xml::message_limits(256 * 1024));
}

class Schema {
 public:
  Schema() : schema_(load()) {}
  bool accepts(const std::string& text) const {
    const CPtr<xmlSchemaValidCtxt, xmlSchemaFreeValidCtxt> validator(
        xmlSchemaNewValidCtxt(schema_.get()));
    return xmlSchemaValidateDoc(validator.get(), parse(text).get()) == 0;
  }
  bool is_usable() const { return schema_ != nullptr; }

 private:
  static CPtr<xmlSchema, xmlSchemaFree> load() {
    const CPtr<xmlSchemaParserCtxt, xmlSchemaFreeParserCtxt> parser(xmlSchemaNewParserCtxt(
        (std::string(testing::kSchemaFolder) + "saml-schema-protocol-2.0.xsd").c_str()));
    return CPtr<xmlSchema, xmlSchemaFree>(xmlSchemaParse(parser.get()));
  }
  CPtr<xmlSchema, xmlSchemaFree> schema_;
};

// What the schemas take and we refuse.
const std::set<std::string> kStricter = {
    // Nothing to log in with.
    "Response/Assertion left out",
    // Only 2.0 (Core 4.1).
    "Response@Version emptied", "Response/Assertion@Version emptied",
    // Once at the most (Core 2.5.1).
    "Response/Assertion/Conditions/OneTimeUse doubled",
    "Response/Assertion/Conditions/ProxyRestriction doubled",
    // URIs, and a name, that say nothing.
    "Response/Status/StatusCode@Value emptied", "Response/Status/StatusCode/StatusCode@Value emptied",
    "Response/Assertion/Subject/SubjectConfirmation@Method emptied",
    "Response/Assertion/AttributeStatement/Attribute@Name emptied",
};

// Where the schemas refuse what we do not look at: the edits whose names hold both parts.
struct Unread {
  const char* place;
  const char* edit;
};
const Unread kUnread[] = {
    {"", "with an unknown attribute"},
    // Whatever it is that is hidden there, a second assertion or a Signature is found in all places.
    {"/Extensions", ""},
    {"/StatusDetail", ""},
    {"/StatusMessage with", ""},
    {"/Advice", ""},
    {"/SubjectLocality with", ""},
    {"/AuthnContextDeclRef with", ""},
    {"/AuthenticatingAuthority with", ""},
    // Binds who issues assertions.
    {"/ProxyRestriction", ""},
    {"/OneTimeUse with", ""},
    // A value with elements inside is left out.
    {"/AttributeValue with", ""},
    {"/AttributeValue@type", "emptied"},
    // No request's: refused by the checks of the profile.
    {"@InResponseTo", "emptied"},
};

bool is_unread(const std::string& name) {
  return std::any_of(std::begin(kUnread), std::end(kUnread), [&](const Unread& unread) {
    return name.find(unread.place) != name.npos && name.find(unread.edit) != name.npos;
  });
}

TEST(SchemaDifferential, EveryEditOfAFullResponse) {
  if (!testing::has_schemas()) GTEST_SKIP() << "no SAML schemas on this machine";
  xml::initialize_parser();
  const Schema schema;
  ASSERT_TRUE(schema.is_usable());
  const std::string good = full_response();
  ASSERT_TRUE(schema.accepts(good));
  const auto whole = read(good);
  ASSERT_TRUE(whole.ok()) << whole.error().detail;

  std::vector<Mutant> mutants = mutants_of_elements(good);
  for (Mutant& mutant : mutants_of_attributes(good)) mutants.push_back(std::move(mutant));
  EXPECT_GT(mutants.size(), 300u);
  std::set<std::string> stricter;
  for (const Mutant& mutant : mutants) {
    const auto ours = read(mutant.text);
    const bool valid = schema.accepts(mutant.text);
    if (valid && !ours.ok()) stricter.insert(mutant.name);
    EXPECT_TRUE(valid || !ours.ok() || is_unread(mutant.name)) << mutant.name;
  }
  EXPECT_EQ(stricter, kStricter);
}

}  // namespace
}  // namespace sallyport::saml
