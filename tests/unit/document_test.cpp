#include "xml/document.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "xml/names.h"

namespace sallyport::xml {
namespace {

std::string repeat(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string nested(std::size_t depth) { return repeat("<a>", depth) + repeat("</a>", depth); }

std::string with_attributes(std::size_t count) {
  std::string tag = "<a";
  for (std::size_t i = 0; i < count; ++i) tag += " b" + std::to_string(i) + "='1'";
  return tag + "/>";
}

std::string with_namespaces(std::size_t count) {
  std::string tag = "<a";
  for (std::size_t i = 0; i < count; ++i) {
    tag += " xmlns:n" + std::to_string(i) + "='urn:n" + std::to_string(i) + "'";
  }
  return tag + ">";
}

std::string prefix_list(std::string_view prefixes) {
  return "<e:InclusiveNamespaces xmlns:e='http://www.w3.org/2001/10/xml-exc-c14n#' PrefixList='" +
         std::string(prefixes) + "'/>";
}

std::string with_nul(std::string text) {
  text += '\0';
  return text + "<evil/>";
}

std::string utf16(std::string_view text, bool with_mark) {
  std::string wide = with_mark ? "\xFF\xFE" : "";
  for (const char c : text) {
    wide += c;
    wide += '\0';
  }
  return wide;
}

struct RefusedCase {
  const char* name;
  std::string document;
  Reason reason;
};

class DocumentRefuses : public testing::TestWithParam<RefusedCase> {};

TEST_P(DocumentRefuses, WithReason) {
  for (const std::string& document : {GetParam().document, "\xEF\xBB\xBF" + GetParam().document}) {
    const auto parsed = Document::parse(document, Limits());
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(reason_word(parsed.error().reason), reason_word(GetParam().reason))
        << parsed.error().detail;
    EXPECT_FALSE(parsed.error().detail.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Bytes, DocumentRefuses,
    testing::ValuesIn(std::vector<RefusedCase>{
        {"Empty", "", Reason::kXmlInvalid},
        {"Blank", " \n", Reason::kXmlInvalid},
        {"NotXml", "hello", Reason::kXmlInvalid},
        {"TooLarge", "<a>" + std::string(256 * 1024, 'x') + "</a>", Reason::kTooLarge},
        {"NulBehindTheRoot", with_nul("<a/>"), Reason::kXmlForbidden},
        {"NulInText", with_nul("<a>") + "</a>", Reason::kXmlForbidden},
        {"ControlCharacter", "<a>\x01</a>", Reason::kXmlInvalid},
        {"ControlCharacterAtTheEnd", "<a></a>\x1F", Reason::kXmlInvalid},
        {"NonCharacter", "<a>\xEF\xBF\xBE</a>", Reason::kXmlInvalid},
        {"OverlongUtf8", "<a>\xC0\x80</a>", Reason::kXmlInvalid},
        {"Surrogate", "<a>\xED\xA0\x80</a>", Reason::kXmlInvalid},
        {"TruncatedUtf8", "<a/>\xE2\x82", Reason::kXmlInvalid},
        {"Latin1", "<a>\xE9</a>", Reason::kXmlInvalid},
        {"Utf16", utf16("<a/>", false), Reason::kXmlForbidden},
        {"Utf32", utf16(utf16("<a/>", false), false), Reason::kXmlForbidden},
        {"EbcdicDeclaration", "\x4C\x6F\xA7\x94\x93", Reason::kXmlInvalid},
        {"Utf7", "+ADw-a/+AD4-", Reason::kXmlInvalid},
        {"Doctype", "<!DOCTYPE a><a/>", Reason::kXmlForbidden},
        {"DoctypeWithSubset", "<!DOCTYPE a [<!ATTLIST a ID ID #IMPLIED>]><a/>",
         Reason::kXmlForbidden},
        {"DoctypeInCdata", "<a><![CDATA[<!DOCTYPE a>]]></a>", Reason::kXmlForbidden},
        {"EntityInCdata", "<a><![CDATA[<!ENTITY b 'c'>]]></a>", Reason::kXmlForbidden},
        {"ExternalEntity", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
         Reason::kXmlForbidden},
        {"OtherDeclaration", "<!NOTATION x><a/>", Reason::kXmlForbidden},
        {"LowerCaseDoctype", "<!doctype a><a/>", Reason::kXmlForbidden},
        {"Comment", "<a><!-- c --></a>", Reason::kXmlForbidden},
        {"CommentBeforeTheRoot", "<!-- c --><a/>", Reason::kXmlForbidden},
        {"CommentInsideText", "<a>user@ok<!---->.evil.com</a>", Reason::kXmlForbidden},
        {"ProcessingInstruction", "<a><?p x?></a>", Reason::kXmlForbidden},
        {"StyleSheet", "<?xml-stylesheet href='x'?><a/>", Reason::kXmlForbidden},
        {"DeclarationNotAtTheStart", " <?xml version='1.0'?><a/>", Reason::kXmlForbidden},
        {"TwoDeclarations", "<?xml version='1.0'?><?xml version='1.0'?><a/>",
         Reason::kXmlForbidden},
        {"UndefinedEntity", "<a>&b;</a>", Reason::kXmlInvalid},
        {"UndefinedEntityInAttribute", "<a b='&c;'/>", Reason::kXmlInvalid},
        {"CharacterReferenceToNul", "<a>&#0;</a>", Reason::kXmlInvalid},
    }),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Declaration, DocumentRefuses,
    testing::ValuesIn(std::vector<RefusedCase>{
        {"Version11", "<?xml version='1.1'?><a/>", Reason::kXmlForbidden},
        {"Version10WithBlank", "<?xml version='1.0 '?><a/>", Reason::kXmlForbidden},
        {"NoVersion", "<?xml encoding='UTF-8'?><a/>", Reason::kXmlInvalid},
        {"Latin1", "<?xml version='1.0' encoding='ISO-8859-1'?><a/>", Reason::kXmlForbidden},
        {"Utf16", "<?xml version='1.0' encoding='UTF-16'?><a/>", Reason::kXmlForbidden},
        {"Utf7", "<?xml version='1.0' encoding='UTF-7'?><a/>", Reason::kXmlForbidden},
        {"Ebcdic", "<?xml version='1.0' encoding='IBM037'?><a/>", Reason::kXmlForbidden},
        {"DeclaredAsciiWithMore", "<?xml version='1.0' encoding='US-ASCII'?><a>\xC3\xA4</a>", Reason::kXmlForbidden},
        {"EmptyEncoding", "<?xml version='1.0' encoding=''?><a/>", Reason::kXmlForbidden},
        {"Standalone", "<?xml version='1.0' standalone='maybe'?><a/>", Reason::kXmlInvalid},
        {"WrongOrder", "<?xml version='1.0' standalone='no' encoding='UTF-8'?><a/>",
         Reason::kXmlInvalid},
        {"Twice", "<?xml version='1.0' encoding='UTF-8' encoding='UTF-8'?><a/>",
         Reason::kXmlInvalid},
        {"Unquoted", "<?xml version=1.0?><a/>", Reason::kXmlInvalid},
        {"NoEnd", "<?xml version='1.0'><a/>", Reason::kXmlInvalid},
        {"MixedQuotes", "<?xml version='1.0\"?><a/>", Reason::kXmlInvalid},
    }),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(WellFormedness, DocumentRefuses,
                         testing::ValuesIn(std::vector<RefusedCase>{
                             {"TwoRoots", "<a/><b/>", Reason::kXmlInvalid},
                             {"TextBehindTheRoot", "<a/>x", Reason::kXmlInvalid},
                             {"Unclosed", "<a><b></b>", Reason::kXmlInvalid},
                             {"Mismatched", "<a></b>", Reason::kXmlInvalid},
                             {"EndTagOnly", "</a>", Reason::kXmlInvalid},
                             {"LoneBracket", "<a/><", Reason::kXmlInvalid},
                             {"BracketInText", "<a> < </a>", Reason::kXmlInvalid},
                             {"BracketInValue", "<a b='<'/>", Reason::kXmlInvalid},
                             {"ValueWithoutName", "<a '1'/>", Reason::kXmlInvalid},
                             {"ValueWithoutQuotes", "<a b=1/>", Reason::kXmlInvalid},
                             {"ValueWithoutEnd", "<a b='1/>", Reason::kXmlInvalid},
                             {"NoValue", "<a b/>", Reason::kXmlInvalid},
                             {"NoBlankBetween", "<a b='1'c='2'/>", Reason::kXmlInvalid},
                             {"QuoteInName", "<a b\"='1' />", Reason::kXmlInvalid},
                             {"SlashInTag", "<a / b='1'>", Reason::kXmlInvalid},
                             {"AttributeTwice", "<a b='1' b='2'/>", Reason::kXmlInvalid},
                             {"AttributeTwiceByNamespace",
                              "<a xmlns:x='urn:x' xmlns:y='urn:x' x:b='1' y:b='2'/>",
                              Reason::kXmlInvalid},
                             {"UnboundPrefix", "<x:a/>", Reason::kXmlInvalid},
                             {"UnboundAttributePrefix", "<a x:b='1'/>", Reason::kXmlInvalid},
                             {"PrefixUnbound", "<a xmlns:x=''/>", Reason::kXmlInvalid},
                             {"XmlPrefixRebound", "<a xmlns:xml='urn:x'/>", Reason::kXmlInvalid},
                             {"CdataEndInText", "<a>]]></a>", Reason::kXmlInvalid},
                             {"CdataWithoutEnd", "<a><![CDATA[</a>", Reason::kXmlInvalid},
                             {"CdataBesideTheRoot", "<a/><![CDATA[x]]>", Reason::kXmlInvalid},
                         }),
                         [](const auto& param) { return param.param.name; });

const std::string kIdTwice = "<a ID='x'><b ID='x'/></a>";
const std::string kIdTwiceInDsig =
    "<a ID='x'><d:Signature xmlns:d='http://www.w3.org/2000/09/xmldsig#' Id='x'/></a>";

INSTANTIATE_TEST_SUITE_P(
    Shape, DocumentRefuses,
    testing::ValuesIn(std::vector<RefusedCase>{
        {"TooDeep", nested(33), Reason::kXmlLimits},
        {"HundredThousandDeep", repeat("<a>", 80000), Reason::kXmlLimits},
        {"TooManyElements", "<a>" + repeat("<b/>", 20000) + "</a>", Reason::kXmlLimits},
        {"TooManyAttributes", with_attributes(33), Reason::kXmlLimits},
        {"TooManyNamespacesOnOne", with_namespaces(17) + "</a>", Reason::kXmlLimits},
        {"TooManyNamespacesInScope",
         repeat(with_namespaces(10), 20) + "<b xmlns='urn:b'/>" + repeat("</a>", 20),
         Reason::kXmlLimits},
        {"LongNamespace", "<a xmlns='urn:" + std::string(253, 'x') + "'/>", Reason::kXmlLimits},
        {"CanonicalFormTooLarge",
         "<a xmlns:p='urn:" + std::string(252, 'x') + "'>" + repeat("<p:b/>", 5000) + "</a>",
         Reason::kXmlLimits},
        {"RelativeNamespace", "<a xmlns='rel'/>", Reason::kXmlForbidden},
        {"NumberAsNamespace", "<a xmlns:x='1'/>", Reason::kXmlForbidden},
        {"PathAsNamespace", "<a xmlns:x='/p:q'/>", Reason::kXmlForbidden},
        {"EmptyScheme", "<a xmlns:x=':q'/>", Reason::kXmlInvalid},
        {"XmlId", "<a xml:id='x'/>", Reason::kXmlForbidden},
        {"XmlBase", "<a xml:base='http://x/'/>", Reason::kXmlForbidden},
        {"XmlSpace", "<a xml:space='preserve'/>", Reason::kXmlForbidden},
        {"LowerCaseId", "<a id='x'/>", Reason::kXmlForbidden},
        {"MixedCaseId", "<a Id='x'/>", Reason::kXmlForbidden},
        {"OtherMixedCaseId", "<a iD='x'/>", Reason::kXmlForbidden},
        {"QualifiedId", "<s:a xmlns:s='urn:oasis:names:tc:SAML:2.0:assertion' s:ID='x'/>",
         Reason::kXmlForbidden},
        {"TwoKindsOfId", "<a ID='x' Id='y'/>", Reason::kXmlForbidden},
        {"UpperCaseIdInDsig", "<d:a xmlns:d='http://www.w3.org/2000/09/xmldsig#' ID='x'/>",
         Reason::kXmlForbidden},
        {"EmptyId", "<a ID=''/>", Reason::kXmlInvalid},
        {"IdWithDigitFirst", "<a ID='1a'/>", Reason::kXmlInvalid},
        {"IdWithBlank", "<a ID='a b'/>", Reason::kXmlInvalid},
        {"IdWithNewline", "<a ID='a&#10;'/>", Reason::kXmlInvalid},
        {"IdWithQuote", "<a ID='a&quot;'/>", Reason::kXmlInvalid},
        {"IdWithColon", "<a ID='a:b'/>", Reason::kXmlInvalid},
        {"IdBeyondAscii", "<a ID='\xC3\xA4'/>", Reason::kXmlInvalid},
        {"LongId", "<a ID='" + std::string(257, 'x') + "'/>", Reason::kXmlLimits},
        {"IdTwice", kIdTwice, Reason::kXmlInvalid},
        {"IdTwiceInDsig", kIdTwiceInDsig, Reason::kXmlInvalid},
        {"ManyPrefixes", prefix_list("a b c d e f g h i j k l m n o p q"), Reason::kXmlLimits},
        {"LongPrefix", prefix_list(std::string(33, 'x')), Reason::kXmlLimits},
        {"PrefixNotAName", prefix_list("a 1"), Reason::kXmlLimits},
    }),
    [](const auto& param) { return param.param.name; });

// The three documents that kept canonicalization busy for seconds to minutes.
INSTANTIATE_TEST_SUITE_P(
    Bombs, DocumentRefuses,
    testing::ValuesIn(std::vector<RefusedCase>{
        {"PrefixList", "<a>" + prefix_list(repeat("p ", 800)) + repeat("<b></b>", 4000) + "</a>",
         Reason::kXmlLimits},
        {"Namespaces", repeat(with_namespaces(50), 200), Reason::kXmlLimits},
        {"Attributes", with_attributes(20000), Reason::kXmlLimits},
        // Where the parser stumbles and goes on, so that its tree would be cut off.
        {"AttributesBehindAnError", "<r><x \">" + with_attributes(20000) + "</r>",
         Reason::kXmlInvalid},
        {"AttributesInAMalformedComment", "<r><!-- -- " + with_attributes(20000) + " --></r>",
         Reason::kXmlForbidden},
    }),
    [](const auto& param) { return param.param.name; });

TEST(DocumentTest, RefusesUtf16ByItsMark) {
  const auto parsed = Document::parse(utf16("<a/>", true), Limits());
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().reason, Reason::kXmlForbidden);
  EXPECT_NE(parsed.error().detail.find("UTF-16"), std::string::npos);
}

// Nothing is fetched, nothing put in its place: what would load a file stays an element like others.
TEST(DocumentTest, XIncludeIsAnElementLikeOthers) {
  const std::string include =
      "<a><i:include xmlns:i='http://www.w3.org/2001/XInclude' href='/etc/hostname' parse='text'/>"
      "</a>";
  const auto parsed = Document::parse(include, Limits());
  ASSERT_TRUE(parsed.ok()) << parsed.error().detail;
  const auto child = parsed->root().only_child("http://www.w3.org/2001/XInclude", "include");
  ASSERT_TRUE(child);
  EXPECT_EQ(child->attribute("href"), "/etc/hostname");
  EXPECT_EQ(child->text(), "");
  EXPECT_FALSE(parsed->root().has_stray_text());
}

TEST(DocumentTest, RefusesASecondByteOrderMark) {
  EXPECT_FALSE(Document::parse("\xEF\xBB\xBF\xEF\xBB\xBF<a/>", Limits()).ok());
}

TEST(DocumentTest, RefusesEveryPrefix) {
  const std::string whole =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a ID='x'>t<b c=\"d\"/><![CDATA[e]]>&lt;</a>";
  ASSERT_TRUE(Document::parse(whole, Limits()).ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Document::parse(whole.substr(0, size), Limits()).ok()) << size;
  }
}

struct AcceptedCase {
  const char* name;
  std::string document;
};

class DocumentTakes : public testing::TestWithParam<AcceptedCase> {};

TEST_P(DocumentTakes, Whole) {
  const auto parsed = Document::parse(GetParam().document, Limits());
  ASSERT_TRUE(parsed.ok()) << parsed.error().detail;
  EXPECT_EQ(parsed->root().local_name(), "a");
}

INSTANTIATE_TEST_SUITE_P(
    All, DocumentTakes,
    testing::ValuesIn(std::vector<AcceptedCase>{
        {"Plain", "<a/>"},
        {"BlanksAround", "\n <a/> \n"},
        {"ByteOrderMark", "\xEF\xBB\xBF<a/>"},
        {"Declaration", "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n<a/>"},
        {"DeclarationLowerCase", "<?xml version='1.0' encoding='utf-8' ?><a/>"},
        {"DeclarationBlanks", "<?xml\tversion = '1.0'\nencoding= \"US-ascii\"?><a/>"},
        {"AtDepth", nested(32)},
        {"AtAttributes", with_attributes(32)},
        {"AtNamespacesOnOne", with_namespaces(16) + "</a>"},
        {"AtNamespacesInScope", repeat(with_namespaces(10), 20) + repeat("</a>", 20)},
        {"NamespacesOnEverySibling", "<a>" + repeat(with_namespaces(2) + "</a>", 2000) + "</a>"},
        {"LongestNamespace", "<a xmlns='urn:" + std::string(252, 'x') + "'/>"},
        {"AtElements", "<a>" + repeat("<b/>", 19999) + "</a>"},
        {"AtPrefixes", "<a>" + prefix_list("a b c d e f g h i j k l m n #default p") + "</a>"},
        {"LongestId", "<a ID='" + std::string(256, 'x') + "'/>"},
        {"IdsOfEachKind",
         "<a ID='x'><d:b xmlns:d='http://www.w3.org/2000/09/xmldsig#' Id='y'/>"
         "<e:b xmlns:e='http://www.w3.org/2001/04/xmlenc#' Id='z'/></a>"},
        {"XmlLang", "<a xml:lang='en'/>"},
        {"UndeclaredDefault", "<a xmlns='urn:x'><b xmlns=''/></a>"},
        {"BlanksInTags", "<a\n b = 'x'\t></a >"},
        {"AngleInValue", "<a b='>'>></a>"},
        {"TextBeyondAscii", "<a>\xE2\x80\xAE\xEF\xBF\xBD\xF0\x9F\x98\x80</a>"},
        {"DeclaredAscii", "<?xml version='1.0' encoding='US-ASCII'?><a>a&#xE4;</a>"},
    }),
    [](const auto& param) { return param.param.name; });

TEST(DocumentTest, TextOfManyKindsIsOneNode) {
  const std::string document =
      "<a>one<![CDATA[ <b> ]]>&lt;two&gt;&#x41;<![CDATA[]]>&amp;<![CDATA[x]]><![CDATA[y]]>"
      "&#13;end</a>";
  const auto parsed = Document::parse(document, Limits());
  ASSERT_TRUE(parsed.ok()) << parsed.error().detail;
  EXPECT_EQ(parsed->root().text(), "one <b> <two>A&xy\rend");
}

TEST(DocumentTest, LongTextOfManyKindsIsOneNode) {
  std::string document = "<a>";
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    document += "text &amp; <![CDATA[ more ]]>&#228;";
    expected += "text &  more \xC3\xA4";
  }
  const auto parsed = Document::parse(document + "</a>", Limits());
  ASSERT_TRUE(parsed.ok()) << parsed.error().detail;
  EXPECT_EQ(parsed->root().text(), expected);
}

TEST(DocumentTest, ElementsAreRead) {
  const std::string document =
      "<s:Response xmlns:s='urn:oasis:names:tc:SAML:2.0:protocol' ID='_1' e='' amp='&amp;&#9;'"
      " xmlns:x='urn:x' x:ID2='q'>\n  <s:A/> \n<B>t</B><s:A/>stray<C><D/></C><E/></s:Response>";
  const auto parsed = Document::parse(document, Limits());
  ASSERT_TRUE(parsed.ok()) << parsed.error().detail;
  const Element root = parsed->root();
  EXPECT_TRUE(root.is(kNsSamlp, "Response"));
  EXPECT_FALSE(root.is(kNsSamlp, "Respons"));
  EXPECT_FALSE(root.is(kNsSamlp, "Response2"));
  EXPECT_FALSE(root.is(kNsSaml, "Response"));
  EXPECT_FALSE(root.is("", "Response"));
  EXPECT_EQ(root.namespace_uri(), kNsSamlp);
  EXPECT_EQ(root.attribute("ID"), "_1");
  EXPECT_EQ(root.attribute("e"), "");
  EXPECT_EQ(root.attribute("amp"), "&\t");
  EXPECT_EQ(root.attribute("I"), std::nullopt);
  EXPECT_EQ(root.attribute("ID2"), std::nullopt);
  EXPECT_EQ(root.attribute_ns("urn:x", "ID2"), "q");
  EXPECT_EQ(root.attribute_ns("urn:x", "ID"), std::nullopt);
  std::vector<std::string> names;
  for (const Element child : root.children()) names.emplace_back(child.local_name());
  EXPECT_EQ(names, (std::vector<std::string>{"A", "B", "A", "C", "E"}));
  EXPECT_EQ(root.count_children(kNsSamlp, "A"), 2u);
  EXPECT_EQ(root.only_child(kNsSamlp, "A"), std::nullopt);
  EXPECT_EQ(root.only_child("", "nothing"), std::nullopt);
  ASSERT_TRUE(root.only_child("", "B").has_value());
  EXPECT_EQ(root.only_child("", "B")->text(), "t");
  EXPECT_EQ(root.only_child("", "B")->namespace_uri(), "");
  EXPECT_EQ(root.only_child("", "C")->text(), std::nullopt);
  EXPECT_EQ(root.only_child("", "E")->text(), "");
  EXPECT_TRUE(root.has_stray_text());
  EXPECT_FALSE(root.only_child("", "C")->has_stray_text());
  EXPECT_TRUE(root.has_child_elements());
  EXPECT_FALSE(root.only_child("", "B")->has_child_elements());
}

TEST(DocumentTest, ElementsOutliveTheMoveOfTheirDocument) {
  auto parsed = Document::parse("<a><b>t</b></a>", Limits());
  ASSERT_TRUE(parsed.ok());
  const Element child = *parsed->root().only_child("", "b");
  const Document moved = std::move(parsed).value();
  EXPECT_EQ(child.text(), "t");
  EXPECT_TRUE(*moved.root().only_child("", "b") == child);
}

TEST(DocumentTest, CommentsInMetadataAreTakenOut) {
  const auto parsed = Document::parse(
      "<!-- <c> ' --><a><!--x-->one<!-- \" -->two<b/><!--y-->three<!--z--><c><!--only--></c></a>"
      "<!-- end -->",
      metadata_limits(1024));
  ASSERT_TRUE(parsed.ok()) << parsed.error().detail;
  EXPECT_EQ(parsed->root().local_name(), "a");
  EXPECT_EQ(parsed->root().only_child("", "c")->text(), "");
  EXPECT_TRUE(parsed->root().has_stray_text());
  const auto text = Document::parse("<a>on<!--x-->e<!--y--> two</a>", metadata_limits(1024));
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(text->root().text(), "one two");
}

TEST(DocumentTest, MetadataLimitsAreWiderButStillThere) {
  const Limits limits = metadata_limits(16 * 1024 * 1024);
  EXPECT_TRUE(Document::parse(nested(64), limits).ok());
  EXPECT_FALSE(Document::parse(nested(65), limits).ok());
  EXPECT_TRUE(Document::parse("<a>" + repeat("<b/>", 100000) + "</a>", limits).ok());
  EXPECT_FALSE(Document::parse("<a><?pi?></a>", limits).ok());
  EXPECT_FALSE(Document::parse("<!DOCTYPE a><a/>", limits).ok());
  EXPECT_FALSE(Document::parse("<!-- a -- b --><a/>", limits).ok());
}

TEST(DocumentTest, MessageLimitsTakeTheSize) {
  EXPECT_TRUE(Document::parse("<a/>", message_limits(4)).ok());
  const auto refused = Document::parse("<a/>", message_limits(3));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::kTooLarge);
}

}  // namespace
}  // namespace sallyport::xml
