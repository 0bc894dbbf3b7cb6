#include "xml/decryption.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decryption_fixture.h"
#include "xml/ciphers.h"

namespace sallyport::test {
namespace {

using ::testing::HasSubstr;
using xml::DataCipher;
using xml::Decrypter;
using xml::DecryptionKey;
using xml::EncryptionSet;
using xml::KeyTransport;

struct Cipher {
  const char* uri;  // without namespace
  const char* name;
  std::size_t size;
  bool is_default;
};
const Cipher kCiphers[] = {
    {"2009/xmlenc11#aes128-gcm", "AES-128-GCM", 16, true},
    {"2009/xmlenc11#aes192-gcm", "AES-192-GCM", 24, false},
    {"2009/xmlenc11#aes256-gcm", "AES-256-GCM", 32, true},
    {"2001/04/xmlenc#aes128-cbc", "AES-128-CBC", 16, false},
    {"2001/04/xmlenc#aes192-cbc", "AES-192-CBC", 24, false},
    {"2001/04/xmlenc#aes256-cbc", "AES-256-CBC", 32, false},
};

Encryption with(const Cipher& cipher) {
  return Encryption::with("http://www.w3.org/" + std::string(cipher.uri), cipher.name, cipher.size);
}

KeyWrapping rsa15() {
  KeyWrapping key;
  key.method = std::string(xml::kRsa15Uri);
  return key;
}

KeyWrapping oaep(const std::string& method, const std::string& digest,
                 const std::string& digest_uri, const std::string& mask,
                 const std::string& mask_uri) {
  KeyWrapping key;
  key.method = method;
  key.digest = digest;
  key.digest_uri = digest_uri;
  key.mask = mask;
  key.mask_uri = mask_uri;
  return key;
}

TEST(Decryption, OpensEveryCipherThatIsAllowed) {
  for (const Cipher& cipher : kCiphers) {
    const std::string text = encrypted(kPlain, with(cipher));
    EXPECT_EQ(xmlsec_decrypts(text, rsa_key()), kPlain) << cipher.name;
    EXPECT_EQ(open(text), cipher.is_default ? "secret" : "algorithm_not_allowed") << cipher.name;
    EXPECT_EQ(open(text, everything()), "secret") << cipher.name;
  }
}

TEST(Decryption, OpensWhatXmlsecEncrypts) {
  for (const Cipher& cipher : kCiphers) {
    for (const std::string_view transport : {xml::kRsaOaepMgf1p, xml::kRsa15Uri}) {
      const std::string text =
          encrypted_by_xmlsec(kPlain, with(cipher), std::string(transport), rsa_key());
      ASSERT_NE(text, "") << cipher.name;
      EXPECT_EQ(open(text, everything()), "secret") << cipher.name << " " << transport;
      EXPECT_EQ(open_with(keys_of({other_rsa_key()}), text, everything()), "decryption_failed");
    }
  }
}

TEST(Decryption, OpensOaepWithEveryDigestAndMask) {
  const std::string v11{xml::kRsaOaep11};
  const std::string mgf1p{xml::kRsaOaepMgf1p};
  const std::string sha256 = kXenc + "sha256";
  const std::string sha512 = kXenc + "sha512";
  KeyWrapping labelled;
  labelled.label = "a label";
  const KeyWrapping wrappings[] = {
      oaep(mgf1p, "", kDsig + "sha1", "", ""),
      oaep(mgf1p, "SHA256", sha256, "", ""),
      oaep(mgf1p, "SHA512", sha512, "", ""),
      oaep(v11, "", "", "", ""),
      oaep(v11, "SHA256", sha256, "", ""),
      oaep(v11, "SHA256", sha256, "SHA256", kXenc11 + "mgf1sha256"),
      oaep(v11, "SHA384", "http://www.w3.org/2001/04/xmldsig-more#sha384", "SHA384",
           kXenc11 + "mgf1sha384"),
      oaep(v11, "SHA512", sha512, "SHA512", kXenc11 + "mgf1sha512"),
      oaep(v11, "SHA256", sha256, "SHA1", kXenc11 + "mgf1sha1"),
      labelled};
  for (const KeyWrapping& each : wrappings) {
    EXPECT_EQ(open(encrypted(kPlain, with(each))), "secret") << each.digest << " " << each.mask;
  }
}

// What is said of digest, mask and label must be what was done.
TEST(Decryption, RefusesOaepWithOtherParametersThanSaid) {
  const std::string v11{xml::kRsaOaep11};
  const std::string sha256 = kXenc + "sha256";
  const KeyWrapping wrappings[] = {
      oaep(v11, "", sha256, "", ""), oaep(v11, "SHA256", "", "", ""),
      oaep(v11, "", "", "SHA256", ""), oaep(v11, "", "", "", kXenc11 + "mgf1sha256"),
      oaep(std::string(xml::kRsaOaepMgf1p), "", "", "SHA256", "")};
  for (const KeyWrapping& each : wrappings) {
    EXPECT_EQ(open(encrypted(kPlain, with(each))), "decryption_failed");
  }
  KeyWrapping labelled;
  labelled.label = "a label";
  const std::string text = encrypted(kPlain, with(labelled));
  const std::string label = "<xenc:OAEPparams>" + base64_encode("a label") + "</xenc:OAEPparams>";
  EXPECT_EQ(open(replaced(text, label, "")), "decryption_failed");
  const std::string other = "<xenc:OAEPparams>" + base64_encode("b label") + "</xenc:OAEPparams>";
  EXPECT_EQ(open(replaced(text, label, other)), "decryption_failed");
}

TEST(Decryption, TakesRsa15OnlyWhenNamed) {
  const std::string text = encrypted(kPlain, with(rsa15()));
  EXPECT_EQ(xmlsec_decrypts(text, rsa_key()), kPlain);
  std::string detail;
  EXPECT_EQ(open(text, EncryptionSet::defaults(), &detail), "algorithm_not_allowed");
  EXPECT_THAT(detail, HasSubstr("rsa-1_5"));
  EXPECT_EQ(open(text, everything()), "secret");
}

// Bleichenbacher: a wrong padding gives a key all the same, another one for each message, and the
// same one each time.
TEST(Decryption, Rsa15NeverTellsOfWrongPadding) {
  const xml::PrivateKey key = private_key_of(rsa_key());
  xml::WrappedKey wrapped;
  wrapped.transport = KeyTransport::kRsa15;
  const auto unwrapped = [&](std::string block) {
    block.resize(256, 'k');
    const CPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new(rsa_key(), nullptr));
    EVP_PKEY_encrypt_init(context.get());
    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING);
    std::size_t size = 256;
    wrapped.value.assign(size, '\0');
    EXPECT_EQ(EVP_PKEY_encrypt(context.get(),
                               reinterpret_cast<unsigned char*>(wrapped.value.data()), &size,
                               reinterpret_cast<const unsigned char*>(block.data()), 256), 1);
    return xml::unwrap_key(wrapped, key, 32);
  };
  const auto padded = [](char first, char second, std::string padding, char zero) {
    return std::string{first, second} + padding + zero;
  };
  const std::string full(221, 'p');
  const std::string good = padded(0, 2, full, 0);
  EXPECT_EQ(unwrapped(good), std::string(32, 'k'));
  const std::string bad[] = {
      padded(1, 2, full, 0),                                    // no leading zero
      padded(0, 1, full, 0),                                    // another block type
      padded(0, 2, full, 1),                                    // no zero before the key
      padded(0, 2, full.substr(1) + '\0', 0),                   // a key that is one byte longer
      padded(0, 2, '\0' + full.substr(1), 0),                   // an early zero
      padded(0, 2, full.substr(16) + '\0' + std::string(15, 'p'), 0),  // a longer key
      padded(0, 0, std::string(221, '\0'), 0),
  };
  std::vector<std::string> seen{std::string(32, 'k')};
  for (const std::string& block : bad) {
    const std::string secret = unwrapped(block);
    EXPECT_EQ(secret.size(), 32u);
    EXPECT_EQ(secret, unwrapped(block));
    EXPECT_EQ(std::count(seen.begin(), seen.end(), secret), 0);
    seen.push_back(secret);
  }
}

TEST(Decryption, TriesAllRsaKeys) {
  const std::string text = encrypted(kPlain);
  EXPECT_EQ(open_with(keys_of({ec_key(), other_rsa_key(), rsa_key()}), text), "secret");
  EXPECT_EQ(open_with(keys_of({other_rsa_key(), rsa_key()}), encrypted(kPlain, with(rsa15())),
                      everything()), "secret");
  std::string detail;
  EXPECT_EQ(open_with(keys_of({other_rsa_key()}), text, everything(), &detail),
            "decryption_failed");
  EXPECT_EQ(open_with(keys_of({ec_key()}), text, everything(), &detail), "decryption_failed");
  EXPECT_THAT(detail, HasSubstr("names no RSA key"));
}

TEST(Decryption, FindsItsKeyAmongSeveralRecipients) {
  for (const bool beside : {false, true}) {
    Encryption how;
    how.keys = {to(other_rsa_key()), KeyWrapping()};
    how.keys_beside = beside;
    EXPECT_EQ(open(encrypted(kPlain, how)), "secret");
    how.keys = {to(other_rsa_key()), to(other_rsa_key()), to(other_rsa_key()), KeyWrapping()};
    EXPECT_EQ(open(encrypted(kPlain, how)), "secret");
    how.keys.insert(how.keys.begin(), to(other_rsa_key()));
    EXPECT_EQ(open(encrypted(kPlain, how)), "xml_limits");
  }
}

// Four private-key operations at the most, of which a certificate in the message saves most.
TEST(Decryption, BoundsPrivateKeyOperations) {
  std::vector<DecryptionKey> keys = keys_of({other_rsa_key(), other_rsa_key(), rsa_key()});
  Encryption how;
  how.keys = {to(other_rsa_key()), KeyWrapping()};
  how.keys[0].digest = "SHA256";  // cannot be opened
  EXPECT_EQ(open_with(keys, encrypted(kPlain, how)), "decryption_failed");
  how.keys[1].key_info = certificate_hint(rsa_key());
  EXPECT_EQ(open_with(keys, encrypted(kPlain, how)), "secret");

  // Longer keys are slower: two with those of more than 3,072 bits.
  static const Key long_key = make_rsa(3200);
  static const Key other_long_key = make_rsa(3200);
  for (const std::size_t others : {1u, 2u}) {
    Encryption long_one;
    long_one.keys.assign(others, to(other_long_key.get()));
    long_one.keys.push_back(to(long_key.get()));
    EXPECT_EQ(open_with(keys_of({long_key.get()}), encrypted(kPlain, long_one)),
              others == 1 ? "secret" : "decryption_failed");
  }

  // Half of it, and one always, where the message itself is long.
  for (const std::size_t others : {0u, 1u}) {
    Encryption long_one;
    long_one.keys.assign(others, to(other_long_key.get()));
    long_one.keys.push_back(to(long_key.get()));
    const std::vector<DecryptionKey> one_key = keys_of({long_key.get()});
    const auto document = xml::Document::parse(encrypted(kPlain, long_one), xml::Limits());
    Decrypter decrypter(one_key, EncryptionSet::defaults(), xml::Limits());
    decrypter.expect(*document, 96 * 1024 + 1);
    EXPECT_EQ(decrypter.decrypt(document->root()).ok(), others == 0);
  }

  // All parts of a message together.
  Decrypter decrypter(keys, EncryptionSet::defaults(), xml::Limits());
  const auto document = xml::Document::parse(encrypted(kPlain), xml::Limits());
  EXPECT_TRUE(decrypter.decrypt(document->root()).ok());
  EXPECT_FALSE(decrypter.decrypt(document->root()).ok());
}

// So many elements, or attributes, or names with so many namespaces in scope.
std::string holding(const char* what, std::size_t count) {
  const std::string_view kind = what;
  std::string all = kind == "look-ups" ? "<a xmlns:p='urn:p' xmlns:q='urn:q' xmlns:r='urn:r' xmlns:s='urn:s'>" : "<a>";
  for (std::size_t i = 0; i < count; ++i) all += kind == "attributes" ? "<b c=''/>" : "<b/>";
  return all + "</a>";
}

// The reason word for a message that holds `outer` and, encrypted, `plain`, or "" when it can be opened.
std::string opened_beside(const std::string& outer, const std::string& plain, std::size_t spoilt_keys,
                          const xml::Limits& limits) {
  Encryption how;
  how.keys.assign(spoilt_keys, KeyWrapping());
  for (KeyWrapping& key : how.keys) key.digest = "SHA256";
  how.keys.emplace_back();
  static const Key long_key = make_rsa(3072);
  for (KeyWrapping& key : how.keys) key.recipient = long_key.get();
  const std::vector<DecryptionKey> keys = keys_of({long_key.get()});
  const std::string text = "<m>" + outer + encrypted(plain, how) + "</m>";
  const auto document = xml::Document::parse(text, xml::Limits());
  Decrypter decrypter(keys, EncryptionSet::defaults(), limits);
  decrypter.expect(*document, text.size());
  std::optional<xml::Element> holder;
  for (const xml::Element child : document->root().children()) holder = child;
  const auto inside = decrypter.decrypt(*holder);
  return inside.ok() ? "" : std::string(reason_word(inside.error().reason));
}

// Three eighths of what a message may have, one where its key was found late, and one around it.
TEST(Decryption, PlaintextsHaveAShareOfTheLimits) {
  for (const char* what : {"elements", "attributes", "look-ups"}) {
    SCOPED_TRACE(what);
    // Around the plaintext are less than a hundred of each.
    const std::string kind = what;
    xml::Limits limits;
    limits.elements = kind == "elements" ? 4000 : 100'000;
    limits.attributes = kind == "look-ups" ? 100'000 : 4000;
    limits.namespace_lookups = kind == "look-ups" ? 4 * 4000 : 1'000'000;
    EXPECT_EQ(opened_beside("", holding(what, 1400), 0, limits), "");
    EXPECT_EQ(opened_beside("", holding(what, 1600), 0, limits), "decryption_failed");
    // Whatever stands around it: nobody finds out how much there is inside.
    EXPECT_EQ(opened_beside(holding(what, 400), holding(what, 1400), 0, limits), "");
    EXPECT_EQ(opened_beside(holding(what, 600), holding(what, 1), 0, limits), "xml_limits");
    // Two operations are the usual effort, three are more.
    EXPECT_EQ(opened_beside("", holding(what, 1400), 1, limits), "");
    EXPECT_EQ(opened_beside("", holding(what, 600), 2, limits), "decryption_failed");
    EXPECT_EQ(opened_beside("", holding(what, 400), 2, limits), "");
  }
}

// An authenticated plaintext was meant for us, and no other key needs to be tried.
TEST(Decryption, ARefusedPlaintextEndsTheSearch) {
  Encryption how;
  how.keys.assign(2, KeyWrapping());
  const std::string text = encrypted("<a ID='_1'><b ID='_1'/></a>", how);
  const std::vector<DecryptionKey> keys = keys_of({rsa_key()});
  const auto document = xml::Document::parse(text, xml::Limits());
  Decrypter decrypter(keys, EncryptionSet::defaults(), xml::Limits());
  EXPECT_FALSE(decrypter.decrypt(document->root()).ok());
  // Three operations are left, of four.
  const auto good = xml::Document::parse(encrypted(kPlain), xml::Limits());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(decrypter.decrypt(good->root()).ok()) << i;
  EXPECT_FALSE(decrypter.decrypt(good->root()).ok());
}

// Wherever a byte of the ciphertext is changed, the one answer is the same.
TEST(Decryption, AllFailuresLookTheSame) {
  std::string first;
  for (const Cipher& cipher : kCiphers) {
    const std::string text = encrypted(kPlain, with(cipher));
    const std::size_t value = text.rfind("<xenc:CipherValue>") + 18;
    const std::string bytes = *base64_decode(text.substr(value, text.find('<', value) - value));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ 0x81);
      std::string detail;
      const std::string got = open(
          text.substr(0, value) + base64_encode(changed) + text.substr(text.find('<', value)),
          everything(), &detail);
      // A changed IV of CBC changes the first block, whose text may stay well-formed.
      if (!xml::is_authenticated(*xml::data_cipher_by_uri(with(cipher).cipher)) &&
          got != "decryption_failed") {
        continue;
      }
      EXPECT_EQ(got, "decryption_failed") << cipher.name << " byte " << i;
      if (first.empty()) first = detail;
      EXPECT_EQ(detail, first);
    }
    for (const std::size_t size : {std::size_t{1}, std::size_t{11}, std::size_t{12}, std::size_t{16},
                                   std::size_t{28}, bytes.size() - 1, bytes.size() - 16}) {
      const std::string cut = text.substr(0, value) + base64_encode(bytes.substr(0, size)) +
                              text.substr(text.find('<', value));
      EXPECT_EQ(open(cut, everything()), "decryption_failed") << cipher.name << " " << size;
    }
  }
}

TEST(Decryption, PlaintextGoesThroughTheGates) {
  const std::string deep = [] {
    std::string text;
    for (int i = 0; i < 40; ++i) text = "<a>" + text + "</a>";
    return text;
  }();
  const std::string plains[] = {
      "", "text", "<a/><b/>", "<a/>junk", "<!DOCTYPE a><a/>", "<a>&lt;", "<a><!-- c --></a>",
      "<a xmlns=\"rel\"/>", "<p:a/>", std::string("<a/>\0", 5), "<a ID=\"_x\"><b ID=\"_x\"/></a>",
      "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>", deep};
  for (const std::string& plain : plains) {
    EXPECT_EQ(open(encrypted(plain)), "decryption_failed") << plain.substr(0, 40);
  }
  EXPECT_EQ(open(encrypted("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>b</a>\n")), "b");
}

// Prefixes that are declared around the EncryptedData only, as XML Encryption allows.
TEST(Decryption, PlaintextStandsInItsContext) {
  const auto around = [](const std::string& declarations, const std::string& plain) {
    return "<r" + declarations + " xmlns:saml=\"urn:far\">" + encrypted(plain) + "</r>";
  };
  const auto inside = [](const std::string& text) -> std::string {
    const auto document = xml::Document::parse(text, xml::Limits());
    if (!document.ok()) return document.error().detail;
    const std::vector<DecryptionKey> keys = keys_of({rsa_key()});
    Decrypter decrypter(keys, EncryptionSet::defaults(), xml::Limits());
    const auto plain = decrypter.decrypt(*document->root().children().begin());
    if (!plain.ok()) return std::string(reason_word(plain.error().reason));
    const xml::Element root = plain->root();
    return std::string(root.namespace_uri()) + " " + std::string(root.attribute("a").value_or("")) +
           std::string(root.text().value_or("?"));
  };
  const std::string saml(xml::kNsSaml);
  EXPECT_EQ(inside(around("", "<saml:a>b</saml:a>")), saml + " b");
  EXPECT_EQ(inside(around("", "<?xml version=\"1.0\"?>\n<saml:a a=\"1\"/>")), saml + " 1");
  EXPECT_EQ(inside(around("", "<saml:a/>")), saml + " ");
  EXPECT_EQ(inside(around("", "<saml:a xmlns:saml=\"urn:own\">b</saml:a>")), "urn:own b");
  EXPECT_EQ(inside(around("", "<a xmlns=\"urn:own\">b</a>")), "urn:own b");
  EXPECT_EQ(inside(around(" xmlns:p=\"urn:p\"", "<p:a>b</p:a>")), "urn:p b");
  EXPECT_EQ(inside(around("", "<a>b</a>")), " b");
  EXPECT_EQ(inside(around("", "<q:a>b</q:a>")), "decryption_failed");
  EXPECT_EQ(inside(around("", "<saml:a/><saml:a/>")), "decryption_failed");
  EXPECT_EQ(inside(around("", "saml:a")), "decryption_failed");
  EXPECT_EQ(inside(around("", "<saml:a")), "decryption_failed");
  EXPECT_EQ(inside(around("", "<saml:a b='>' xmlns:saml='urn:x'/>")), "decryption_failed");
  EXPECT_EQ(inside(around("", "<a><saml:b/></a>")), "decryption_failed");
}

TEST(Decryption, FindsSharedIds) {
  const auto document = [](const char* text) {
    return std::move(xml::Document::parse(text, xml::Limits())).value();
  };
  const auto one = document("<a ID=\"_1\"><b ID=\"_2\"/></a>");
  EXPECT_FALSE(share_ids(one, document("<a ID=\"_3\"><b/></a>")));
  EXPECT_FALSE(share_ids(one, document("<a Name=\"_1\"/>")));
  EXPECT_TRUE(share_ids(one, document("<a><b ID=\"_2\"/></a>")));
  EXPECT_TRUE(share_ids(one, document("<k:a xmlns:k=\"http://www.w3.org/2001/04/xmlenc#\" Id=\"_1\"/>")));
}

}  // namespace
}  // namespace sallyport::test
