#include "xml/encryption_algorithms.h"

#include <gtest/gtest.h>

namespace sallyport::xml {
namespace {

TEST(EncryptionAlgorithms, AreKnownByNameAndUri) {
  for (const char* name : {"aes128-gcm", "aes192-gcm", "aes256-gcm", "aes128-cbc", "aes192-cbc",
                           "aes256-cbc"}) {
    const auto cipher = data_cipher_by_name(name);
    ASSERT_TRUE(cipher) << name;
    EXPECT_EQ(name_of(*cipher), name);
    EXPECT_EQ(data_cipher_by_uri(uri_of(*cipher)), cipher);
    EXPECT_EQ(data_cipher_by_name(uri_of(*cipher)), cipher);
    EXPECT_EQ(std::to_string(8 * key_size(*cipher)), std::string(name).substr(3, 3));
    EXPECT_EQ(is_authenticated(*cipher), std::string(name).find("gcm") != std::string::npos);
  }
  for (const char* name : {"rsa-oaep", "rsa-1_5"}) {
    const auto transport = key_transport_by_name(name);
    ASSERT_TRUE(transport) << name;
    EXPECT_EQ(name_of(*transport), name);
    EXPECT_EQ(key_transport_by_name(std::string("http://www.w3.org/2001/04/xmlenc#") +
                                    (*transport == KeyTransport::kRsa15 ? "rsa-1_5"
                                                                        : "rsa-oaep-mgf1p")),
              transport);
  }
  EXPECT_EQ(key_transport_by_uri("http://www.w3.org/2009/xmlenc11#rsa-oaep"),
            KeyTransport::kRsaOaep);
  for (const char* name : {"", "aes", "AES128-GCM", "tripledes-cbc", "rsa", "aes128-gcm ",
                           "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"}) {
    EXPECT_FALSE(data_cipher_by_name(name) || key_transport_by_name(name)) << name;
  }
}

TEST(EncryptionSet, HoldsTheSafeOnesByDefault) {
  const EncryptionSet set = EncryptionSet::defaults();
  EXPECT_TRUE(set.has(DataCipher::kAes128Gcm) && set.has(DataCipher::kAes256Gcm));
  EXPECT_TRUE(set.has(KeyTransport::kRsaOaep));
  for (const DataCipher cipher : {DataCipher::kAes192Gcm, DataCipher::kAes128Cbc,
                                  DataCipher::kAes192Cbc, DataCipher::kAes256Cbc}) {
    EXPECT_FALSE(set.has(cipher)) << name_of(cipher);
  }
  EXPECT_FALSE(set.has(KeyTransport::kRsa15));
}

TEST(EncryptionSet, AKindThatIsNotNamedKeepsItsDefaults) {
  EncryptionSet set;
  set.add(DataCipher::kAes256Cbc);
  EXPECT_TRUE(set.or_defaults().has(KeyTransport::kRsaOaep));
  EXPECT_FALSE(set.or_defaults().has(DataCipher::kAes256Gcm));
  EncryptionSet transport;
  transport.add(KeyTransport::kRsa15);
  EXPECT_TRUE(transport.or_defaults().has(DataCipher::kAes256Gcm));
  EXPECT_FALSE(transport.or_defaults().has(KeyTransport::kRsaOaep));
}

TEST(EncryptionSet, TellsWhatTwoHaveInCommon) {
  EncryptionSet other;
  other.add(DataCipher::kAes256Gcm);
  other.add(DataCipher::kAes256Cbc);
  other.add(KeyTransport::kRsa15);
  const EncryptionSet both = EncryptionSet::defaults().common(other);
  EXPECT_TRUE(both.has(DataCipher::kAes256Gcm));
  EXPECT_FALSE(both.has(DataCipher::kAes128Gcm) || both.has(DataCipher::kAes256Cbc));
  EXPECT_FALSE(both.has(KeyTransport::kRsa15) || both.has(KeyTransport::kRsaOaep));
}

}  // namespace
}  // namespace sallyport::xml
