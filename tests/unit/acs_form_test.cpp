#include <gtest/gtest.h>

#include <string>

#include "login/finish_login.h"

namespace sallyport::login {
namespace {

struct GoodCase {
  const char* name;
  std::string body;
  std::string saml_response;
  std::string relay_state;
};

class GoodFormTest : public ::testing::TestWithParam<GoodCase> {};

TEST_P(GoodFormTest, IsRead) {
  const Result<AcsForm> form = parse_acs_form(GetParam().body);
  ASSERT_TRUE(form.ok()) << form.error().detail;
  EXPECT_EQ(form->saml_response, GetParam().saml_response);
  EXPECT_EQ(form->relay_state, GetParam().relay_state);
}

const GoodCase kGoodCases[] = {
    {"Usual", "SAMLResponse=PHg%2B&RelayState=abc", "PHg+", "abc"},
    {"OtherOrder", "RelayState=abc&SAMLResponse=PHg%2B", "PHg+", "abc"},
    {"NoRelayState", "SAMLResponse=PHg%2B", "PHg+", ""},
    {"EmptyRelayState", "SAMLResponse=x&RelayState=", "x", ""},
    {"RelayStateWithoutEquals", "SAMLResponse=x&RelayState", "x", ""},
    {"FieldsOfAPagesOwn", "SAMLResponse=x&submit=Continue&lang=de", "x", ""},
    {"EmptyPairs", "&&SAMLResponse=x&&", "x", ""},
    {"EncodedName", "SAML%52esponse=x", "x", ""},
    {"LineBreaksInBase64", "SAMLResponse=ab%0D%0Acd", "ab\r\ncd", ""},
    {"EqualsInTheValue", "SAMLResponse=ab==", "ab==", ""},
    {"RelayStateUtf8", "SAMLResponse=x&RelayState=%C3%BC+y", "x", "\xC3\xBC y"},
    {"SixteenFields", "SAMLResponse=x&1&2&3&4&5&6&7&8&9&10&11&12&13&14&15", "x", ""},
};

INSTANTIATE_TEST_SUITE_P(AcsForm, GoodFormTest, ::testing::ValuesIn(kGoodCases),
                         [](const auto& test) { return std::string(test.param.name); });

struct BadCase {
  const char* name;
  std::string body;
  Reason reason;
};

class BadFormTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadFormTest, IsRefused) {
  const Result<AcsForm> form = parse_acs_form(GetParam().body);
  ASSERT_FALSE(form.ok());
  EXPECT_EQ(form.error().reason, GetParam().reason);
  EXPECT_FALSE(form.error().detail.empty());
}

std::string many_fields(int count) {
  std::string body;
  for (int i = 0; i < count; ++i) body += "a" + std::to_string(i) + "=1&";
  return body + "SAMLResponse=x";
}

constexpr Reason kMissing = Reason::kResponseMissing;
constexpr Reason kInvalid = Reason::kFormInvalid;

const BadCase kBadCases[] = {
    {"Empty", "", kMissing},
    {"OnlyRelayState", "RelayState=x", kMissing},
    {"EmptyResponse", "SAMLResponse=", kMissing},
    {"ResponseWithoutEquals", "SAMLResponse", kMissing},
    {"NameInOtherCase", "samlresponse=x", kMissing},
    {"SemicolonIsNoSeparator", "a=1;SAMLResponse=x", kMissing},
    {"Json", "{\"SAMLResponse\":\"x\"}", kMissing},
    {"ResponseTwice", "SAMLResponse=x&SAMLResponse=x", kInvalid},
    {"ResponseTwiceInOtherSpelling", "SAMLResponse=x&SAMLRespons%65=y", kInvalid},
    {"RelayStateTwice", "SAMLResponse=x&RelayState=a&RelayState=a", kInvalid},
    {"BadEscapeInResponse", "SAMLResponse=%zz", kInvalid},
    {"CutEscapeInRelayState", "SAMLResponse=x&RelayState=%4", kInvalid},
    {"BadEscapeInName", "SAMLResponse=x&%=1", kInvalid},
    {"NulInName", std::string("SAMLResponse\0=x", 15), kInvalid},
    {"EncodedNulInName", "SAMLResponse%00=x", kInvalid},
    {"ControlInRelayState", "SAMLResponse=x&RelayState=a%0d%0ab", kInvalid},
    {"Artifact", "SAMLart=x", kInvalid},
    {"ArtifactBeside", "SAMLResponse=x&SAMLart=y", kInvalid},
    {"QuerySignature", "SAMLResponse=x&SigAlg=a&Signature=b", kInvalid},
    {"Request", "SAMLResponse=x&SAMLRequest=y", kInvalid},
    {"RedirectEncoding", "SAMLResponse=x&SAMLEncoding=y", kInvalid},
    {"SeventeenFields", many_fields(16), kInvalid},
    {"TenThousandFields", many_fields(10000), kInvalid},
    {"LongName", std::string(129, 'a') + "=1&SAMLResponse=x", kInvalid},
    {"Ampersands", std::string(100000, '&'), kInvalid},
};

INSTANTIATE_TEST_SUITE_P(AcsForm, BadFormTest, ::testing::ValuesIn(kBadCases),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace sallyport::login
