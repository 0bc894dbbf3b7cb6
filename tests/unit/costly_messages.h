// What a sender may post to cost us time: the bombs of the attack catalogue, and whatever is dearest within the
// limits. Rows 46 to 48, 59, 67, 68, 71, 72, 75 and 163 of tests/ATTACKS.md.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "login_fixture.h"
#include "xml_test_util.h"

namespace sallyport::testing {

struct CostlyMessage {
  std::string name;
  std::string body;    // of the form, as posted
  std::string reason;  // what comes of it
};

constexpr std::size_t kLargest = 256 * 1024;

inline std::string repeated(std::string_view unit, std::size_t times) {
  std::string all;
  all.reserve(unit.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += unit;
  return all;
}

// How many `unit`s are within the limits of size, elements and attributes, beside `around` bytes.
inline std::size_t room_for(std::string_view unit, std::size_t around) {
  constexpr std::size_t kElements = 19'900;
  constexpr std::size_t kAttributes = 13'500;
  std::size_t elements = 0;
  for (std::size_t at = 0; at + 1 < unit.size(); ++at) {
    if (unit[at] == '<' && unit[at + 1] != '/' && unit[at + 1] != '!') ++elements;
  }
  const auto attributes = static_cast<std::size_t>(std::count(unit.begin(), unit.end(), '='));
  std::size_t count = (kLargest - around) / unit.size();
  if (elements > 0) count = std::min(count, kElements / elements);
  if (attributes > 0) count = std::min(count, kAttributes / attributes);
  return count;
}

// As many `unit`s between both as the limits take.
inline std::string filled(std::string_view begin, std::string_view unit, std::string_view end) {
  const std::size_t count = room_for(unit, begin.size() + end.size());
  return std::string(begin) + repeated(unit, count) + std::string(end);
}

// As many as fit into the largest message.
inline std::string crammed(std::string_view begin, std::string_view unit, std::string_view end) {
  const std::size_t room = kLargest - begin.size() - end.size();
  return std::string(begin) + repeated(unit, room / unit.size()) + std::string(end);
}

// " xmlns:n0='urn:0'..." or " p0='0'...": `count` of them, numbered from `first`.
inline std::string numbered(std::string_view name, std::string_view value, std::size_t first,
                            std::size_t count) {
  std::string all;
  for (std::size_t i = first; i < first + count; ++i) {
    const std::string number = std::to_string(i);
    all += ' ';
    all += name;
    all += number + "='";
    all += value;
    all += number + "'";
  }
  return all;
}

inline std::string numbered_elements(std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += "<b ID='i" + std::to_string(i * 7919 % count) + "'/>";
  return all;
}

inline std::string form_of(const std::string& message) {
  return "SAMLResponse=" + url_encode(base64_encode(message));
}

// A good message whose only signature is genuine, with `inside` put where a marker stands after it was signed:
// nothing shows that it was changed before its digest is made.
inline std::string changed_after_signing(std::string_view inside) {
  constexpr std::string_view kPlace = "</saml:AttributeStatement>";
  std::string message = login_test::response_xml(login_test::company_response(),
                                                 login_test::Signed::kAssertion);
  return message.insert(message.find(kPlace), inside);
}

// The same, filled up to the largest size. `begin` and `end` stand around all units.
inline std::string filled_after_signing(std::string_view begin, std::string_view unit,
                                        std::string_view end) {
  const std::size_t around = changed_after_signing("").size() + begin.size() + end.size();
  return changed_after_signing(std::string(begin) + repeated(unit, room_for(unit, around)) +
                               std::string(end));
}

// A good answer with an attribute value as large as the limits take it.
inline std::string filled_before_signing(std::string_view begin, std::string_view unit,
                                         std::string_view end) {
  constexpr std::size_t kSignature = 4096;
  const std::string message = login_test::response_xml(login_test::company_response(),
                                                       login_test::Signed::kNothing);
  const std::string value = "<saml:Attribute Name=\"f\"><saml:AttributeValue>" +
                            std::string(begin) + "@UNITS@" + std::string(end) +
                            "</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>";
  const std::size_t around = message.size() + value.size() + kSignature;
  return login_test::sign_by(
      test::replaced(test::replaced(message, "</saml:AttributeStatement>", value), "@UNITS@",
                     repeated(unit, room_for(unit, around))),
      rsa_identity());
}

// Namespaces of `levels` elements, ten on each.
inline std::pair<std::string, std::string> scope_of(std::size_t levels) {
  std::string begin;
  for (std::size_t level = 0; level < levels; ++level) {
    begin += "<a" + numbered("xmlns:n", "urn:", 10 * level, 10) + ">";
  }
  return {begin, repeated("</a>", levels)};
}

inline std::string with_prefix_list(std::string_view prefixes) {
  return "<e:InclusiveNamespaces xmlns:e='http://www.w3.org/2001/10/xml-exc-c14n#' PrefixList='" +
         std::string(prefixes) + "'/>";
}

inline std::string with_transforms(std::size_t count) {
  const std::string good = changed_after_signing("");
  const std::size_t at = good.find("</ds:Transforms>");
  return std::string(good).insert(
      at, repeated("<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>", count));
}

inline std::string with_long_value(std::string_view put) {
  const std::string good = changed_after_signing("");
  const std::size_t from = good.find("<ds:SignatureValue>") + 19;
  return std::string(good).insert(from, put);
}

// Refused before anything is parsed by libxml2, or soon after.
inline std::vector<CostlyMessage> bombs() {
  const std::string prefixed = numbered("p:b", "", 0, 15);
  const auto [scope, scope_end] = scope_of(19);
  return {
      {"48: 800 prefixes, 4,000 elements",
       "<a>" + with_prefix_list(repeated("p ", 800)) + repeated("<b></b>", 4000) + "</a>",
       "xml_limits"},
      {"48: 10,000 prefixes", "<a>" + with_prefix_list(repeated("p ", 10000)) + "</a>",
       "xml_limits"},
      {"163: namespaces, 336 KB", crammed(scope_of(600).first, "<b/>", "") + repeated("<b/>", 20000),
       "too_large"},
      {"163: namespaces, 256 KB", crammed(scope_of(600).first, "<b/>", ""), "xml_limits"},
      {"68: 10,000 attributes", "<a" + numbered("b", "", 0, 10000) + "/>", "xml_limits"},
      {"68: 32,000 attributes", crammed("<a", " b=''", "/>"), "xml_limits"},
      {"68: short attributes everywhere", crammed("<a>", "<a b='' c='' d=''/>", "</a>"),
       "xml_limits"},
      {"68: 10,000 attributes behind an error", "<r><x \">" + numbered("b", "", 0, 10000) + "</r>",
       "xml_invalid"},
      {"68: too many far namespaces",
       filled("<a xmlns:p='urn:p'>" + scope, "<a" + prefixed + "/>", scope_end + "</a>"),
       "xml_limits"},
      {"67: nesting", crammed("", "<a>", ""), "xml_limits"},
      {"59: billion laughs", "<!DOCTYPE a [<!ENTITY b 'b'><!ENTITY c '&b;&b;'>]><a>&c;&c;</a>",
       "xml_forbidden"},
      {"59: unknown entities", crammed("<a>", "&x;", "</a>"), "xml_invalid"},
      {"59: bare ampersands", crammed("<a>", "&", "</a>"), "xml_invalid"},
      {"59: open references", crammed("<a b='", "&#", "'/>"), "xml_invalid"},
      {"47: 3,000 transforms", with_transforms(3000), "signature_malformed"},
      {"46: a value of 180 KB", with_long_value(repeated("AAAA", 46000)), "signature_invalid"},
      {"46: a value behind blanks", with_long_value(repeated(" \n", 110000)), "accepted"},
      {"undeclared prefixes", filled("<a>", "<a" + prefixed + "/>", "</a>"), "xml_invalid"},
      {"relative namespaces", filled("<a>", "<a xmlns='r'/>", "</a>"), "xml_forbidden"},
      {"attributes twice", filled("<a>", "<a b='' b=''/>", "</a>"), "xml_invalid"},
      {"mismatched tags", filled("<a>", "<bbbb></cccc>", "</a>"), "xml_invalid"},
      {"long names", crammed("<a>", "<" + std::string(49000, 'n') + prefixed + "/>", "</a>"),
       "xml_limits"},
      {"14,000 IDs", "<a>" + numbered_elements(14000) + "</a>", "xml_limits"},
      {"the same ID", filled("<a>", "<a ID='x'/>", "</a>"), "xml_limits"},
  };
}

// Parts of messages that are dear and within all limits.
struct Filling {
  const char* name;
  std::string begin;
  std::string unit;
  std::string end;
};

inline std::vector<Filling> fillings() {
  const auto [scope, scope_end] = scope_of(10);
  const std::string value = "<saml:AttributeValue>v</saml:AttributeValue>";
  const std::string typed =
      "<saml:AttributeValue xmlns:x='http://www.w3.org/2001/XMLSchema-instance' "
      "x:type='s'>v</saml:AttributeValue>";
  return {
      {"values", "<saml:Attribute Name='n'>", value, "</saml:Attribute>"},
      {"typed values", "<saml:Attribute Name='n'>", typed, "</saml:Attribute>"},
      {"attributes", "", "<saml:Attribute Name='n'>" + value + "</saml:Attribute>", ""},
      {"elements", "<a>", "<b>text</b>", "</a>"},
      {"empty elements", "<a>", "<b/>", "</a>"},
      {"short attributes", "<a>", "<a b='' c='' d='' e='' f='' g=''/>", "</a>"},
      {"32 attributes each", "<a>", "<a" + numbered("b", "", 0, 32) + "/>", "</a>"},
      {"prefixed attributes", "<a xmlns:p='urn:p'>", "<a" + numbered("p:b", "", 0, 15) + "/>",
       "</a>"},
      {"two namespaces each", "<a>", "<b:a xmlns:b='urn:b' xmlns:c='urn:c' c:d=''/>", "</a>"},
      {"16 namespaces each", "<a>", "<a" + numbered("xmlns:n", "urn:", 0, 16) + "/>", "</a>"},
      {"far namespaces", scope, "<n3:a n9:b=''>" + std::string(60, 'x') + "</n3:a>", scope_end},
      {"written-out namespaces", "<a xmlns:p='urn:" + std::string(200, 'x') + "'>",
       repeated("<p:b/>", 8) + std::string(400, 'x'), "</a>"},
      {"nesting", "<a>", repeated("<d>", 20) + repeated("</d>", 20), "</a>"},
      {"entities", "<a>", "&amp;", "</a>"},
      {"entities in a value", "<a b='", "&amp;", "'/>"},
      {"character references", "<a>", "&#65;", "</a>"},
      {"line ends", "<a>", "\r\n", "</a>"},
      {"escaped line ends", "<a>", "&#13;", "</a>"},
      {"escaped blanks in a value", "<a b='", "&#9;", "'/>"},
      {"CDATA", "<a>", "<![CDATA[]]>x", "</a>"},
      {"text", "<a>", "x", "</a>"},
      {"a value", "<a b='", "x", "'/>"},
  };
}

inline std::vector<CostlyMessage> costly_documents() {
  std::vector<CostlyMessage> all = bombs();
  for (const auto& [name, begin, unit, end] : fillings()) {
    // Parsed, and found to be no Response.
    all.push_back({"68: " + std::string(name),
                   filled("<r xmlns:saml='urn:s'>" + begin, unit, end + "</r>"),
                   "structure_invalid"});
    // Parsed, canonicalized and digested, since the signature over the digest is genuine.
    all.push_back({"163: changed after signing: " + std::string(name),
                   filled_after_signing(begin, unit, end), "signature_invalid"});
    all.push_back({"accepted: " + std::string(name), filled_before_signing(begin, unit, end),
                   "accepted"});
  }
  return all;
}

inline std::vector<CostlyMessage> costly_forms() {
  const std::string largest = repeated("QUFB", kLargest / 3);
  return {
      {"72: 10,000 parameters", repeated("a=b&", 10000) + "SAMLResponse=QQ==", "form_invalid"},
      {"72: a parameter 10,000 times", repeated("SAMLResponse=QQ&", 10000), "form_invalid"},
      {"72: only a name", std::string(kLargest, 'a'), "form_invalid"},
      {"72: bad escapes", "SAMLResponse=" + repeated("%4", kLargest), "form_invalid"},
      {"72: escapes", "SAMLResponse=" + repeated("%41", kLargest), "xml_forbidden"},
      {"72: RelayState", "RelayState=" + std::string(kLargest, 'x') + "&SAMLResponse=QUFB",
       "xml_invalid"},
      {"71: not base64", "SAMLResponse=" + repeated("!", kLargest), "base64_invalid"},
      {"71: not base64 at the end", "SAMLResponse=" + largest.substr(4) + "!!!!",
       "base64_invalid"},
      {"71: no XML", "SAMLResponse=" + largest, "xml_invalid"},
      {"71: a line end behind each character", "SAMLResponse=" + repeated("Q%0A", kLargest),
       "xml_invalid"},
      {"71: only blanks", "SAMLResponse=" + repeated("+", kLargest), "xml_invalid"},
      {"71: only padding", "SAMLResponse=" + repeated("=", kLargest), "base64_invalid"},
      {"75: too large", "SAMLResponse=" + largest + largest, "too_large"},
  };
}

// All of them, as forms.
inline std::vector<CostlyMessage> costly_messages() {
  std::vector<CostlyMessage> all = costly_forms();
  for (CostlyMessage& message : costly_documents()) {
    message.body = form_of(message.body);
    all.push_back(std::move(message));
  }
  return all;
}

}  // namespace sallyport::testing
