// Messages that are put together from genuinely signed parts: none may make another user.
#include <gtest/gtest.h>

#include <string>

#include "response_builder.h"
#include "saml/response.h"

namespace sallyport::saml {
namespace {

using testing::ec_identity;
using testing::ResponseBuilder;
using testing::Signed;

Result<VerifiedResponse> read(const std::string& document) {
  static const std::vector<xml::Certificate> certificates = {ec_identity().certificate};
  SignatureRules rules;
  rules.certificates = &certificates;
  return read_response(document, rules, xml::message_limits(256 * 1024));
}

std::string replaced(std::string text, std::string_view find, std::string_view put) {
  const std::size_t place = text.find(find);
  EXPECT_NE(place, std::string::npos) << find;
  return place == std::string::npos ? text : text.replace(place, find.size(), put);
}

// The elements of a message as text, to be put together in other ways.
std::string element_text(const std::string& document, const std::string& name) {
  const std::size_t begin = document.find("<" + name);
  const std::string end_tag = "</" + name + ">";
  const std::size_t end = document.rfind(end_tag);
  EXPECT_TRUE(begin != std::string::npos && end != std::string::npos) << name;
  return document.substr(begin, end + end_tag.size() - begin);
}

std::string forged(const std::string& id) {
  std::string out = replaced(std::string(testing::kTestAssertion), ">jane<", ">admin<");
  return replaced(out, "ID=\"_assertion\"", "ID=\"" + id + "\"");
}

struct Wrapping {
  const char* name;
  std::string document;
};

// Somorovsky et al., "On Breaking SAML" (2012), and later finds, by where the genuine element goes.
std::vector<Wrapping> wrappings() {
  ResponseBuilder unsigned_response;
  unsigned_response.sign = Signed::kNone;
  const std::string genuine =
      ResponseBuilder().with_signatures(Signed::kAssertion).signed_assertion();
  const std::string signature = element_text(genuine, "ds:Signature");
  const std::string bare = replaced(genuine, signature, "");
  const std::string evil = forged("_evil");
  const std::string same_id = forged("_assertion");
  const auto inside = [](const std::string& text, const std::string& before,
                         const std::string& what) { return replaced(text, before, what + before); };
  const auto respond = [&](const std::string& child) { return unsigned_response.around(child); };
  const std::string object = "<ds:Object>" + bare + "</ds:Object></ds:Signature>";
  const std::string signature_with_object = replaced(signature, "</ds:Signature>", object);
  const std::string issuer_end = "</saml:Issuer>";

  return {
      {"forged first", respond(evil + genuine)},
      {"forged last", respond(genuine + evil)},
      {"genuine inside of forged", respond(inside(evil, "</saml:Assertion>", genuine))},
      {"signature moved, genuine behind",
       respond(replaced(evil, issuer_end, issuer_end + signature) + bare)},
      {"genuine inside of the signature",
       respond(replaced(evil, issuer_end, issuer_end + signature_with_object))},
      {"same ID twice", respond(same_id + genuine)},
      {"genuine in Extensions",
       replaced(respond(evil), "<samlp:Status>",
                "<samlp:Extensions>" + genuine + "</samlp:Extensions><samlp:Status>")},
      {"genuine in Extensions, none in its place",
       replaced(respond(""), "<samlp:Status>",
                "<samlp:Extensions>" + genuine + "</samlp:Extensions><samlp:Status>")},
      {"genuine in StatusDetail",
       replaced(respond(evil), "</samlp:Status>",
                "<samlp:StatusDetail>" + genuine + "</samlp:StatusDetail></samlp:Status>")},
      {"genuine in Advice",
       respond(replaced(evil, "<saml:AuthnStatement",
                        "<saml:Advice>" + genuine + "</saml:Advice><saml:AuthnStatement"))},
      {"genuine in SubjectConfirmationData",
       respond(replaced(evil, "InResponseTo=\"_request\"/>",
                        "InResponseTo=\"_request\">" + genuine +
                            "</saml:SubjectConfirmationData>"))},
      {"genuine in an AttributeValue", respond(replaced(evil, ">admins<", ">" + genuine + "<"))},
      {"genuine in a foreign element", respond(evil + "<a xmlns=\"urn:a\">" + genuine + "</a>")},
      {"genuine beside an encrypted one",
       respond(genuine + "<saml:EncryptedAssertion "
                         "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>")},
      {"genuine as root", genuine},
      {"a foreign namespace for the forged one",
       respond(replaced(evil, "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"",
                        "xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\"") +
               genuine)},
  };
}

TEST(ResponseWrapping, RefusesWrappedAssertions) {
  for (const Wrapping& wrapping : wrappings()) {
    const auto response = read(wrapping.document);
    EXPECT_FALSE(response.ok()) << wrapping.name;
  }
  // What they are made of is good by itself.
  ResponseBuilder genuine;
  genuine.sign = Signed::kAssertion;
  EXPECT_TRUE(read(genuine.build()).ok());
}

TEST(ResponseWrapping, RefusesAWrappedResponse) {
  const std::string genuine = ResponseBuilder().with_signatures(Signed::kResponse).build();
  const std::string signature = element_text(genuine, "ds:Signature");
  const std::string bare = replaced(genuine, signature, "");
  const std::string evil = replaced(replaced(bare, ">jane<", ">admin<"), "_response", "_evil");
  const std::string end = "</samlp:Response>";
  const std::string issuer_end = "</saml:Issuer>";
  const std::string with_signature = replaced(evil, issuer_end, issuer_end + signature);
  const std::string no_assertion =
      replaced(with_signature, element_text(with_signature, "saml:Assertion"), "");
  const Wrapping cases[] = {
      {"signature copied", with_signature},
      {"genuine at the end", replaced(with_signature, end, bare + end)},
      {"genuine inside of the signature",
       replaced(with_signature, "</ds:Signature>",
                "<ds:Object>" + bare + "</ds:Object></ds:Signature>")},
      {"genuine at the end, nothing forged", replaced(no_assertion, end, bare + end)},
      {"genuine in Extensions",
       replaced(replaced(evil, element_text(evil, "saml:Assertion"), ""), "<samlp:Status>",
                "<samlp:Extensions>" + genuine + "</samlp:Extensions><samlp:Status>")},
  };
  for (const Wrapping& wrapping : cases) {
    const auto response = read(wrapping.document);
    EXPECT_FALSE(response.ok()) << wrapping.name;
  }
}

}  // namespace
}  // namespace sallyport::saml
