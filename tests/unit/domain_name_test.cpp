#include "policy/domain_name.h"

#include <gtest/gtest.h>
#include <idn2.h>

#include <string>
#include <string_view>

#include "base/c_ptr.h"
#include "base/encoding.h"

namespace sallyport::policy {
namespace {

using namespace std::string_literals;

struct DomainCase {
  const char* name;
  std::string text;
  std::string expected;  // empty: refused
};

class DomainTest : public ::testing::TestWithParam<DomainCase> {};

TEST_P(DomainTest, HasOneSpelling) {
  EXPECT_EQ(canonical_domain(GetParam().text).value_or(""), GetParam().expected);
}

std::string name_of(const ::testing::TestParamInfo<DomainCase>& test) { return test.param.name; }

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

const std::string kLabel63(63, 'a');
const std::string kDomain253 = repeated(kLabel63 + ".", 3) + std::string(61, 'b');

const DomainCase kPlainCases[] = {
    {"TwoLabels", "example.com", "example.com"},
    {"OneLabel", "intranet", "intranet"},
    {"Deep", "a.b.c.d.example.com", "a.b.c.d.example.com"},
    {"UpperCase", "Mail.EXAMPLE.Com", "mail.example.com"},
    {"DigitsAndHyphens", "3-com.x--y.example2", "3-com.x--y.example2"},
    {"TwoHyphensInThird", "ab--cd.example", "ab--cd.example"},
    {"LabelOf63", kLabel63 + ".example", kLabel63 + ".example"},
    {"LabelOf64", kLabel63 + "a.example", ""},
    {"NameOf253", kDomain253, kDomain253},
    {"NameOf254", kDomain253 + "b", ""},
    {"ManyLabels", repeated("a.", 126) + "a", repeated("a.", 126) + "a"},
    {"Huge", std::string(1 << 20, 'a'), ""},
    {"HugeOfDots", std::string(1 << 20, '.'), ""},
    {"Empty", "", ""},
    {"Dot", ".", ""},
    {"TrailingDot", "example.com.", ""},
    {"LeadingDot", ".example.com", ""},
    {"EmptyLabel", "example..com", ""},
    {"LeadingHyphen", "-a.example", ""},
    {"TrailingHyphen", "a-.example", ""},
    {"HyphenAtTheEnd", "a.example-", ""},
    {"Underscore", "_dmarc.example.com", ""},
    {"Asterisk", "*.example.com", ""},
    {"Percent", "evil.example%2Eexample.com", ""},
    {"PercentNul", "evil.example%00.example.com", ""},
    {"NulBehind", "example.com\0"s, ""},
    {"NulInside", "example.com\0.evil.example"s, ""},
    {"NulBesideLetters", "b\u00fccher.example\0.evil.example"s, ""},
    {"LineBreakBehind", "example.com\n", ""},
    {"BlankBefore", " example.com", ""},
    {"BlankInside", "example .com", ""},
    {"Tab", "example.com\t", ""},
    {"Port", "example.com:25", ""},
    {"Slash", "example.com/evil.example", ""},
    {"Backslash", "example.com\\evil.example", ""},
    {"At", "example.com@evil.example", ""},
    {"Comment", "example.com(evil.example)", ""},
    {"AddressLiteral", "[127.0.0.1]", ""},
    {"SixLiteral", "[IPv6:::1]", ""},
    {"Address", "127.0.0.1", ""},
    {"ShortAddress", "127.1", ""},
    {"NumberAlone", "2130706433", ""},
    {"HexAddress", "0x7f.0x1", ""},
    {"NumberInFront", "127.0.0.1.example", "127.0.0.1.example"},
};

INSTANTIATE_TEST_SUITE_P(Plain, DomainTest, ::testing::ValuesIn(kPlainCases), name_of);

const DomainCase kIdnaCases[] = {
    {"ULabel", "bücher.example", "xn--bcher-kva.example"},
    {"ALabel", "xn--bcher-kva.example", "xn--bcher-kva.example"},
    {"ALabelUpperCase", "XN--BCHER-KVA.Example", "xn--bcher-kva.example"},
    {"CapitalsOfAscii", "BüCHER.example", "xn--bcher-kva.example"},
    {"Capitals", "BÜCHER.EXAMPLE", "xn--bcher-kva.example"},
    {"Decomposed", "bu\u0308cher.example", "xn--bcher-kva.example"},
    {"DecomposedCapitals", "BU\u0308CHER.example", "xn--bcher-kva.example"},
    {"Polish", "ŁÓDŹ.example", "xn--d-uga0v4h.example"},
    {"Greek", "ΑΘΉΝΑ.example", "xn--jxafb0a0a.example"},
    {"Cyrillic", "ПОЧТА.example", "xn--80a1acny.example"},
    {"Armenian", "ՓՈՍՏ.example", "xn--mbbkgn.example"},
    {"Vietnamese", "ĐIỆN.example", "xn--in-pma9351a.example"},
    {"Chinese", "例子.example", "xn--fsqu00a.example"},
    {"EveryLabel", "bücher.例子.example", "xn--bcher-kva.xn--fsqu00a.example"},
    {"TopLevel", "example.рф", "example.xn--p1ai"},
    {"Hebrew", "דואר.example", "xn--4dbfg1f.example"},
    {"SharpSStays", "straße.example", "xn--strae-oqa.example"},
    {"SharpSIsNoDoubleS", "strasse.example", "strasse.example"},
    {"FinalSigmaStays", "ας.example", "xn--mxa8a.example"},
    {"JoinerWhereItBelongs", "क्\u200dष.example", "xn--11b2ezcw70k.example"},
    {"LWithMiddleDot", "\u013f.example", ""},
    {"CapitalSharpS", "STRAẞE.example", ""},
    {"TurkishCapitalI", "\u0130stanbul.example", ""},
    {"DotlessI", "\u0131stanbul.example", "xn--stanbul-qfb.example"},
    // Characters that only look alike make other names.
    {"CyrillicA", "ex\u0430mple.com", "xn--exmple-4nf.com"},
    {"GreekOmicron", "example.c\u03bfm", "example.xn--cm-jbc"},
    {"FullWidthLetter", "\uff45xample.com", ""},
    {"FullWidthCapital", "\uff25xample.com", ""},
    {"Ligature", "\ufb01rm.example", ""},
    {"LongS", "\u017fite.example", ""},
    {"Kelvin", "\u212aelvin.example", ""},
    {"Angstrom", "\u212bngstrom.example", ""},
    {"Superscript", "example\u00b2.com", ""},
    {"RomanNumeral", "\u2167.example", ""},
    {"CircledLetter", "\u24d4xample.com", ""},
    {"BoldLetter", "\U0001d41example.com", ""},
    {"HalfWidthKatakana", "\uff76.example", ""},
    {"MicroSign", "\u00b5.example", ""},
    {"IdeographicFullStop", "example\u3002com", ""},
    {"FullWidthFullStop", "example\uff0ecom", ""},
    {"HalfWidthFullStop", "example\uff61com", ""},
    {"OneDotLeader", "example\u2024com", ""},
    {"FullWidthAt", "example.com\uff20evil.example", ""},
    {"FullWidthSlash", "example.com\uff0fevil.example", ""},
    {"FractionSlash", "example.com\u2044evil.example", ""},
    {"AccountOf", "example\u2100.com", ""},
    {"SoftHyphen", "exam\u00adple.com", ""},
    {"ZeroWidthSpace", "exam\u200bple.com", ""},
    {"ZeroWidthJoiner", "exam\u200dple.com", ""},
    {"ZeroWidthNonJoiner", "exam\u200cple.com", ""},
    {"WordJoiner", "exam\u2060ple.com", ""},
    {"ByteOrderMark", "\ufeffexample.com", ""},
    {"VariationSelector", "example\ufe0f.com", ""},
    {"RightToLeftMark", "example\u200f.com", ""},
    {"RightToLeftOverride", "\u202emoc.elpmaxe", ""},
    {"Isolate", "\u2066example\u2069.com", ""},
    {"NoBreakSpace", "example\u00a0.com", ""},
    {"MixedDirections", "א1a.example", ""},
    {"CombiningInFront", "\u0301example.com", ""},
    {"Symbol", "\u2603.example", ""},
    {"Emoji", "😀.example", ""},
    {"Unassigned", "\u0378.example", ""},
    {"PrivateUse", "\ue000.example", ""},
    {"HyphenBeforeLetters", "-ü.example", ""},
    {"HyphenBehindLetters", "ü-.example", ""},
    {"TwoHyphensInThird", "ab--ü.example", ""},
    {"PrefixBeforeLetters", "xn--ü.example", ""},
    {"UnderscoreBesideLetters", "_ü.example", ""},
    {"ULabelOf63", std::string(55, 'a') + "ü.example",
     "xn--" + std::string(55, 'a') + "-8yf.example"},
    {"ULabelOf64", std::string(56, 'a') + "ü.example", ""},
    {"Over63BytesInUtf8", repeated("例", 57) + ".example",
     "xn--fsq" + std::string(56, 'a') + ".example"},
    {"ULabelOfMore", repeated("例", 58) + ".example", ""},
    {"NameOfMore", repeated(repeated("例", 10) + ".", 30) + "example", ""},
    {"MalformedUtf8", "b\xfc" "cher.example", ""},
    {"OverlongUtf8", "example\xc0\xae" "com", ""},
    {"Surrogate", "\xed\xa0\x80.example", ""},
};

INSTANTIATE_TEST_SUITE_P(Idna, DomainTest, ::testing::ValuesIn(kIdnaCases), name_of);

const DomainCase kALabelCases[] = {
    {"NothingBehind", "xn--.example", ""},
    {"BogusPunycode", "xn--99zzzz99.example", ""},
    {"Overflow", "xn--" + std::string(59, '9') + ".example", ""},
    {"OfAscii", "xn--example-.com", ""},
    {"OfCapital", "xn--bcher-2pa.example", ""},          // bÜcher
    {"OfDecomposed", "xn--bucher-xyd.example", ""},      // u and U+0308
    {"OfFullWidth", "xn--xample-hy68a.example", ""},      // U+FF45
    {"OfHyphenInFront", "xn----eha.example", ""},        // -ü
    {"OfHyphenBehind", "xn----dha.example", ""},         // ü-
    {"OfJoiner", "xn--ab-m1t.example", ""},              // a, U+200D, b
    {"OfRightToLeftMark", "xn--a-ygn.example", ""},      // a, U+200F
    {"OfFullStop", "xn--ab-r13a.example", ""},           // a, U+3002, b
    {"OfSymbol", "xn--n3h.example", ""},                 // U+2603
    {"Twice", "xn--xn--bcher-kva-8ob.example", ""},
    {"SharpS", "xn--strae-oqa.example", "xn--strae-oqa.example"},
    {"JoinerWhereItBelongs", "xn--11b2ezcw70k.example", "xn--11b2ezcw70k.example"},
    {"LastLabel", "example.xn--p1ai", "example.xn--p1ai"},
    {"LabelOf63", "xn--" + std::string(55, 'a') + "-8yf.example",
     "xn--" + std::string(55, 'a') + "-8yf.example"},
    {"LabelOf64", "xn--" + std::string(56, 'a') + "-t2f.example", ""},
};

INSTANTIATE_TEST_SUITE_P(ALabel, DomainTest, ::testing::ValuesIn(kALabelCases), name_of);

std::string with_uts46(const std::string& text) {
  std::uint8_t* out = nullptr;
  const int rc = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(text.c_str()), &out,
                                IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const CPtr<std::uint8_t, idn2_free> owner(out);
  return rc == IDN2_OK ? reinterpret_cast<const char*>(out) : "";
}

std::string with_unicode(const std::string& text) {
  char* out = nullptr;
  const int rc = idn2_to_unicode_8z8z(text.c_str(), &out, 0);
  const CPtr<char, idn2_free> owner(out);
  return rc == IDN2_OK ? out : "";
}

// Nothing is read in another way than by others, and both spellings are one name.
TEST(DomainNames, AnyCodePointIsReadAsUts46DoesOrRefused) {
  int taken = 0;
  int refused_by_uts46 = 0;
  for (char32_t c = 0x80; c < 0x30000; ++c) {
    if (c == 0xD800) c = 0xE000;
    std::string text = "x";
    append_utf8(text, c);
    const auto domain = canonical_domain(text);
    if (!domain) continue;
    ++taken;
    const std::string other = with_uts46(text);
    if (other.empty()) {
      ++refused_by_uts46;
    } else {
      ASSERT_EQ(*domain, other) << std::uint32_t{c};
    }
    ASSERT_EQ(canonical_domain(*domain), domain) << std::uint32_t{c};
    ASSERT_EQ(canonical_domain(with_unicode(*domain)), domain) << std::uint32_t{c};
  }
  EXPECT_GT(taken, 90000);
  // Ideographs whose normalization was corrected once (Unicode's corrigendum 4).
  EXPECT_LE(refused_by_uts46, 5);
}

}  // namespace
}  // namespace sallyport::policy
