#include "saml/metadata_update.h"

#include <gtest/gtest.h>

#include "test_identity.h"
#include "xml/signing.h"

namespace sallyport::saml {
namespace {

using testing::ec_identity;
using testing::rsa_identity;

constexpr Millis kNow = 1795296660000;  // 2026-11-21T21:31:00Z

struct Document {
  std::string entity_id = "https://idp.example.org/metadata";
  std::string valid_until = "2026-12-01T00:00:00Z";
  std::string sso_url = "https://idp.example.org/sso";
  std::vector<std::string> keys = {rsa_identity().certificate.base64()};

  std::string xml() const {
    std::string out =
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" "
        "ID=\"_m\" entityID=\"" + entity_id + "\"";
    if (!valid_until.empty()) out += " validUntil=\"" + valid_until + "\"";
    out += "><md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">";
    for (const std::string& key : keys) {
      out += "<md:KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>" + key +
             "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>";
    }
    return out + "<md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"" + sso_url +
           "\"/></md:IDPSSODescriptor></md:EntityDescriptor>";
  }

  std::string signed_by(const testing::Identity& who) const { return *xml::sign_enveloped(xml(), who.key, who.certificate); }
};

class MetadataUpdate : public ::testing::Test {
 protected:
  MetadataUpdate() { expected_.now = kNow, expected_.max_bytes = 1 << 20; }

  IdpMetadata taken(const std::string& document) {
    auto idp = check_metadata(document, expected_);
    EXPECT_TRUE(idp.ok()) << idp.error().detail;
    return idp.ok() ? *idp : IdpMetadata();
  }
  std::string refused(const std::string& document) {
    const auto idp = check_metadata(document, expected_);
    if (idp.ok()) return "taken";
    EXPECT_EQ(idp.error().reason, Reason::kConfigInvalid);
    return idp.error().detail;
  }

  std::vector<xml::Certificate> signers_{ec_identity().certificate};
  MetadataExpectation expected_;
};

#define EXPECT_SAYS(text, part) EXPECT_NE(std::string(text).find(part), std::string::npos) << (text)

TEST_F(MetadataUpdate, TakesTheFirstOne) { EXPECT_EQ(taken(Document().xml()).entity_id, Document().entity_id); }

TEST_F(MetadataUpdate, TakesWhatIsSignedByTheRightKey) {
  expected_.signers = &signers_;
  EXPECT_EQ(taken(Document().signed_by(ec_identity())).signing.size(), 1u);
  signers_.insert(signers_.begin(), rsa_identity().certificate);
  EXPECT_EQ(taken(Document().signed_by(ec_identity())).signing.size(), 1u);
}

TEST_F(MetadataUpdate, MetaSigForged) {
  expected_.signers = &signers_;
  EXPECT_SAYS(refused(Document().xml()), "signature_missing");
  EXPECT_SAYS(refused(Document().signed_by(rsa_identity())), "signature_invalid");
  std::string changed = Document().signed_by(ec_identity());
  changed.replace(changed.find("idp.example.org/sso"), 19, "idp.example.evil/so");
  EXPECT_SAYS(refused(changed), "signature_invalid");
  // Wrapped: the signed one inside of another.
  const std::string good = Document().signed_by(ec_identity());
  std::string outer = Document().xml();
  outer.insert(outer.find("><") + 1, "<md:Extensions>" + good + "</md:Extensions>");
  EXPECT_NE(refused(outer), "taken");
  EXPECT_SAYS(refused("<x/>"), "signature_missing");
  EXPECT_SAYS(refused("not xml"), "cannot be read");
}

TEST_F(MetadataUpdate, MetaSigExpiredOrEmptied) {
  Document document;
  document.valid_until = "2026-11-01T00:00:00Z";
  EXPECT_SAYS(refused(document.xml()), "expired");
  document = Document();
  document.keys.clear();
  EXPECT_SAYS(refused(document.xml()), "no usable signing certificate");
  document = Document();
  document.sso_url = "javascript:alert(1)";
  EXPECT_SAYS(refused(document.xml()), "SingleSignOnService");
  expected_.max_bytes = 100;
  EXPECT_SAYS(refused(Document().xml()), "too large");
}

TEST_F(MetadataUpdate, AnotherEntityNeverReplacesIt) {
  const IdpMetadata current = taken(Document().xml());
  expected_.current = &current;
  Document other;
  other.entity_id = "https://other.example.org/metadata";
  EXPECT_SAYS(refused(other.xml()), "remove the copy");
  EXPECT_EQ(taken(Document().xml()).entity_id, current.entity_id);
}

TEST_F(MetadataUpdate, MetaSigRolledBack) {
  const IdpMetadata current = taken(Document().xml());
  expected_.current = &current;
  Document older;
  older.valid_until = "2026-11-30T23:59:59Z";
  EXPECT_SAYS(refused(older.xml()), "older than that in force");
  for (const char* until : {"2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", ""}) {
    Document document;
    document.valid_until = until;
    EXPECT_EQ(refused(document.xml()), "taken") << until;
  }
}

// What the signer says no more, an older document may never have said: a signature does not tell when it was made.
TEST_F(MetadataUpdate, MetaSigRolledBackWithoutADate) {
  expected_.signers = &signers_;
  Document document;
  document.valid_until = "";
  const std::string undated = document.signed_by(ec_identity());
  const IdpMetadata without = taken(undated);
  expected_.current = &without;
  EXPECT_EQ(refused(undated), "taken");
  const IdpMetadata current = taken(Document().signed_by(ec_identity()));
  expected_.current = &current;
  EXPECT_SAYS(refused(undated), "no validUntil");
  EXPECT_SAYS(refused(undated), "remove the copy");
  expected_.now = *current.valid_until + kHour;
  EXPECT_SAYS(refused(undated), "no validUntil") << "nor when that in force has expired";
}

TEST_F(MetadataUpdate, IsAskedForAgainBeforeItExpires) {
  IdpMetadata idp;
  EXPECT_EQ(refresh_interval(idp, 4 * kHour, kNow), 4 * kHour);
  idp.cache_duration = kHour;
  EXPECT_EQ(refresh_interval(idp, 4 * kHour, kNow), kHour);
  EXPECT_EQ(refresh_interval(idp, kMinute, kNow), kMinute) << "it makes refreshes no rarer";
  idp.valid_until = kNow + 30 * kMinute;
  EXPECT_EQ(refresh_interval(idp, 4 * kHour, kNow), 15 * kMinute);
  for (const Millis left : {kSecond, -kHour}) {
    idp.valid_until = kNow + left;
    EXPECT_EQ(refresh_interval(idp, 4 * kHour, kNow), kMinute);
    EXPECT_EQ(refresh_interval(idp, 2 * kSecond, kNow), 2 * kSecond);
  }
  idp.cache_duration = 0;
  EXPECT_EQ(refresh_interval(idp, 4 * kHour, kNow), kMinute);
}

TEST_F(MetadataUpdate, SaysWhatChanged) {
  Document document;
  const IdpMetadata first = taken(document.xml());
  const std::string rsa = rsa_identity().certificate.fingerprint(), ec = ec_identity().certificate.fingerprint();
  EXPECT_EQ(describe_changes(nullptr, first),
            "entity_id=https://idp.example.org/metadata sso_url=https://idp.example.org/sso +certificate " + rsa);
  EXPECT_EQ(describe_changes(&first, first), "");
  document.keys.push_back(ec_identity().certificate.base64());
  const IdpMetadata both = taken(document.xml());
  EXPECT_EQ(describe_changes(&first, both), "+certificate " + ec);
  document.keys.erase(document.keys.begin());
  document.sso_url = "https://idp.example.org/sso2";
  EXPECT_EQ(describe_changes(&both, taken(document.xml())), "sso_url=https://idp.example.org/sso2 -certificate " + rsa);
}

}  // namespace
}  // namespace sallyport::saml
