#include "saml/sp_metadata.h"

#include <gtest/gtest.h>

#include <string>

#include "saml/names.h"
#include "schema_test_util.h"
#include "test_identity.h"
#include "xml/document.h"
#include "xml/names.h"
#include "xml/signature.h"
#include "xml/signing.h"

namespace sallyport::saml {
namespace {

using xml::kNsMetadata;

SpMetadata small() {
  SpMetadata out;
  out.entity_id = "https://app.example.com/saml/metadata";
  out.acs_urls = {"https://app.example.com/saml/acs"};
  return out;
}

SpMetadata full() {
  SpMetadata out = small();
  out.entity_id = "urn:app:\"<&>'";
  out.acs_urls.push_back("https://app.example.com:8443/saml/acs?a=1&b=2");
  out.slo_urls = {"https://app.example.com/saml/slo"};
  out.certificates = {&testing::rsa_identity().certificate, &testing::ec_identity().certificate};
  out.authn_requests_signed = true;
  out.want_assertions_signed = false;
  out.name_id_formats = {std::string(kFormatPersistent), std::string(kFormatEmail)};
  out.requested_attributes = {"urn:oid:0.9.2342.19200300.100.1.3", "groups"};
  out.service_name = "App & more";
  return out;
}

xml::Document parse(const std::string& document) {
  auto parsed = xml::Document::parse(document, xml::metadata_limits(64 * 1024));
  EXPECT_TRUE(parsed.ok()) << parsed.error().detail;
  return std::move(*parsed);
}

std::vector<xml::Element> children(const xml::Element& parent, std::string_view name) {
  std::vector<xml::Element> out;
  for (const xml::Element& child : parent.children()) {
    if (child.is(kNsMetadata, name)) out.push_back(child);
  }
  return out;
}

TEST(SpMetadata, DescribesTheServiceProvider) {
  const auto document = parse(sp_metadata_document(full(), "_id"));
  const xml::Element root = document.root();
  EXPECT_TRUE(root.is(kNsMetadata, "EntityDescriptor"));
  EXPECT_EQ(root.attribute("ID"), "_id");
  EXPECT_EQ(root.attribute("entityID"), "urn:app:\"<&>'");
  const auto role = root.only_child(kNsMetadata, "SPSSODescriptor");
  ASSERT_TRUE(role);
  EXPECT_EQ(role->attribute("protocolSupportEnumeration"), xml::kNsSamlp);
  EXPECT_EQ(role->attribute("AuthnRequestsSigned"), "true");
  EXPECT_EQ(role->attribute("WantAssertionsSigned"), "false");

  const auto services = children(*role, "AssertionConsumerService");
  ASSERT_EQ(services.size(), 2u);
  EXPECT_EQ(services[0].attribute("Binding"), kBindingPost);
  EXPECT_EQ(services[0].attribute("Location"), "https://app.example.com/saml/acs");
  EXPECT_EQ(services[0].attribute("index"), "0");
  EXPECT_EQ(services[0].attribute("isDefault"), "true");
  EXPECT_EQ(services[1].attribute("Location"), "https://app.example.com:8443/saml/acs?a=1&b=2");
  EXPECT_EQ(services[1].attribute("index"), "1");
  EXPECT_EQ(services[1].attribute("isDefault"), std::nullopt);

  const auto formats = children(*role, "NameIDFormat");
  ASSERT_EQ(formats.size(), 2u);
  EXPECT_EQ(formats[0].text(), kFormatPersistent);
  EXPECT_EQ(formats[1].text(), kFormatEmail);

  const auto logout = children(*role, "SingleLogoutService");
  ASSERT_EQ(logout.size(), 2u);
  EXPECT_EQ(logout[0].attribute("Binding"), kBindingRedirect);
  EXPECT_EQ(logout[1].attribute("Binding"), kBindingPost);
}

TEST(SpMetadata, OffersNoKeyForEncryptionThatItCannotDecryptWith) {
  const auto document = parse(sp_metadata_document(full(), "_id"));
  const auto role = document.root().only_child(kNsMetadata, "SPSSODescriptor");
  const auto keys = children(*role, "KeyDescriptor");
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].attribute("use"), "signing");
  EXPECT_EQ(keys[1].attribute("use"), "signing");
}

TEST(SpMetadata, PublishesRsaKeysForBothUsesAndEcKeysForSigning) {
  SpMetadata sp = full();
  sp.can_decrypt = true;
  const auto document = parse(sp_metadata_document(sp, "_id"));
  const auto role = document.root().only_child(kNsMetadata, "SPSSODescriptor");
  const auto keys = children(*role, "KeyDescriptor");
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].attribute("use"), std::nullopt);
  EXPECT_EQ(keys[1].attribute("use"), "signing");
  const auto data =
      keys[0].only_child(xml::kNsDsig, "KeyInfo")->only_child(xml::kNsDsig, "X509Data");
  ASSERT_TRUE(data);
  EXPECT_EQ(data->only_child(xml::kNsDsig, "X509Certificate")->text(),
            testing::rsa_identity().certificate.base64());
}

TEST(SpMetadata, SaysWhatToEncryptWith) {
  SpMetadata sp = full();
  sp.can_decrypt = true;
  const auto methods_of = [](const SpMetadata& described, std::size_t key) {
    const auto document = parse(sp_metadata_document(described, "_id"));
    const auto role = document.root().only_child(kNsMetadata, "SPSSODescriptor");
    std::string out;
    for (const xml::Element& method :
         children(children(*role, "KeyDescriptor")[key], "EncryptionMethod")) {
      const std::string uri(method.attribute("Algorithm").value_or(""));
      out += uri.substr(uri.find('#') + 1) + " ";
    }
    return out;
  };
  EXPECT_EQ(methods_of(sp, 0), "aes256-gcm aes128-gcm rsa-oaep-mgf1p rsa-oaep ");
  EXPECT_EQ(methods_of(sp, 1), "");
  sp.encryption.add(xml::DataCipher::kAes256Cbc);
  sp.encryption.add(xml::KeyTransport::kRsa15);
  EXPECT_EQ(methods_of(sp, 0),
            "aes256-gcm aes128-gcm aes256-cbc rsa-oaep-mgf1p rsa-oaep rsa-1_5 ");
  if (testing::has_schemas()) {
    EXPECT_EQ(testing::schema_errors(sp_metadata_document(sp, "_id"), "saml-schema-metadata-2.0.xsd"),
              "");
  }
  sp.can_decrypt = false;
  EXPECT_EQ(methods_of(sp, 0), "");
}

TEST(SpMetadata, RequestsAttributes) {
  const auto document = parse(sp_metadata_document(full(), "_id"));
  const auto role = document.root().only_child(kNsMetadata, "SPSSODescriptor");
  const auto service = role->only_child(kNsMetadata, "AttributeConsumingService");
  ASSERT_TRUE(service);
  EXPECT_EQ(service->only_child(kNsMetadata, "ServiceName")->text(), "App & more");
  const auto requested = children(*service, "RequestedAttribute");
  ASSERT_EQ(requested.size(), 2u);
  EXPECT_EQ(requested[0].attribute("Name"), "urn:oid:0.9.2342.19200300.100.1.3");
  EXPECT_EQ(requested[0].attribute("NameFormat"), kNameFormatUri);
  EXPECT_EQ(requested[1].attribute("Name"), "groups");
  EXPECT_EQ(requested[1].attribute("NameFormat"), std::nullopt);
}

TEST(SpMetadata, LeavesOutWhatIsNotConfigured) {
  const auto document = parse(sp_metadata_document(small(), "_id"));
  const auto role = document.root().only_child(kNsMetadata, "SPSSODescriptor");
  ASSERT_TRUE(role);
  EXPECT_EQ(role->attribute("AuthnRequestsSigned"), "false");
  EXPECT_EQ(role->attribute("WantAssertionsSigned"), "true");
  for (const char* name : {"KeyDescriptor", "SingleLogoutService", "NameIDFormat",
                           "AttributeConsumingService"}) {
    EXPECT_EQ(role->count_children(kNsMetadata, name), 0u) << name;
  }
}

TEST(SpMetadata, IsValidAgainstTheSchema) {
  if (!testing::has_schemas()) GTEST_SKIP() << "no SAML schemas on this machine";
  SpMetadata nameless = full();
  nameless.service_name.clear();
  for (const SpMetadata& sp : {small(), full(), nameless}) {
    const std::string document = sp_metadata_document(sp, "_0123456789abcdef");
    EXPECT_EQ(testing::schema_errors(document, "saml-schema-metadata-2.0.xsd"), "") << document;
  }
}

TEST(SpMetadata, CanBeSigned) {
  xml::initialize_parser();
  ASSERT_TRUE(xml::initialize_signing().ok());
  const testing::Identity& identity = testing::rsa_identity();
  const auto signed_document = xml::sign_enveloped(sp_metadata_document(full(), "_id"),
                                                   identity.key, identity.certificate);
  ASSERT_TRUE(signed_document.ok()) << signed_document.error().detail;
  const auto document = parse(*signed_document);
  const std::vector<xml::Certificate> keys = {identity.certificate};
  const xml::SignatureVerifier verifier(keys, xml::AlgorithmSet::defaults());
  const auto verified = verifier.verify(document.root(), xml::metadata_limits(64 * 1024));
  EXPECT_TRUE(verified.ok()) << verified.error().detail;
  if (testing::has_schemas()) {
    EXPECT_EQ(testing::schema_errors(*signed_document, "saml-schema-metadata-2.0.xsd"), "");
  }
}

}  // namespace
}  // namespace sallyport::saml
