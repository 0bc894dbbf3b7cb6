// Signed responses changed on their way: whatever is accepted says what one of the genuine messages says,
// whose keys nobody has any more, and xmlsec1 accepts it too. The mutator edits the tree, moves and copies
// parts, and mixes messages.
#include <string>
#include <string_view>

#include "saml/response.h"
#include "support/fuzz_target.h"
#include "support/genuine.h"
#include "support/second_opinion.h"
#include "support/xml_edits.h"
#include "xml/document.h"

namespace {

using namespace sallyport;

// What is accepted under a stricter rule is signed as the rule wants, and says the same.
void check_rules(std::string_view document, const saml::VerifiedResponse& any) {
  for (const saml::RequireSigned require :
       {saml::RequireSigned::kResponse, saml::RequireSigned::kAssertion, saml::RequireSigned::kBoth}) {
    saml::SignatureRules rules;
    rules.certificates = &fuzz::genuine_messages().certificates;
    rules.require = require;
    const auto response = saml::read_response(document, rules, xml::message_limits(256 * 1024));
    if (!response.ok()) continue;
    REQUIRE(response->header.is_signed || require == saml::RequireSigned::kAssertion);
    REQUIRE(fuzz::describe(response->assertion) == fuzz::describe(any.assertion));
  }
}

[[maybe_unused]] std::string mutate(std::string_view document, unsigned seed) {
  fuzz::Dice dice(seed);
  const auto& genuine = fuzz::genuine_messages().messages;
  const fuzz::Genuine& other = genuine[dice.below(genuine.size())];
  std::string text(dice.once_in(50) ? other.text : document);
  for (std::size_t edits = 1 + dice.below(3); edits > 0; --edits) {
    text = fuzz::edited(text, dice.pick(fuzz::kAllEdits), other.text, dice);
  }
  return text;
}

}  // namespace

FUZZ_MUTATOR(mutate);

FUZZ_TARGET(tampered) {
  const fuzz::GenuineMessages& genuine = fuzz::genuine_messages();
  const auto response = fuzz::read_message(input, genuine.certificates);
  if (!response.ok()) {
    REQUIRE(!response.error().detail.empty());
    return;
  }
  check_rules(input, *response);
  REQUIRE(genuine.find(*response) != nullptr);
  std::string why_not;
  if (!fuzz::is_confirmed(input, *response, genuine.keys, why_not)) {
    fuzz::broken(why_not.c_str(), __FILE__, __LINE__);
  }
}
