// Every byte of a signed message changed, left out, doubled, and every prefix of it: never another user, and
// never what xmlsec1 refuses.
#include <gtest/gtest.h>

#include <string>

#include "response_builder.h"
#include "saml/response.h"

namespace sallyport::saml {
namespace {

using testing::ec_identity;
using testing::ResponseBuilder;
using testing::Signed;

Result<VerifiedResponse> read(const std::string& document) {
  static const std::vector<xml::Certificate> certificates = {ec_identity().certificate};
  SignatureRules rules;
  rules.certificates = &certificates;
  return read_response(document, rules, xml::message_limits(256 * 1024));
}

std::string signed_message(Signed sign) { return ResponseBuilder().with_signatures(sign).build(); }

constexpr Signed kSigns[] = {Signed::kResponse, Signed::kAssertion, Signed::kBoth};

// Reads a changed message; true when it is accepted, and then it must say what was signed.
bool accepted_as_signed(const std::string& changed, Signed sign, std::size_t place) {
  const auto response = read(changed);
  if (!response.ok()) return false;
  EXPECT_EQ(response->assertion.name_id ? response->assertion.name_id->value : "", "jane") << place;
  EXPECT_EQ(response->assertion.attributes.size(), 2u) << place;
  if (sign != Signed::kAssertion) {
    EXPECT_TRUE(test::xmlsec_accepts(changed, "_response", test::ec_key())) << place;
  }
  if (sign != Signed::kResponse) {
    EXPECT_TRUE(test::xmlsec_accepts(changed, "_assertion", test::ec_key())) << place;
  }
  return true;
}

TEST(SigTamper, NoChangedByteMakesAnotherUser) {
  for (const Signed sign : kSigns) {
    const std::string good = signed_message(sign);
    std::size_t accepted = 0;
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string changed = good;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      accepted += accepted_as_signed(changed, sign, i);
    }
    EXPECT_LT(accepted, good.size() / 2);
  }
}

TEST(SigTamper, NoDoubledByteMakesAnotherUser) {
  for (const Signed sign : kSigns) {
    const std::string good = signed_message(sign);
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string changed = good;
      changed.insert(i, 1, good[i]);
      accepted_as_signed(changed, sign, i);
    }
  }
}

TEST(XmlTrunc, EveryPrefixIsRefused) {
  for (const Signed sign : kSigns) {
    const std::string good = signed_message(sign);
    ASSERT_TRUE(read(good).ok());
    for (std::size_t size = 0; size < good.size(); ++size) {
      EXPECT_FALSE(read(good.substr(0, size)).ok()) << size;
    }
  }
}

TEST(XmlTrunc, NoDeletedByteMakesAnotherUser) {
  for (const Signed sign : kSigns) {
    const std::string good = signed_message(sign);
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string changed = good;
      changed.erase(i, 1);
      accepted_as_signed(changed, sign, i);
    }
  }
}

TEST(XmlTrunc, EverySuffixIsRefused) {
  const std::string good = signed_message(Signed::kBoth);
  for (std::size_t i = 1; i < good.size(); ++i) {
    EXPECT_FALSE(read(good.substr(i)).ok()) << i;
  }
}

}  // namespace
}  // namespace sallyport::saml
