// Encrypted assertions, identifiers and attributes. The input holds them in the clear; they are signed and
// encrypted for a key of ours before they are read, and perhaps changed afterwards. What is accepted xmlsec1
// accepts, with the signatures outside as they came and those inside as it decrypts them, and reads the same; it
// says what its twin says that was never encrypted, and xmlsec1 accepts that one too. Who has not the key reads
// nothing.
#include <string>
#include <string_view>
#include <vector>

#include "../unit/test_identity.h"
#include "base/digest.h"
#include "saml/response.h"
#include "support/encrypt.h"
#include "support/fuzz_target.h"
#include "support/genuine.h"
#include "support/second_opinion.h"
#include "support/xml_edits.h"
#include "xml/decryption.h"
#include "xml/document.h"
#include "xml/signing.h"

namespace {

using namespace sallyport;

struct World {
  fuzz::Peers peers{test::ec_key(), test::rsa_key(), test::other_rsa_key()};
  std::vector<EVP_PKEY*> signers = {peers.ec, peers.rsa};
  std::vector<xml::Certificate> certificates = {test::certificate_of(peers.ec),
                                                test::certificate_of(peers.rsa)};
  std::vector<xml::DecryptionKey> ours = {
      {test::private_key_of(peers.recipient), test::certificate_of(peers.recipient)}};
  std::vector<xml::DecryptionKey> others = {
      {test::private_key_of(peers.rsa), test::certificate_of(peers.rsa)}};
};

const World& world() {
  static const World all;
  return all;
}

Result<saml::VerifiedResponse> read(std::string_view document,
                                    const std::vector<xml::DecryptionKey>& keys) {
  saml::SignatureRules rules;
  rules.certificates = &world().certificates;
  saml::EncryptionRules encryption;
  encryption.keys = &keys;
  encryption.algorithms.add(xml::DataCipher::kAes128Cbc);
  encryption.algorithms.add(xml::DataCipher::kAes256Cbc);
  encryption.algorithms.add(xml::KeyTransport::kRsa15);
  return saml::read_response(document, rules, xml::message_limits(256 * 1024), encryption);
}

void confirm(std::string_view document, const saml::VerifiedResponse& response) {
  std::string why_not;
  if (!fuzz::is_confirmed(document, response, world().signers, why_not, world().peers.recipient)) {
    fuzz::broken(why_not.c_str(), __FILE__, __LINE__);
  }
}

void compare(const saml::VerifiedResponse& response, std::string_view twin, bool may_refuse_twin) {
  const auto plain = read(twin, {});
  if (may_refuse_twin && !plain.ok()) return;
  if (!plain.ok()) fuzz::broken(plain.error().detail.c_str(), __FILE__, __LINE__);
  REQUIRE(fuzz::describe(plain->assertion) == fuzz::describe(response.assertion));
  confirm(twin, *plain);
}

[[maybe_unused]] std::string mutate(std::string_view document, unsigned seed) {
  fuzz::Dice dice(seed);
  const auto& genuine = fuzz::genuine_messages().messages;
  const std::string& other = genuine[dice.below(genuine.size())].text;
  return fuzz::edited(document, dice.pick(fuzz::kAllEdits), other, dice);
}

}  // namespace

FUZZ_MUTATOR(mutate);

FUZZ_TARGET(encrypted) {
  static const bool started = (xml::initialize_parser(), xml::initialize_signing().ok());
  REQUIRE(started);
  fuzz::Dice dice(hash_tag(input));
  auto [document, all_read] = fuzz::with_encrypted(input, world().peers, dice);
  const bool edited = dice.once_in(3);
  if (edited) document = fuzz::edited(document, dice.pick(fuzz::kAllEdits), {}, dice);

  const auto response = read(document, world().ours);
  const auto without_key = read(document, world().others);
  if (!response.ok()) {
    REQUIRE(!response.error().detail.empty() && !without_key.ok());
    return;
  }
  // Without the key nothing is read, but what was in the clear anyway.
  REQUIRE(without_key.ok()
              ? fuzz::describe(without_key->assertion) == fuzz::describe(response->assertion)
              : without_key.error().reason == Reason::kDecryptionFailed);
  confirm(document, *response);
  // An edit may have mended what makes the twin refused, and nobody opens what lies where nobody reads.
  compare(*response, fuzz::in_the_clear(input, world().peers), edited || !all_read);
}
