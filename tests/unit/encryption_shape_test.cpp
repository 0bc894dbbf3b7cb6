#include "xml/encryption_shape.h"

#include <gtest/gtest.h>

#include "decryption_fixture.h"

namespace sallyport::test {
namespace {

TEST(EncryptionShape, TakesEveryPlaceOfTheKey) {
  const std::string retrieval =
      "<ds:RetrievalMethod Type=\"" + kXenc + "EncryptedKey\" URI=\"#_key\"/>";
  KeyWrapping key;
  key.attributes = " Id=\"_key\" Recipient=\"https://app.example.com/saml/metadata\"";
  key.key_info = certificate_hint(rsa_key());
  key.behind = "<xenc:ReferenceList><xenc:DataReference URI=\"#_data\"/></xenc:ReferenceList>";
  Encryption beside = with(key);
  beside.keys_beside = true;
  beside.attributes += " Id=\"_data\"";
  EXPECT_EQ(open(encrypted(kPlain, beside)), "secret");
  beside.key_info = retrieval;
  EXPECT_EQ(open(encrypted(kPlain, beside)), "secret");

  Encryption inside = with(key);
  inside.attributes = " Id=\"_data\" MimeType=\"text/xml\"";
  inside.key_info = "<ds:KeyName>k</ds:KeyName>";
  EXPECT_EQ(open(encrypted(kPlain, inside)), "secret");
  inside.keys[0].behind += "<xenc:CarriedKeyName>k</xenc:CarriedKeyName>";
  EXPECT_EQ(open(encrypted(kPlain, inside)), "secret");
  inside.method_children = "<xenc:KeySize>256</xenc:KeySize>";
  EXPECT_EQ(open(encrypted(kPlain, inside)), "secret");
}

struct Edit {
  const char* name;
  std::string from;
  std::string to;
  std::string reason = "structure_invalid";
};

TEST(EncryptionShape, RefusesOtherShapes) {
  Encryption how;
  how.attributes += " Id=\"_data\"";
  how.keys[0].attributes = " Id=\"_key\"";
  how.keys[0].key_info = certificate_hint(rsa_key());
  how.key_info = "<ds:KeyName>k</ds:KeyName>";
  how.keys[0].behind = "<xenc:CarriedKeyName>k</xenc:CarriedKeyName>";
  const std::string good = encrypted(kPlain, how);
  ASSERT_EQ(open(good), "secret");
  const std::string data_method =
      "<xenc:EncryptionMethod Algorithm=\"" + how.cipher + "\"></xenc:EncryptionMethod>";
  const std::string key_method = "<xenc:EncryptionMethod Algorithm=\"" +
                                 std::string(xml::kRsaOaepMgf1p) + "\"></xenc:EncryptionMethod>";
  const std::string end = "</saml:EncryptedAssertion>";
  const std::string reference = "<xenc:CipherData><xenc:CipherReference URI=\"#_x\"/></xenc:CipherData>";
  const Edit edits[] = {
      {"NoMethod", data_method, ""},
      {"NoKeyMethod", key_method, ""},
      {"MethodTwice", data_method, data_method + data_method},
      {"NoAlgorithm", " Algorithm=\"" + how.cipher + "\"", ""},
      {"UnknownAlgorithm", "aes256-gcm", "aes256-ecb", "algorithm_not_allowed"},
      {"TripleDes", how.cipher, kXenc + "tripledes-cbc", "algorithm_not_allowed"},
      {"UnknownTransport", "rsa-oaep-mgf1p", "kw-aes128", "algorithm_not_allowed"},
      {"KeySizeLie", data_method,
       replaced(data_method, "></", "><xenc:KeySize>128</xenc:KeySize></")},
      {"MethodChild", data_method, replaced(data_method, "></", "><xenc:Other/></")},
      {"MgfOfOtherUri", key_method,
       replaced(key_method, "></", "><x:MGF xmlns:x=\"" + kXenc11 + "\" Algorithm=\"" + kXenc11 +
                                       "mgf1sha1\"/></")},
      {"UnknownDigest", key_method,
       replaced(key_method, "></", "><ds:DigestMethod Algorithm=\"" + kDsig + "md5\"/></"),
       "algorithm_not_allowed"},
      {"EmptyLabel", key_method, replaced(key_method, "></", "><xenc:OAEPparams/></")},
      {"Content", "xmlenc#Element", "xmlenc#Content"},
      {"Encoding", " Id=\"_data\"", " Encoding=\"http://www.w3.org/2000/09/xmldsig#base64\""},
      {"KeyType", " Id=\"_key\"", " Type=\"" + kXenc + "Element\""},
      {"CipherReference", good.substr(good.rfind("<xenc:CipherData>"),
                                      good.rfind("</xenc:EncryptedData>") -
                                          good.rfind("<xenc:CipherData>")), reference},
      {"KeyCipherReference", good.substr(good.find("<xenc:CipherData>"),
                                         good.find("<xenc:CarriedKeyName>") -
                                             good.find("<xenc:CipherData>")), reference},
      {"NotBase64", "<xenc:CipherValue>", "<xenc:CipherValue>*"},
      {"ElementInValue", "<xenc:CipherValue>", "<xenc:CipherValue><xenc:x/>"},
      {"ValueTwice", "<xenc:CipherData>",
       "<xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue>"},
      {"TextBetween", "<xenc:CipherData>", "text<xenc:CipherData>"},
      {"CarriedKeyName", "<ds:KeyName>k<", "<ds:KeyName>j<"},
      {"KeyInKey", "<ds:X509Data>", "<xenc:EncryptedKey/><ds:X509Data>"},
      {"RetrievalInKey", "<ds:X509Data>", "<ds:RetrievalMethod URI=\"#_key\"/><ds:X509Data>"},
      {"AgreementInKey", "<ds:X509Data>", "<xenc:AgreementMethod/><ds:X509Data>"},
      {"RetrievalOfNothing", "<ds:KeyName>", "<ds:RetrievalMethod URI=\"#_no\"/><ds:KeyName>"},
      {"RetrievalOfInside", "<ds:KeyName>", "<ds:RetrievalMethod URI=\"#_key\"/><ds:KeyName>"},
      {"RetrievalByUrl", "<ds:KeyName>",
       "<ds:RetrievalMethod URI=\"http://127.0.0.1/key\"/><ds:KeyName>"},
      {"EncryptionProperties", "</xenc:EncryptedData>",
       "<xenc:EncryptionProperties/></xenc:EncryptedData>"},
      {"TwoData", end, good.substr(good.find("<xenc:EncryptedData"),
                                   good.rfind(end) - good.find("<xenc:EncryptedData")) + end,
       "outer"},
      {"OtherBeside", end, "<saml:Assertion/>" + end},
      {"TextBeside", end, "text" + end},
  };
  for (const Edit& edit : edits) {
    std::string got = open(replaced(good, edit.from, edit.to), everything());
    EXPECT_EQ(got.substr(0, edit.reason.size()), edit.reason) << edit.name;
  }
  EXPECT_EQ(open("<saml:EncryptedAssertion xmlns:saml=\"urn:x\"/>"), "structure_invalid");
  Encryption none;
  none.keys.clear();
  EXPECT_EQ(open(encrypted(kPlain, none)), "structure_invalid");
}

TEST(EncryptionShape, RefusesRetrievalWithTransforms) {
  KeyWrapping key;
  key.attributes = " Id=\"_key\"";
  Encryption how = with(key);
  how.keys_beside = true;
  how.key_info = "<ds:RetrievalMethod URI=\"#_key\"><ds:Transforms/></ds:RetrievalMethod>";
  EXPECT_EQ(open(encrypted(kPlain, how)), "structure_invalid");
  how.key_info = "<ds:RetrievalMethod URI=\"#_key\" Type=\"" + kDsig + "X509Data\"/>";
  EXPECT_EQ(open(encrypted(kPlain, how)), "structure_invalid");
}

}  // namespace
}  // namespace sallyport::test
