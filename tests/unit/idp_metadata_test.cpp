#include "saml/idp_metadata.h"

#include <gtest/gtest.h>

#include <string>

#include "saml/names.h"
#include "test_identity.h"
#include "xml/names.h"

namespace sallyport::saml {
namespace {

constexpr std::size_t kMaxBytes = 16 * 1024 * 1024;
constexpr Millis kNow = 1795296660000;  // 2026-11-21T21:31:00Z
constexpr const char* kEntity = "https://idp.example.org/metadata";

std::string certificate_element(const std::string& base64) {
  return "<ds:X509Data><ds:X509Certificate>" + base64 + "</ds:X509Certificate></ds:X509Data>";
}

const std::string& rsa_base64() { return testing::rsa_identity().certificate.base64(); }
const std::string& ec_base64() { return testing::ec_identity().certificate.base64(); }

// The parts of an EntityDescriptor, each as XML text; the defaults make a good one.
struct Parts {
  std::string entity_attributes = std::string("entityID=\"") + kEntity + "\"";
  std::string role = "IDPSSODescriptor";
  std::string role_attributes =
      "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"";
  std::string keys = key("use=\"signing\"", certificate_element(rsa_base64()));
  std::string services = sso(kBindingRedirect, "https://idp.example.org/sso");
  std::string around;  // before the role

  static std::string key(const std::string& attributes, const std::string& key_info) {
    return "<md:KeyDescriptor " + attributes + "><ds:KeyInfo>" + key_info +
           "</ds:KeyInfo></md:KeyDescriptor>";
  }
  static std::string service(const std::string& name, std::string_view binding,
                             const std::string& location) {
    return "<md:" + name + " Binding=\"" + std::string(binding) + "\" Location=\"" + location +
           "\"/>";
  }
  static std::string sso(std::string_view binding, const std::string& location) {
    return service("SingleSignOnService", binding, location);
  }
  std::string role_xml() const {
    return "<md:" + role + " " + role_attributes + ">" + keys + services + "</md:" + role + ">";
  }
  std::string xml() const {
    return "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" "
           "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" " +
           entity_attributes + ">" + around + role_xml() + "</md:EntityDescriptor>";
  }
};

Parts with_entity(const std::string& id) {
  Parts out;
  out.entity_attributes = "entityID=\"" + id + "\"";
  return out;
}

std::string aggregate(const std::string& attributes, const std::string& entities) {
  return "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" " + attributes +
         ">" + entities + "</md:EntitiesDescriptor>";
}

Result<IdpMetadata> parse(const std::string& document, std::string_view entity_id = "") {
  return parse_idp_metadata(document, entity_id, kNow, kMaxBytes);
}

TEST(IdpMetadata, ReadsTheUsualDocument) {
  Parts parts;
  parts.keys = Parts::key("use=\"signing\"", certificate_element(rsa_base64())) +
               Parts::key("", certificate_element("\n  " + ec_base64().substr(0, 64) + "\n  " +
                                                  ec_base64().substr(64) + "\n")) +
               Parts::key("use=\"encryption\"",
                          certificate_element(testing::other_rsa_identity().certificate.base64()));
  parts.services =
      Parts::service("SingleLogoutService", kBindingPost, "https://idp.example.org/slo") +
      Parts::sso("urn:oasis:names:tc:SAML:2.0:bindings:SOAP", "https://idp.example.org/soap") +
      Parts::sso(kBindingPost, "https://idp.example.org/post") +
      Parts::sso(kBindingRedirect, "https://idp.example.org/sso?a=1&amp;b");
  parts.role_attributes += " WantAuthnRequestsSigned=\"true\"";
  const auto idp = parse("<?xml version=\"1.0\"?><!-- by hand -->\n" + parts.xml());
  ASSERT_TRUE(idp.ok()) << idp.error().detail;
  EXPECT_EQ(idp->entity_id, kEntity);
  ASSERT_EQ(idp->signing.size(), 2u);
  EXPECT_EQ(idp->signing[0].base64(), rsa_base64());
  EXPECT_EQ(idp->signing[1].base64(), ec_base64());
  ASSERT_EQ(idp->single_sign_on.size(), 2u);
  EXPECT_EQ(idp->single_sign_on[0].binding, Binding::kPost);
  EXPECT_EQ(idp->single_sign_on[0].location, "https://idp.example.org/post");
  EXPECT_EQ(idp->single_sign_on[1].binding, Binding::kRedirect);
  EXPECT_EQ(idp->single_sign_on[1].location, "https://idp.example.org/sso?a=1&b");
  ASSERT_EQ(idp->single_logout.size(), 1u);
  EXPECT_EQ(idp->single_logout[0].location, "https://idp.example.org/slo");
  EXPECT_TRUE(idp->want_authn_requests_signed);
  EXPECT_EQ(idp->valid_until, std::nullopt);
  EXPECT_EQ(idp->cache_duration, std::nullopt);
}

TEST(IdpMetadata, WantAuthnRequestsSigned) {
  struct Case {
    const char* attribute;
    bool wanted;
  };
  const Case cases[] = {{"", false},
                        {" WantAuthnRequestsSigned=\"true\"", true},
                        {" WantAuthnRequestsSigned=\"1\"", true},
                        {" WantAuthnRequestsSigned=\"false\"", false},
                        {" WantAuthnRequestsSigned=\"0\"", false}};
  for (const Case& c : cases) {
    Parts parts;
    parts.role_attributes += c.attribute;
    const auto idp = parse(parts.xml());
    ASSERT_TRUE(idp.ok()) << c.attribute;
    EXPECT_EQ(idp->want_authn_requests_signed, c.wanted) << c.attribute;
  }
}

TEST(IdpMetadata, TakesSeveralCertificatesOfOneKeyAndEachOnce) {
  Parts parts;
  const std::string both = certificate_element(rsa_base64()) + certificate_element(ec_base64());
  parts.keys = Parts::key("", both) +
               Parts::key("use=\"signing\"", certificate_element(rsa_base64()));
  const auto idp = parse(parts.xml());
  ASSERT_TRUE(idp.ok()) << idp.error().detail;
  EXPECT_EQ(idp->signing.size(), 2u);
}

TEST(IdpMetadata, PassesUnusableCertificatesOver) {
  Parts parts;
  parts.keys = Parts::key("", certificate_element("bm90IGEgY2VydGlmaWNhdGU=")) +
               Parts::key("", "<ds:KeyValue/>") +
               Parts::key("", "<ds:X509Data><ds:X509Certificate><a/></ds:X509Certificate>"
                              "</ds:X509Data>") +
               Parts::key("", certificate_element(ec_base64()));
  const auto idp = parse(parts.xml());
  ASSERT_TRUE(idp.ok()) << idp.error().detail;
  ASSERT_EQ(idp->signing.size(), 1u);
  EXPECT_EQ(idp->signing[0].base64(), ec_base64());
}

TEST(IdpMetadata, PassesUnusableEndpointsOver) {
  Parts parts;
  parts.services =
      Parts::sso(kBindingRedirect, "javascript:alert(1)") +
      Parts::sso(kBindingPost, " https://idp.example.org/post ") +
      Parts::service("SingleLogoutService", kBindingRedirect, "/relative");
  const auto idp = parse(parts.xml());
  ASSERT_TRUE(idp.ok()) << idp.error().detail;
  ASSERT_EQ(idp->single_sign_on.size(), 1u);
  EXPECT_EQ(idp->single_sign_on[0].location, "https://idp.example.org/post");
  EXPECT_TRUE(idp->single_logout.empty());
}

TEST(IdpMetadata, ChoosesTheRoleOfSaml2) {
  Parts old;
  old.role_attributes = "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:1.1:protocol\"";
  old.services = Parts::sso(kBindingRedirect, "https://old.example.org/");
  Parts parts;
  parts.around = old.role_xml();
  parts.role_attributes = "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:1.1:protocol\n "
                          "urn:oasis:names:tc:SAML:2.0:protocol\"";
  const auto idp = parse(parts.xml());
  ASSERT_TRUE(idp.ok()) << idp.error().detail;
  EXPECT_EQ(idp->single_sign_on[0].location, "https://idp.example.org/sso");
}

// --- Aggregates ---

TEST(IdpMetadata, ChoosesAnEntityOfAnAggregate) {
  Parts service_provider = with_entity("https://sp.example.org");
  service_provider.role = "SPSSODescriptor";
  const std::string one = with_entity("https://one.example.org").xml();
  const std::string two = with_entity("https://two.example.org").xml();
  struct Case {
    const char* name;
    std::string document;
    const char* wanted;
    const char* found;
  };
  const Case cases[] = {
      {"the only one", aggregate("", one), "", "https://one.example.org"},
      {"the only IdP", aggregate("", service_provider.xml() + one), "", "https://one.example.org"},
      {"by name", aggregate("", one + two), "https://two.example.org", "https://two.example.org"},
      {"nested", aggregate("", aggregate("", one) + aggregate("", aggregate("", two))),
       "https://two.example.org", "https://two.example.org"},
      {"a single entity by name", one, "https://one.example.org", "https://one.example.org"},
  };
  for (const Case& c : cases) {
    const auto idp = parse(c.document, c.wanted);
    ASSERT_TRUE(idp.ok()) << c.name << ": " << idp.error().detail;
    EXPECT_EQ(idp->entity_id, c.found) << c.name;
  }
}

// --- Lifetimes ---

TEST(IdpMetadata, KeepsTheEarliestEndAndTheShortestCache) {
  struct Case {
    const char* name;
    const char* outer;
    const char* entity;
    const char* role;
    std::optional<Millis> until;
    std::optional<Millis> cache;
  };
  const Case cases[] = {
      {"entity", "", "validUntil=\"2026-11-22T00:00:00Z\" cacheDuration=\"PT1H\"", "",
       parse_instant("2026-11-22T00:00:00Z"), kHour},
      {"role earlier", "", "validUntil=\"2027-01-01T00:00:00Z\" cacheDuration=\"P1D\"",
       "validUntil=\"2026-12-01T00:00:00.5Z\" cacheDuration=\"PT2H\"",
       parse_instant("2026-12-01T00:00:00.5Z"), 2 * kHour},
      {"aggregate earliest", "validUntil=\"2026-11-21T21:31:01Z\" cacheDuration=\"PT10M\"",
       "validUntil=\"2027-01-01T00:00:00Z\"", "cacheDuration=\"PT1H\"",
       parse_instant("2026-11-21T21:31:01Z"), 10 * kMinute},
      {"months are no use", "", "cacheDuration=\"P1M\"", "", std::nullopt, std::nullopt},
  };
  for (const Case& c : cases) {
    Parts parts;
    parts.entity_attributes += std::string(" ") + c.entity;
    parts.role_attributes += std::string(" ") + c.role;
    const auto idp = parse(aggregate(c.outer, parts.xml()));
    ASSERT_TRUE(idp.ok()) << c.name << ": " << idp.error().detail;
    EXPECT_EQ(idp->valid_until, c.until) << c.name;
    EXPECT_EQ(idp->cache_duration, c.cache) << c.name;
  }
}

// --- Refusals: each says what is wrong ---

struct Refused {
  const char* name;
  std::string document;
  const char* words;
  const char* entity_id = "";
};

Refused changed(const char* name, const char* words, void (*change)(Parts&)) {
  Parts parts;
  change(parts);
  return {name, parts.xml(), words};
}

std::vector<Refused> refused_documents() {
  return {
      {"empty", "", "fetch it again"},
      {"a web page", "<html><body>Sign in</body></html>", "root element is <html>"},
      {"another namespace",
       "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:1.0:metadata\" entityID=\"a\"/>",
       "expected EntityDescriptor"},
      {"a DTD", "<!DOCTYPE a []>" + Parts().xml(), "xml_forbidden"},
      {"cut", Parts().xml().substr(0, 300), "xml_invalid"},
      {"empty aggregate", aggregate("", ""), "holds no EntityDescriptor"},
      {"two IdPs", aggregate("", with_entity("urn:a").xml() + with_entity("urn:b").xml()),
       "2 identity providers (<urn:a>, <urn:b>): choose one with metadata_entity"},
      {"unknown name", aggregate("", with_entity("urn:a").xml() + with_entity("urn:b").xml()),
       "no entity <urn:c>, but <urn:a>, <urn:b>", "urn:c"},
      {"name in other case", with_entity("urn:a").xml(), "no entity <URN:A>", "URN:A"},
      {"twice the name", aggregate("", with_entity("urn:a").xml() + with_entity("urn:a").xml()),
       "more than once", "urn:a"},
      changed("no entityID", "without entityID",
              [](Parts& p) { p.entity_attributes = ""; }),
      changed("blank entityID", "without entityID",
              [](Parts& p) { p.entity_attributes = "entityID=\"  \""; }),
      changed("long entityID", "over 1024 bytes",
              [](Parts& p) { p = with_entity(std::string(1025, 'a')); }),
      changed("a service provider", "metadata of a service provider (SPSSODescriptor)",
              [](Parts& p) { p.role = "SPSSODescriptor"; }),
      changed("another role", "not the metadata of an identity provider",
              [](Parts& p) { p.role = "PDPDescriptor"; }),
      changed("SAML 1.1 only", "does not support the protocol",
              [](Parts& p) {
                p.role_attributes =
                    "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:1.1:protocol\"";
              }),
      changed("no protocol", "does not support the protocol",
              [](Parts& p) { p.role_attributes = ""; }),
      changed("two roles", "two IDPSSODescriptors", [](Parts& p) { p.around = p.role_xml(); }),
      changed("expired", "expired on 2026-11-21T21:31:00Z",
              [](Parts& p) { p.entity_attributes += " validUntil=\"2026-11-21T21:31:00Z\""; }),
      changed("role expired", "expired on 2020-01-01T00:00:00Z",
              [](Parts& p) { p.role_attributes += " validUntil=\"2020-01-01T00:00:00Z\""; }),
      changed("bad validUntil", "validUntil <tomorrow> is not a UTC time",
              [](Parts& p) { p.entity_attributes += " validUntil=\"tomorrow\""; }),
      changed("no SSO service", "no SingleSignOnService with the HTTP-Redirect or HTTP-POST",
              [](Parts& p) { p.services = ""; }),
      changed("SOAP only", "bindings:SOAP> is not spoken",
              [](Parts& p) {
                p.services = Parts::service("SingleSignOnService",
                                            "urn:oasis:names:tc:SAML:2.0:bindings:SOAP",
                                            "https://idp.example.org/");
              }),
      changed("bad location", "Location <ftp://idp.example.org/>",
              [](Parts& p) {
                p.services = Parts::sso(kBindingPost, "ftp://idp.example.org/");
              }),
      changed("no key", "no KeyDescriptor", [](Parts& p) { p.keys = ""; }),
      changed("encryption key only", "no KeyDescriptor",
              [](Parts& p) {
                p.keys = Parts::key("use=\"encryption\"", certificate_element(rsa_base64()));
              }),
      changed("KeyValue only", "bare KeyValue",
              [](Parts& p) { p.keys = Parts::key("", "<ds:KeyValue/>"); }),
      changed("KeyName only", "no X509Certificate",
              [](Parts& p) { p.keys = Parts::key("", "<ds:KeyName>a</ds:KeyName>"); }),
      changed("no KeyInfo", "without KeyInfo",
              [](Parts& p) { p.keys = "<md:KeyDescriptor use=\"signing\"/>"; }),
      changed("broken certificate", "no usable signing certificate",
              [](Parts& p) { p.keys = Parts::key("", certificate_element("AAAA")); }),
      changed("certificate with elements", "elements instead of base64",
              [](Parts& p) { p.keys = Parts::key("", certificate_element("<a/>")); }),
  };
}

TEST(IdpMetadata, RefusesWithWordsForTheOperator) {
  for (const Refused& c : refused_documents()) {
    const auto idp = parse(c.document, c.entity_id);
    ASSERT_FALSE(idp.ok()) << c.name;
    EXPECT_EQ(idp.error().reason, Reason::kConfigInvalid) << c.name;
    EXPECT_NE(idp.error().detail.find(c.words), std::string::npos)
        << c.name << ": " << idp.error().detail;
  }
}

TEST(IdpMetadata, NamesTheEntityInErrorsAboutIt) {
  Parts parts;
  parts.keys = "";
  const auto idp = parse(parts.xml());
  ASSERT_FALSE(idp.ok());
  EXPECT_EQ(idp.error().detail.rfind("entity <https://idp.example.org/metadata>: ", 0), 0u)
      << idp.error().detail;
}

TEST(IdpMetadata, RefusesMoreBytesThanAllowed) {
  const std::string document = Parts().xml();
  EXPECT_TRUE(parse_idp_metadata(document, "", kNow, document.size()).ok());
  const auto refused = parse_idp_metadata(document, "", kNow, document.size() - 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().detail.find("saml_max_metadata_size"), std::string::npos);
}

TEST(IdpMetadata, IsValidUntilTheLastMillisecond) {
  Parts parts;
  parts.entity_attributes += " validUntil=\"2026-11-21T21:31:00.001Z\"";
  EXPECT_TRUE(parse(parts.xml()).ok());
  EXPECT_FALSE(parse_idp_metadata(parts.xml(), "", kNow + 1, kMaxBytes).ok());
}

}  // namespace
}  // namespace sallyport::saml
