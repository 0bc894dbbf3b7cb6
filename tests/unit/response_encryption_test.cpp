#include <gtest/gtest.h>

#include "encryption_test_util.h"
#include "response_builder.h"
#include "saml/response.h"

namespace sallyport::saml {
namespace {

using test::encrypted;
using test::Encryption;
using testing::ResponseBuilder;
using testing::Signed;

const std::vector<xml::DecryptionKey>& keys() {
  static const std::vector<xml::DecryptionKey> all = {
      {testing::ec_identity().key, testing::ec_identity().certificate},
      {testing::rsa_identity().key, testing::rsa_identity().certificate}};
  return all;
}

Result<VerifiedResponse> read(const std::string& document,
                              RequireSigned require = RequireSigned::kAny,
                              bool require_encrypted = false) {
  static const std::vector<xml::Certificate> certificates = {testing::ec_identity().certificate};
  SignatureRules rules;
  rules.certificates = &certificates;
  rules.require = require;
  EncryptionRules encryption;
  encryption.keys = &keys();
  encryption.require = require_encrypted;
  return read_response(document, rules, xml::message_limits(256 * 1024), encryption);
}

std::string word(const Result<VerifiedResponse>& response) {
  return response.ok() ? "accepted" : std::string(reason_word(response.error().reason));
}

// The builder's message with its assertion encrypted, signed as the builder says.
std::string hidden(const ResponseBuilder& builder) {
  return builder.around(encrypted(builder.signed_assertion()));
}
std::string hidden(Signed sign) { return hidden(ResponseBuilder().with_signatures(sign)); }

TEST(EncryptedResponse, IsReadAsIfItWerePlain) {
  for (const Signed sign : {Signed::kResponse, Signed::kAssertion, Signed::kBoth}) {
    const auto response = read(hidden(sign));
    ASSERT_TRUE(response.ok()) << response.error().detail;
    EXPECT_EQ(response->assertion.name_id->value, "jane");
    EXPECT_EQ(response->assertion.attributes.size(), 2u);
    EXPECT_EQ(response->header.is_signed, sign != Signed::kAssertion);
    EXPECT_EQ(word(read(hidden(sign), RequireSigned::kAny, true)), "accepted");
    EXPECT_EQ(word(read(ResponseBuilder().with_signatures(sign).build(), RequireSigned::kAny, true)),
              "encryption_missing");
  }
}

TEST(EncryptedResponse, MustBeSigned) {
  const auto unsigned_one = read(hidden(Signed::kNone));
  EXPECT_EQ(word(unsigned_one), "decryption_failed");
  EXPECT_EQ(unsigned_one.error().detail, xml::decryption_failed().detail);
  struct Row {
    Signed sign;
    RequireSigned require;
    const char* word;
  };
  const Row rows[] = {
      {Signed::kResponse, RequireSigned::kResponse, "accepted"},
      {Signed::kResponse, RequireSigned::kAssertion, "signature_missing"},
      {Signed::kResponse, RequireSigned::kBoth, "signature_missing"},
      {Signed::kAssertion, RequireSigned::kResponse, "signature_missing"},
      {Signed::kAssertion, RequireSigned::kAssertion, "accepted"},
      {Signed::kAssertion, RequireSigned::kBoth, "signature_missing"},
      {Signed::kBoth, RequireSigned::kResponse, "accepted"},
      {Signed::kBoth, RequireSigned::kAssertion, "accepted"},
      {Signed::kBoth, RequireSigned::kBoth, "accepted"},
      {Signed::kNone, RequireSigned::kResponse, "signature_missing"},
  };
  for (const Row& row : rows) EXPECT_EQ(word(read(hidden(row.sign), row.require)), row.word);
}

// Whatever is wrong with what is inside is told in the same words.
TEST(EncryptedResponse, FailuresInsideLookTheSame) {
  ResponseBuilder other_signer;
  other_signer.assertion_signer = &testing::other_rsa_identity();
  ResponseBuilder outer_id;
  outer_id.edit("ID=\"_assertion\"", "ID=\"_response\"");
  ResponseBuilder advice;
  advice.edit("</saml:Conditions>", "</saml:Conditions><saml:Advice><saml:Assertion/></saml:Advice>");
  ResponseBuilder encrypted_advice;
  encrypted_advice.edit("</saml:Conditions>",
                        "</saml:Conditions><saml:Advice><saml:EncryptedAssertion/></saml:Advice>");
  for (const Signed sign : {Signed::kAssertion, Signed::kBoth}) {
    const std::string texts[] = {hidden(other_signer.with_signatures(sign)),
                                 hidden(outer_id.with_signatures(sign)),
                                 hidden(advice.with_signatures(sign)),
                                 hidden(encrypted_advice.with_signatures(sign)),
                                 ResponseBuilder().with_signatures(sign).around(encrypted("<a/>")),
                                 ResponseBuilder().with_signatures(sign).around(encrypted("text"))};
    for (const std::string& text : texts) {
      const auto response = read(text);
      EXPECT_EQ(word(response), "decryption_failed");
      EXPECT_EQ(response.error().detail, xml::decryption_failed().detail);
    }
  }
}

// The Response's signature is over the ciphertext, and checked before it is touched.
TEST(EncryptedResponse, IsVerifiedBeforeItIsDecrypted) {
  for (const Signed sign : {Signed::kResponse, Signed::kBoth}) {
    const std::string text = hidden(sign);
    EXPECT_EQ(word(read(test::replaced(text, "<xenc:EncryptedKey>",
                                       "<xenc:EncryptedKey Recipient=\"a\">"))),
              "signature_invalid");
    EXPECT_EQ(word(read(test::replaced(text, "aes256-gcm", "tripledes-cbc"))), "signature_invalid");
  }
}

TEST(EncryptedResponse, HoldsOneAssertion) {
  for (const Signed sign : {Signed::kResponse, Signed::kAssertion, Signed::kBoth}) {
    const auto builder = ResponseBuilder().with_signatures(sign);
    const std::string assertion = builder.signed_assertion();
    const std::string one = encrypted(assertion);
    for (const std::string& several : {one + one, one + assertion, assertion + one}) {
      EXPECT_EQ(word(read(builder.around(several))), "structure_invalid");
    }
  }
}

std::string name_id() {
  const std::string_view all = testing::kTestAssertion;
  const std::size_t from = all.find("<saml:NameID");
  return std::string(all.substr(from, all.find("</saml:NameID>") + 14 - from));
}

Encryption holder(const char* name) {
  Encryption how;
  how.holder = name;
  return how;
}

TEST(EncryptedParts, AreReadInsideOfASignedAssertion) {
  const std::string attribute = "<saml:Attribute Name=\"groups\"><saml:AttributeValue>admins"
                                "</saml:AttributeValue><saml:AttributeValue>users"
                                "</saml:AttributeValue></saml:Attribute>";
  for (const Signed sign : {Signed::kResponse, Signed::kAssertion, Signed::kBoth}) {
    ResponseBuilder builder;
    builder.sign = sign;
    builder.edit(name_id(), encrypted(name_id(), holder("saml:EncryptedID")));
    builder.edit(attribute, encrypted(attribute, holder("saml:EncryptedAttribute")));
    for (const std::string& text : {builder.build(), hidden(builder)}) {
      const auto response = read(text);
      ASSERT_TRUE(response.ok()) << response.error().detail;
      EXPECT_EQ(response->assertion.name_id->value, "jane");
      EXPECT_EQ(response->assertion.name_id->sp_name_qualifier, testing::kTestSp);
      ASSERT_EQ(response->assertion.attributes.size(), 2u);
      EXPECT_EQ(response->assertion.attributes[1].values,
                (std::vector<std::string>{"admins", "users"}));
    }
  }
}

TEST(EncryptedParts, AreWhatTheirNamesSay) {
  for (const char* plain : {"<saml:BaseID/>", "<NameID>jane</NameID>", "jane", ""}) {
    ResponseBuilder builder;
    builder.edit(name_id(), encrypted(plain, holder("saml:EncryptedID")));
    EXPECT_EQ(word(read(builder.build())), "decryption_failed") << plain;
  }
}

}  // namespace
}  // namespace sallyport::saml
