// Public test vectors through the whole core, with each one's own clock: under the default settings, and
// with everything switched on that a switch exists for. What comes out is compared with the corpus's own
// verdict, and by its exact reason word with corpus_verdicts.txt.
#include "corpus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "encryption_test_util.h"
#include "login/resolve_login.h"
#include "login_fixture.h"
#include "saml/response.h"
#include "xml/names.h"
#include "xml/signature.h"
#include "xml_test_util.h"

namespace sallyport::login {
namespace {

using testing::CorpusCase;

enum class Profile { kStrict, kCompatible };

// What the corpus's switches are here: signature_algorithms, encryption_algorithms, decryption keys,
// saml_max_assertion_age, an unsolicited answer, and weak keys that no directive allows.
constexpr std::string_view kSwitches[] = {
    "allow_sha1", "allow_rsa_1024", "allow_unsolicited", "response_signature_only",
    "needs_decryption", "allow_cbc", "allow_rsa1_5_keytransport", "encrypted_nameid",
    "parse_plaintext_in_context",
};

// Where our verdict is another than what the corpus expects of a service provider with these switches.
struct Difference {
  std::string_view id;
  Profile profile;
  bool accepted;
  std::string_view why;
};

constexpr std::string_view kUnsignedEnvelope =
    "Destination may be absent where the Response is not signed (Bindings 3.5.5.2)";
constexpr std::string_view kBareAssertion = "an Assertion without Response (Profiles 4.1.4.2)";
constexpr std::string_view kMisplacedId = "EncryptedID behind the SubjectConfirmation (Core 2.4.1)";
constexpr Difference kDifferences[] = {
    {"gosaml2-230", Profile::kCompatible, true, kUnsignedEnvelope},
    {"gosaml2-278", Profile::kStrict, true, kUnsignedEnvelope},
    {"gosaml2-278", Profile::kCompatible, true, kUnsignedEnvelope},
    {"gosaml2-279", Profile::kStrict, true, kUnsignedEnvelope},
    {"gosaml2-279", Profile::kCompatible, true, kUnsignedEnvelope},
    {"py3-027", Profile::kCompatible, true, "values of an Attribute sent twice are joined"},
    {"gosaml2-227", Profile::kCompatible, false, "AuthnInstant lies 20 days behind the clock"},
    {"gosaml2-283", Profile::kCompatible, false, "the Signature does not follow the Issuer (Core 3.2.2)"},
    {"gosaml2-290", Profile::kCompatible, false, "deflated, though posted (Bindings 3.5.4)"},
    {"clever-331", Profile::kCompatible, false, kBareAssertion},
    {"clever-332", Profile::kCompatible, false, kBareAssertion},
    {"py3-007", Profile::kCompatible, false, kMisplacedId},
    {"php-145", Profile::kCompatible, false, kMisplacedId},
};

// Good to the corpus, but not by signatures of the one form that is taken: IDs that are no NCNames, a
// Signature out of place, an empty Reference, a comment, a deflated message.
constexpr std::string_view kUnusualForms[] = {
    "crewjam-206", "crewjam-207", "node-161",   "node-163",    "node-166",
    "gosaml2-283", "clever-331",  "clever-332", "gosaml2-290",
};
// Its bad signature is inside the ciphertext, the one outside holds.
constexpr std::string_view kBadInside = "node-174";

struct Outcome {
  std::string word;                    // "accepted" or the reason
  std::string detail;
  std::optional<std::string> name_id;  // of a message that is believed
};

// Whom an identifier names that is another one at each login cannot be kept; the message is good.
bool is_believed(const Outcome& outcome) {
  return outcome.word == "accepted" || outcome.word == reason_word(Reason::kNoStableUser);
}

std::vector<xml::Certificate> certificates_of(const CorpusCase& vector, Profile profile) {
  std::vector<xml::Certificate> all;
  for (const std::string& pem : vector.certificates) {
    auto certificate = xml::Certificate::from_pem(pem, profile == Profile::kCompatible);
    if (certificate.ok()) {
      all.push_back(std::move(*certificate));
    } else {
      EXPECT_EQ(certificate.error().reason, Reason::kConfigInvalid);
    }
  }
  return all;
}

xml::AlgorithmSet compatible_algorithms() {
  xml::AlgorithmSet algorithms = xml::AlgorithmSet::defaults();
  algorithms.add(xml::SignatureAlgorithm::kRsaSha1);
  algorithms.add(xml::SignatureAlgorithm::kEcdsaSha1);
  return algorithms;
}

xml::EncryptionSet compatible_encryption() {
  xml::EncryptionSet set = xml::EncryptionSet::defaults();
  for (const char* name : {"aes192-gcm", "aes128-cbc", "aes192-cbc", "aes256-cbc"}) {
    set.add(*xml::data_cipher_by_name(name));
  }
  set.add(xml::KeyTransport::kRsa15);
  return set;
}

// The corpus has the keys alone; a certificate would only tell which one to try.
std::vector<xml::DecryptionKey> decryption_keys_of(const CorpusCase& vector, Profile profile) {
  std::vector<xml::DecryptionKey> all;
  for (const std::string& pem : vector.decryption_keys) {
    auto key = xml::PrivateKey::from_pem(pem, profile == Profile::kCompatible);
    if (key.ok()) {
      const xml::Certificate certificate = test::certificate_of(key->raw(), true);
      all.push_back({std::move(*key), certificate});
    } else {
      EXPECT_EQ(key.error().reason, Reason::kConfigInvalid);
    }
  }
  return all;
}

Trust trust_of(const CorpusCase& vector, Profile profile) {
  Trust trust = login_test::make_trust();
  trust.sp_entity_id = vector.sp_entity_id;
  trust.acs_url = vector.acs_url;
  trust.idp_entity_id = vector.idp_entity_id;
  trust.certificates = certificates_of(vector, profile);
  trust.decryption_keys = decryption_keys_of(vector, profile);
  if (profile == Profile::kCompatible) {
    trust.algorithms = compatible_algorithms();
    trust.encryption = compatible_encryption();
  }
  return trust;
}

std::optional<std::string> received_name_id(const FinishLogin& input) {
  const saml::SignatureRules rules{&input.trust->certificates, input.trust->algorithms,
                                   input.trust->require_signed};
  const auto response =
      saml::read_response(base64_decode(input.saml_response).value_or(""), rules,
                          xml::message_limits(input.max_message_bytes),
                          {&input.trust->decryption_keys, input.trust->encryption, false});
  if (!response.ok() || !response->assertion.name_id) return std::nullopt;
  return response->assertion.name_id->value;
}

Outcome replay(const CorpusCase& vector, Profile profile) {
  const Trust trust = trust_of(vector, profile);
  FinishLogin input;
  input.trust = &trust;
  input.saml_response = vector.message;
  if (vector.request_id) input.request_id = *vector.request_id;
  input.now = vector.clock;
  if (profile == Profile::kCompatible) input.max_assertion_age = 1000 * 365 * 24 * kHour;
  const Result<FinishedLogin> login = finish_login(input);
  Outcome out;
  out.word = login.ok() ? "accepted" : reason_word(login.error().reason);
  if (!login.ok()) out.detail = login.error().detail;
  if (is_believed(out)) out.name_id = received_name_id(input);
  return out;
}

// Response and Assertion, each if it is signed; empty where the gates or the places of the signatures
// refuse.
struct SignedElements {
  std::string text;
  std::optional<xml::Document> document;
  std::vector<xml::Element> elements;
};

SignedElements signed_elements(const CorpusCase& vector) {
  SignedElements out;
  out.text = base64_decode(vector.message).value_or("");
  auto document = xml::Document::parse(out.text, xml::Limits());
  if (!document.ok() || !xml::check_signature_positions(*document).ok()) return out;
  out.document = std::move(*document);
  const xml::Element root = out.document->root();
  for (const auto& element : {std::optional(root), root.only_child(xml::kNsSaml, "Assertion")}) {
    if (element && xml::is_signed(*element)) out.elements.push_back(*element);
  }
  return out;
}

// Whether there are signatures, and all of them hold.
bool signatures_hold(const CorpusCase& vector) {
  const SignedElements found = signed_elements(vector);
  const auto certificates = certificates_of(vector, Profile::kCompatible);
  const xml::SignatureVerifier verifier(certificates, compatible_algorithms());
  return !found.elements.empty() &&
         std::all_of(found.elements.begin(), found.elements.end(), [&](const xml::Element& element) {
           return verifier.verify(element, xml::Limits()).ok();
         });
}

bool xmlsec_takes(const CorpusCase& vector, const std::string& text, const std::string& id) {
  const auto certificates = certificates_of(vector, Profile::kCompatible);
  return std::any_of(certificates.begin(), certificates.end(), [&](const auto& certificate) {
    return test::xmlsec_accepts(text, id, certificate.key().raw());
  });
}

// The signature of an assertion inside of a ciphertext, decrypted by xmlsec1 as well.
bool xmlsec_agrees_inside(const CorpusCase& vector) {
  const std::string received = base64_decode(vector.message).value_or("");
  for (const xml::DecryptionKey& own : decryption_keys_of(vector, Profile::kCompatible)) {
    const std::string text = test::xmlsec_decrypts_in_place(received, own.key.raw());
    const auto document = text.empty() ? nullptr : test::read_xml(text);
    xmlNode* assertion = document == nullptr ? nullptr
                                             : test::find_element(
                                                   xmlDocGetRootElement(document.get()), "Assertion");
    if (assertion == nullptr) continue;
    xmlChar* id = xmlGetNoNsProp(assertion, BAD_CAST "ID");
    const bool takes = xmlsec_takes(vector, text, reinterpret_cast<const char*>(id));
    xmlFree(id);
    if (takes) return true;
  }
  return false;
}

// The second opinion over the same.
bool xmlsec_agrees(const CorpusCase& vector) {
  const SignedElements found = signed_elements(vector);
  if (found.elements.empty()) return xmlsec_agrees_inside(vector);
  return std::all_of(found.elements.begin(), found.elements.end(), [&](const xml::Element& element) {
    return xmlsec_takes(vector, found.text, std::string(element.attribute("ID").value_or("")));
  });
}

const Difference* difference_of(const CorpusCase& vector, Profile profile) {
  const auto found = std::find_if(
      std::begin(kDifferences), std::end(kDifferences),
      [&](const Difference& d) { return d.id == vector.id && d.profile == profile; });
  return found == std::end(kDifferences) ? nullptr : found;
}

bool has_all_switches(const CorpusCase& vector) {
  return std::all_of(vector.requirements.begin(), vector.requirements.end(),
                     [](const std::string& requirement) {
                       return std::count(std::begin(kSwitches), std::end(kSwitches), requirement) > 0;
                     });
}

// What the corpus wants of a service provider with our switches; nullopt: nobody has judged.
std::optional<bool> corpus_verdict(const CorpusCase& vector, Profile profile) {
  if (profile == Profile::kStrict) return vector.accept_strict;
  return vector.accept && has_all_switches(vector);
}

// "ID strict compatible" lines.
struct ExpectedWords {
  std::string strict;
  std::string compatible;
};

const std::map<std::string, ExpectedWords>& expected_words() {
  static const std::map<std::string, ExpectedWords> all = [] {
    std::map<std::string, ExpectedWords> words;
    std::ifstream in(SALLYPORT_SOURCE_DIR "/tests/unit/corpus_verdicts.txt");
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line.front() == '#') continue;
      std::istringstream fields(line);
      std::string id;
      ExpectedWords expected;
      fields >> id >> expected.strict >> expected.compatible;
      words.emplace(id, expected);
    }
    return words;
  }();
  return all;
}

// Signatures of the one form that is taken, not inside of something encrypted.
bool has_plain_signatures(const CorpusCase& vector) {
  constexpr std::string_view kOthers[] = {
      "allow_empty_uri", "allow_c14n11", "allow_inclusive_c14n", "allow_pss",
      "allow_missing_response_issuer", "needs_decryption",
  };
  if (std::any_of(std::begin(kUnusualForms), std::end(kUnusualForms),
                  [&](std::string_view id) { return id == vector.id; })) {
    return false;
  }
  return std::none_of(vector.requirements.begin(), vector.requirements.end(),
                      [&](const std::string& requirement) {
                        return std::count(std::begin(kOthers), std::end(kOthers), requirement) > 0;
                      });
}

class Corpus : public ::testing::TestWithParam<CorpusCase> {
 protected:
  void check(Profile profile) {
    const CorpusCase& vector = GetParam();
    const Outcome outcome = replay(vector, profile);
    SCOPED_TRACE(outcome.word + ": " + outcome.detail);
    const auto words = expected_words().find(vector.id);
    ASSERT_NE(words, expected_words().end()) << "not in corpus_verdicts.txt";
    EXPECT_EQ(outcome.word, profile == Profile::kStrict ? words->second.strict
                                                        : words->second.compatible);
    std::optional<bool> wanted = corpus_verdict(vector, profile);
    if (const Difference* difference = difference_of(vector, profile)) {
      EXPECT_NE(wanted, difference->accepted) << "no difference any more";
      wanted = difference->accepted;
    }
    EXPECT_EQ(is_believed(outcome), wanted.value_or(is_believed(outcome)));
    if (!is_believed(outcome)) return;
    EXPECT_EQ(outcome.name_id, vector.name_id);
    EXPECT_TRUE(xmlsec_agrees(vector));
  }
};

// What other checks would refuse anyway, by its signatures alone.
TEST_P(Corpus, SignaturesAlone) {
  const CorpusCase& vector = GetParam();
  if (vector.id == kBadInside) {
    EXPECT_TRUE(signatures_hold(vector));
  } else if (vector.rejecting_stage == "signature") {
    EXPECT_FALSE(signatures_hold(vector));
  } else if (vector.accept && has_plain_signatures(vector)) {
    EXPECT_TRUE(signatures_hold(vector));
    EXPECT_TRUE(xmlsec_agrees(vector));
  }
}

TEST_P(Corpus, StrictVerdict) { check(Profile::kStrict); }
TEST_P(Corpus, CompatibleVerdict) { check(Profile::kCompatible); }

INSTANTIATE_TEST_SUITE_P(
    Vectors, Corpus, ::testing::ValuesIn(testing::corpus_cases()), [](const auto& test) {
      std::string name = test.param.id;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Corpus);

TEST(CorpusTest, HasAVerdictForEachVectorAndNoOther) {
  if (!testing::has_corpus()) {
    GTEST_SKIP() << "no public test vectors in " << SALLYPORT_CORPUS_DIR
                 << " (CMake's SALLYPORT_CORPUS): none of them is replayed";
  }
  std::set<std::string> ids;
  for (const CorpusCase& vector : testing::corpus_cases()) ids.insert(vector.id);
  EXPECT_EQ(ids.size(), testing::corpus_cases().size());
  EXPECT_EQ(ids.size(), expected_words().size());
  for (const auto& [id, words] : expected_words()) EXPECT_EQ(ids.count(id), 1u) << id;
  for (const Difference& difference : kDifferences) {
    EXPECT_EQ(ids.count(std::string(difference.id)), 1u) << difference.id;
    EXPECT_FALSE(difference.why.empty());
  }
}

}  // namespace
}  // namespace sallyport::login
