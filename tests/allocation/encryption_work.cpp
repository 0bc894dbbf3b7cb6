#include <string>
#include <string_view>

#include "encryption_test_util.h"
#include "login_fixture.h"
#include "login_work.h"

namespace sallyport::testing {
namespace {

using login_test::company_response;
using login_test::response_xml;
using login_test::sign_by;
using login_test::Signed;
using test::Encryption;
using test::replaced;

// The part from `begin` to `end` put away, under the key of rsa_identity().
std::string with_encrypted(const std::string& message, std::string_view begin, std::string_view end, const Encryption& how = {}) {
  const std::size_t from = message.find(begin);
  const std::size_t to = message.find(end, from) + end.size();
  return message.substr(0, from) + test::encrypted(message.substr(from, to - from), how) + message.substr(to);
}

std::string with_encrypted(const std::string& message, const Encryption& how = {}) {
  return with_encrypted(message, "<saml:Assertion ", "</saml:Assertion>", how);
}

// Of how something is encrypted or signed the size is no matter: every allocation costs four logins.
login_test::ResponseText short_response() {
  login_test::ResponseText text;
  text.attributes = {{"department", {"R&D"}}};
  return text;
}

std::string signed_assertion() { return response_xml(short_response(), Signed::kAssertion); }

void add_assertions(std::vector<Work>& all) {
  const std::string good = response_xml(company_response(), Signed::kAssertion);
  const std::string hidden = with_encrypted(good);
  all.push_back(login_work("encrypted", hidden, rsa_identity()));
  all.push_back(login_work("encrypted, changed before", with_encrypted(replaced(good, ">alice<", ">admin<")), rsa_identity()));
  std::string spoilt = hidden;
  char& byte = spoilt[spoilt.rfind("</xenc:CipherValue>") - 40];
  byte = byte == 'A' ? 'B' : 'A';
  all.push_back(login_work("encrypted, changed behind", spoilt, rsa_identity()));
  const std::string unsigned_one = with_encrypted(response_xml(short_response(), Signed::kNothing));
  all.push_back(login_work("encrypted, unsigned", unsigned_one, rsa_identity()));
  all.push_back(login_work("encrypted in a signed Response", sign_by(unsigned_one, rsa_identity()), rsa_identity()));
}

// A plaintext that stands alone needs the prefix of its own.
std::string holding(std::string_view holder, const std::string& message, std::string_view begin, std::string_view end) {
  Encryption how;
  how.holder = holder;
  return sign_by(with_encrypted(message, begin, end, how), rsa_identity());
}

void add_parts(std::vector<Work>& all) {
  const std::string plain = response_xml(short_response(), Signed::kNothing);
  const std::string hidden_name = holding("saml:EncryptedID", plain, "<saml:NameID", "</saml:NameID>");
  all.push_back(login_work("EncryptedID", hidden_name, rsa_identity()));
  all.push_back(login_work("EncryptedID, by another key", hidden_name, other_rsa_identity()));
  all.push_back(login_work("EncryptedID that holds an Audience",
                           holding("saml:EncryptedID", replaced(replaced(plain, "<saml:NameID", "<saml:Audience"),
                                                                "</saml:NameID>", "</saml:Audience>"),
                                   "<saml:Audience", "</saml:Audience>"),
                           rsa_identity()));
  all.push_back(login_work("EncryptedAttribute",
                           holding("saml:EncryptedAttribute", plain, "<saml:Attribute ", "</saml:Attribute>"), rsa_identity()));
}

void add_old_ciphers(std::vector<Work>& all) {
  Encryption cbc = Encryption::with(test::kXenc + "aes128-cbc", "AES-128-CBC", 16);
  Encryption rsa15;
  rsa15.keys.front().method = xml::kRsa15Uri;
  const auto allowing = [](login::Trust& trust) {
    trust.encryption.add(xml::DataCipher::kAes128Cbc);
    trust.encryption.add(xml::KeyTransport::kRsa15);
  };
  all.push_back(login_work("AES-CBC", with_encrypted(signed_assertion(), cbc), rsa_identity(), allowing));
  all.push_back(login_work("AES-CBC where it is not allowed", with_encrypted(signed_assertion(), cbc), rsa_identity()));
  all.push_back(login_work("RSA 1.5", with_encrypted(signed_assertion(), rsa15), rsa_identity(), allowing));
  all.push_back(login_work("RSA 1.5 where it is not allowed", with_encrypted(signed_assertion(), rsa15), rsa_identity()));
}

std::string signed_with_pss(int salt) {
  test::SignatureTemplate how;
  how.method = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1";
  how.pss = true;
  how.pss_salt = salt;
  std::string message = response_xml(short_response(), Signed::kNothing);
  message = replaced(message, "</saml:Issuer><saml:Subject>", "</saml:Issuer>@SIGN:_a1@<saml:Subject>");
  return test::sign(message, "_a1", rsa_identity().key.raw(), how);
}

}  // namespace

std::vector<Work> encryption_work() {
  std::vector<Work> all;
  add_assertions(all);
  add_parts(all);
  add_old_ciphers(all);
  return all;
}

std::vector<Work> algorithm_work() {
  return {login_work("RSA-PSS", signed_with_pss(RSA_PSS_SALTLEN_DIGEST), rsa_identity()),
          login_work("RSA-PSS, a short salt", signed_with_pss(20), rsa_identity())};
}

}  // namespace sallyport::testing
